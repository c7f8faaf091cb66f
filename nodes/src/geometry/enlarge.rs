//! Resizing of square pictures of four channels by Lanczos' kernel, row by row.

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

    /// Row `y` of `picture` resized, into `out`; `narrow` is room for a row of the source.
    #[inline(always)]
    pub(crate) fn row(&self, picture: &[[f32; 4]], y: usize, narrow: &mut [[f32; 4]], out: &mut [[f32; 4]]) {
        narrow.fill([0.0; 4]);
        for (k, weight) in self.weights[y * self.count..][..self.count].iter().enumerate() {
            let source = &picture[(self.first[y] + k) * self.from..][..self.from];
            for (sum, pixel) in narrow.iter_mut().zip(source) {
                for c in 0..4 {
                    sum[c] += weight * pixel[c];
                }
            }
        }
        let taps = self.weights.chunks_exact(self.count);
        for ((pixel, first), weights) in out.iter_mut().zip(&self.first).zip(taps) {
            let mut sum = [0.0; 4];
            for (weight, source) in weights.iter().zip(&narrow[*first..]) {
                for c in 0..4 {
                    sum[c] += weight * source[c];
                }
            }
            *pixel = sum;
        }
    }

    /// The whole picture.
    pub(crate) fn whole(&self, picture: &[[f32; 4]]) -> Vec<[f32; 4]> {
        let side = self.first.len();
        let (mut narrow, mut out) = (vec![[0.0; 4]; self.from], vec![[0.0; 4]; side * side]);
        for (y, row) in out.chunks_exact_mut(side).enumerate() {
            self.row(picture, y, &mut narrow, row);
        }
        out
    }
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

    fn ramp(side: usize) -> Vec<[f32; 4]> {
        (0..side * side).map(|at| [(at % side) as f32, (at / side) as f32, 7.0, 0.0]).collect()
    }

    #[test]
    fn the_same_size_is_the_same_picture() {
        assert_eq!(Enlarge::new(16, 16).whole(&ramp(16)), ramp(16));
    }

    #[test]
    fn ramps_stay_ramps_and_constants_stay_constant() {
        for (from, to) in [(16, 64), (16, 40), (64, 16)] {
            let out = Enlarge::new(from, to).whole(&ramp(from));
            let scale = from as f32 / to as f32;
            for (at, pixel) in out.iter().enumerate() {
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
