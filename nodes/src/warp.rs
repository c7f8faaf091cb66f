//! Cutting squares out of pictures.
//!
//! Coordinates are continuous: a picture of W x H pixels spans [0,W] x [0,H], pixel centres lie at halves.

use image::{Rgb, RgbImage};
use rayon::prelude::*;

/// A square in a picture: upright, or turned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Square {
    /// Centre in pixels of the picture.
    pub(crate) centre: [f64; 2],
    /// Half the side in pixels.
    pub(crate) half: f64,
    /// Direction of its own x axis in radians; positive turns clockwise as seen, because y points down.
    pub(crate) angle: f64,
}

/// What lies outside a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Border {
    /// Black.
    Black,
    /// The picture mirrored at its edges.
    Mirror,
}

impl Square {
    /// From the square's own coordinates in [0,1] to the picture.
    pub(crate) fn to_picture(self, [u, v]: [f64; 2]) -> [f64; 2] {
        let (x, y) = ((2.0 * u - 1.0) * self.half, (2.0 * v - 1.0) * self.half);
        let (sin, cos) = self.angle.sin_cos();
        [self.centre[0] + cos * x - sin * y, self.centre[1] + sin * x + cos * y]
    }

    /// From the picture to the square's own coordinates, [0,1] inside.
    pub(crate) fn locate(self, [x, y]: [f64; 2]) -> [f64; 2] {
        let (x, y) = (x - self.centre[0], y - self.centre[1]);
        let (sin, cos) = self.angle.sin_cos();
        let (u, v) = (cos * x + sin * y, -sin * x + cos * y);
        [(u / self.half + 1.0) / 2.0, (v / self.half + 1.0) / 2.0]
    }
}

/// The square as `side` x `side` pixels, row-major RGB in [0,255]. Every pixel is the mean over its area when the square
/// shrinks, and a Catmull-Rom interpolation when it grows.
pub(crate) fn cut(picture: &RgbImage, square: Square, side: usize, border: Border) -> Vec<f32> {
    let scale = 2.0 * square.half / side as f64;
    // Far smaller results are taken from a shrunken copy: averaging every pixel again for each sample would be slow.
    if scale >= 4.0 {
        let factor = (scale / 2.0) as u32;
        let small = shrink(picture, factor);
        let factor = f64::from(factor);
        let square =
            Square { centre: square.centre.map(|x| x / factor), half: square.half / factor, ..square };
        return cut(&small, square, side, border);
    }
    let samples = scale.ceil().max(1.0) as usize;
    let cubic = scale < 1.0;
    let mut out = vec![0.0; side * side * 3];
    out.par_chunks_mut(side * 3).enumerate().for_each(|(row, line)| {
        for (column, pixel) in line.chunks_exact_mut(3).enumerate() {
            let mut sum = [0.0; 3];
            for k in 0..samples * samples {
                let offset = |k: usize| (k as f64 + 0.5) / samples as f64;
                let u = (column as f64 + offset(k % samples)) / side as f64;
                let v = (row as f64 + offset(k / samples)) / side as f64;
                let at = square.to_picture([u, v]);
                let colour = if cubic {
                    sample_cubic(picture, at, border)
                } else {
                    sample_linear(picture, at, border)
                };
                (0..3).for_each(|c| sum[c] += colour[c]);
            }
            (0..3).for_each(|c| pixel[c] = (sum[c] / (samples * samples) as f32).clamp(0.0, 255.0));
        }
    });
    out
}

/// What [`cut`] gave, as a picture.
pub(crate) fn picture(pixels: &[f32], side: usize) -> RgbImage {
    let bytes: Vec<u8> = pixels.iter().map(|value| value.round() as u8).collect();
    // The lengths agree by construction; an empty picture would show the mistake.
    RgbImage::from_raw(side as u32, side as u32, bytes).unwrap_or_default()
}

/// Means over blocks of `factor` x `factor` pixels; a partial block at the right or lower edge is a mean of what is
/// there.
fn shrink(picture: &RgbImage, factor: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    RgbImage::from_fn(width.div_ceil(factor), height.div_ceil(factor), |x, y| {
        let (mut sum, mut count) = ([0_u32; 3], 0);
        for row in y * factor..((y + 1) * factor).min(height) {
            for column in x * factor..((x + 1) * factor).min(width) {
                let colour = picture.get_pixel(column, row).0;
                (0..3).for_each(|c| sum[c] += u32::from(colour[c]));
                count += 1;
            }
        }
        Rgb(sum.map(|sum| ((sum + count / 2) / count) as u8))
    })
}

fn texel(picture: &RgbImage, x: i64, y: i64, border: Border) -> [f32; 3] {
    let (width, height) = (i64::from(picture.width()), i64::from(picture.height()));
    let (x, y) = match border {
        Border::Black if x < 0 || y < 0 || x >= width || y >= height => return [0.0; 3],
        Border::Black => (x, y),
        Border::Mirror => (mirror(x, width), mirror(y, height)),
    };
    picture.get_pixel(x as u32, y as u32).0.map(f32::from)
}

