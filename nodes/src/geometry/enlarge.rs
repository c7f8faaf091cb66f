//! Resizing of square pictures of four channels by Lanczos' kernel, row by row.

use std::ops::Range;

use wide::f32x4;

/// Lobes of the kernel on each side.
const LOBES: f32 = 3.0;

/// How one side's pixels are made of another's.
pub(crate) struct Enlarge {
    from: usize,
    /// Taps a pixel.
    count: usize,
    /// First source pixel of each pixel.
    first: Vec<usize>,
    weights: Vec<f32>,
}

impl Enlarge {
    /// From pictures of `from` x `from` pixels to `to` x `to`. Where a picture shrinks, the kernel widens.
    pub(crate) fn new(from: usize, to: usize) -> Self {
        let scale = from as f32 / to as f32;
        let wide = scale.max(1.0);
        let count = ((2.0 * LOBES * wide).ceil() as usize).min(from);
        let (mut first, mut weights) = (vec![], Vec::with_capacity(count * to));
        for at in 0..to {
            let centre = (at as f32 + 0.5) * scale - 0.5;
            let low = (centre - LOBES * wide).floor() as isize + 1;
            let start = low.clamp(0, (from - count) as isize);
            let mut row = vec![0.0; count];
            // What lies beyond the edge is the edge.
            for tap in low..low + (2.0 * LOBES * wide).ceil() as isize {
                let place = (tap.clamp(0, from as isize - 1) - start).clamp(0, count as isize - 1);
                row[place as usize] += lanczos((tap as f32 - centre) / wide);
            }
            let sum: f32 = row.iter().sum();
            weights.extend(row.iter().map(|weight| weight / sum));
            first.push(start as usize);
        }
        Self { from, count, first, weights }
    }

    /// What row `y` of the resized picture is made of along columns, into `narrow`, one number for each column of `part`; gives the columns of
    /// the resized picture that [`Self::at`] may then be asked for.
    #[inline(always)]
    pub(crate) fn row(&self, part: &Part<'_>, y: usize, narrow: &mut Vec<f32x4>) -> Range<usize> {
        let ([top, left], [height, width]) = (part.corner, part.size);
        let scale = self.from as f32 / self.first.len() as f32;
        let centre = ((y as f32 + 0.5) * scale) as usize;
        if !(top..top + height).contains(&centre) {
            return 0..0;
        }
        narrow.clear();
        narrow.resize(width, f32x4::ZERO);
        for (k, weight) in self.weights[y * self.count..][..self.count].iter().enumerate() {
            let row = (self.first[y] + k).clamp(top, top + height - 1) - top;
            let weight = f32x4::splat(*weight);
            for (sum, pixel) in narrow.iter_mut().zip(&part.pixels[row * width..][..width]) {
                *sum += weight * *pixel;
            }
        }
        let ends = [left, left + width].map(|x| (x as f32 / scale).ceil() as usize);
        ends[0]..ends[1].min(self.first.len())
    }

    /// Pixel `x` of the row that `narrow` was made for.
    #[inline(always)]
    pub(crate) fn at(&self, part: &Part<'_>, narrow: &[f32x4], x: usize) -> f32x4 {
        let (left, width) = (part.corner[1], part.size[1]);
        let (first, weights) = (self.first[x], &self.weights[x * self.count..][..self.count]);
        let mut sum = f32x4::ZERO;
        if first >= left && first + self.count <= left + width {
            for (weight, source) in weights.iter().zip(&narrow[first - left..]) {
                sum += f32x4::splat(*weight) * *source;
            }
        } else {
            for (k, weight) in weights.iter().enumerate() {
                let at = (first + k).clamp(left, left + width - 1) - left;
                sum += f32x4::splat(*weight) * narrow[at];
            }
        }
        sum
    }

    /// The whole picture.
    pub(crate) fn whole(&self, picture: &[f32x4]) -> Vec<f32x4> {
        let side = self.first.len();
        let (mut narrow, mut out) = (vec![], vec![f32x4::ZERO; side * side]);
        let part = Part { pixels: picture, corner: [0, 0], size: [self.from, self.from] };
        for (y, row) in out.chunks_exact_mut(side).enumerate() {
            for x in self.row(&part, y, &mut narrow) {
                row[x] = self.at(&part, &narrow, x);
            }
        }
        out
    }
}

/// A rectangle of a picture: its first row and column, its rows and columns. Beyond its edges it goes on as there.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) pixels: &'a [f32x4],
    pub(crate) corner: [usize; 2],
    pub(crate) size: [usize; 2],
}

fn lanczos(x: f32) -> f32 {
    if x == 0.0 {
        return 1.0;
    }
    if x.abs() >= LOBES || x.fract() == 0.0 {
        return 0.0;
    }
    let x = std::f32::consts::PI * x;
    LOBES * x.sin() * (x / LOBES).sin() / (x * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(side: usize) -> Vec<f32x4> {
        (0..side * side).map(|at| f32x4::from([(at % side) as f32, (at / side) as f32, 7.0, 0.0])).collect()
    }

    #[test]
    fn the_same_size_is_the_same_picture() {
        assert_eq!(Enlarge::new(16, 16).whole(&ramp(16)), ramp(16));
    }

    #[test]
    fn a_part_gives_what_it_has_of_a_row() {
        let (enlarge, picture) = (Enlarge::new(16, 64), ramp(16));
        let whole = enlarge.whole(&picture);
        let pixels: Vec<_> =
            (0..16 * 16).filter(|at| at % 16 >= 4 && at % 16 < 14).map(|at| picture[at]).collect();
        let part = Part { pixels: &pixels[3 * 10..], corner: [3, 4], size: [13, 10] };
        let mut narrow = vec![];
        assert_eq!(enlarge.row(&part, 11, &mut narrow), 0..0);
        assert_eq!(enlarge.row(&part, 40, &mut narrow), 16..56);
        for x in 28..44 {
            assert_eq!(enlarge.at(&part, &narrow, x), whole[40 * 64 + x]);
        }
    }

    #[test]
    fn ramps_stay_ramps_and_constants_stay_constant() {
        for (from, to) in [(16, 64), (16, 40), (64, 16)] {
            let out = Enlarge::new(from, to).whole(&ramp(from));
            let scale = from as f32 / to as f32;
            for (at, pixel) in out.iter().map(|pixel| pixel.to_array()).enumerate() {
                assert!((pixel[2] - 7.0).abs() < 1e-4);
                let (x, y) = (at % to, at / to);
                if [x, y].iter().all(|k| (to / 4..3 * to / 4).contains(k)) {
                    assert!(
                        (pixel[0] - ((x as f32 + 0.5) * scale - 0.5)).abs() < 0.05,
                        "{from} {to} {pixel:?}"
                    );
                    assert!((pixel[1] - ((y as f32 + 0.5) * scale - 0.5)).abs() < 0.05);
                }
            }
        }
    }
}