/// Reflection at the edges, as often as it takes.
fn mirror(x: i64, size: i64) -> i64 {
    let x = x.rem_euclid(2 * size);
    if x < size { x } else { 2 * size - 1 - x }
}

fn sample_linear(picture: &RgbImage, [x, y]: [f64; 2], border: Border) -> [f32; 3] {
    let (x, y) = (x - 0.5, y - 0.5);
    let (column, row) = (x.floor(), y.floor());
    let (fx, fy) = ((x - column) as f32, (y - row) as f32);
    let (column, row) = (column as i64, row as i64);
    let mut colour = [0.0; 3];
    for (dy, wy) in [(0, 1.0 - fy), (1, fy)] {
        for (dx, wx) in [(0, 1.0 - fx), (1, fx)] {
            let texel = texel(picture, column + dx, row + dy, border);
            (0..3).for_each(|c| colour[c] += wx * wy * texel[c]);
        }
    }
    colour
}

fn sample_cubic(picture: &RgbImage, [x, y]: [f64; 2], border: Border) -> [f32; 3] {
    let (x, y) = (x - 0.5, y - 0.5);
    let (column, row) = (x.floor(), y.floor());
    let (wx, wy) = (catmull_rom((x - column) as f32), catmull_rom((y - row) as f32));
    let (column, row) = (column as i64, row as i64);
    let mut colour = [0.0; 3];
    for (dy, wy) in (-1..).zip(wy) {
        for (dx, wx) in (-1..).zip(wx) {
            let texel = texel(picture, column + dx, row + dy, border);
            (0..3).for_each(|c| colour[c] += wx * wy * texel[c]);
        }
    }
    colour
}

/// Weights of the four neighbours at fraction `t` between the middle two.
pub(crate) fn catmull_rom(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [-0.5 * t + t2 - 0.5 * t3, 1.0 - 2.5 * t2 + 1.5 * t3, 0.5 * t + 2.0 * t2 - 1.5 * t3, -0.5 * t2 + 0.5 * t3]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ramp() -> RgbImage {
        RgbImage::from_fn(64, 48, |x, y| Rgb([(x * 4) as u8, (y * 5) as u8, 100]))
    }

    #[test]
    fn the_whole_picture_at_its_own_size_is_itself() {
        let square_picture =
            RgbImage::from_fn(32, 32, |x, y| Rgb([(x * 8) as u8, (y * 8) as u8, (x * y % 256) as u8]));
        let whole = Square { centre: [16.0, 16.0], half: 16.0, angle: 0.0 };
        assert_eq!(picture(&cut(&square_picture, whole, 32, Border::Black), 32), square_picture);
    }

    #[test]
    fn a_ramp_stays_a_ramp_at_every_scale() {
        for (half, side) in [(16.0, 64), (16.0, 32), (16.0, 13), (16.0, 4)] {
            let square = Square { centre: [32.0, 24.0], half, angle: 0.0 };
            let pixels = cut(&ramp(), square, side, Border::Mirror);
            for column in 0..side {
                let expected = ((16.0 + (column as f64 + 0.5) / side as f64 * 32.0) - 0.5) * 4.0;
                let found = f64::from(pixels[(side / 2 * side + column) * 3]);
                assert!(
                    (found - expected).abs() < 4.1 * 32.0 / side as f64 * 0.1 + 0.6,
                    "{half} {side} {found} {expected}"
                );
            }
        }
    }

    #[test]
    fn a_quarter_turn_turns_clockwise() {
        // The square's x axis points down in the picture, so its rows run along the picture's columns.
        let square = Square { centre: [32.0, 24.0], half: 16.0, angle: std::f64::consts::FRAC_PI_2 };
        let pixels = cut(&ramp(), square, 32, Border::Mirror);
        assert!(pixels[3 * 31 + 1] > pixels[1] + 100.0);
    }

    #[test]
    fn outside_is_black_or_mirrored() {
        let square = Square { centre: [0.0, 24.0], half: 8.0, angle: 0.0 };
        let left = |border| cut(&ramp(), square, 16, border)[2];
        assert_eq!((left(Border::Black), left(Border::Mirror)), (0.0, 100.0));
        assert_eq!([-1, 0, 3, 4, 8, -9].map(|x| mirror(x, 4)), [0, 0, 3, 3, 0, 0]);
    }

    proptest! {
        #[test]
        fn the_two_directions_are_inverse(x in -500.0..500.0, y in -500.0..500.0, half in 1.0..300.0, angle in -3.0..3.0) {
            let square = Square { centre: [20.0, -7.0], half, angle };
            let there = square.locate(square.to_picture([x, y]));
            prop_assert!((there[0] - x).abs() < 1e-6 && (there[1] - y).abs() < 1e-6);
        }
    }
}
