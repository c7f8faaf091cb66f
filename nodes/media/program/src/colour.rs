//! RGB pictures as BT.709 limited-range 4:2:0, which is what the tags of our files say. (libswscale would use BT.601.)

/// Fraction bits of the fixed-point weights.
const BITS: u32 = 16;
const HALF: i32 = 1 << (BITS - 1);

const fn fixed(x: f64) -> i32 {
    let scaled = x * (1u32 << BITS) as f64;
    if scaled < 0.0 { (scaled - 0.5) as i32 } else { (scaled + 0.5) as i32 }
}

/// ITU-R BT.709 luma weights.
const KR: f64 = 0.2126;
const KB: f64 = 0.0722;
const KG: f64 = 1.0 - KR - KB;
/// Limited range: luma 16–235, chroma 16–240.
const LUMA: f64 = 219.0 / 255.0;
const CHROMA: f64 = 224.0 / 255.0;

const Y: [i32; 3] = [fixed(KR * LUMA), fixed(KG * LUMA), fixed(KB * LUMA)];
/// Weights of blue-difference chroma.
pub(crate) const CB: [i32; 3] =
    [fixed(-KR / (2.0 * (1.0 - KB)) * CHROMA), fixed(-KG / (2.0 * (1.0 - KB)) * CHROMA), fixed(0.5 * CHROMA)];
/// Weights of red-difference chroma.
pub(crate) const CR: [i32; 3] =
    [fixed(0.5 * CHROMA), fixed(-KG / (2.0 * (1.0 - KR)) * CHROMA), fixed(-KB / (2.0 * (1.0 - KR)) * CHROMA)];

/// The rows of a packed RGB picture; the last one repeats.
fn row(rgb: &[u8], width: usize, height: usize, j: usize) -> &[u8] {
    &rgb[j.min(height - 1) * width * 3..][..width * 3]
}

/// Writes the luma plane of a packed RGB picture. `out` has rows of `stride` bytes and the picture's size rounded up to
/// even; the last column and row are repeated there.
pub(crate) fn luma(rgb: &[u8], (width, height): (usize, usize), out: &mut [u8], stride: usize) {
    for (j, out) in out.chunks_mut(stride).enumerate().take(height.next_multiple_of(2)) {
        for (pixel, y) in row(rgb, width, height, j).chunks_exact(3).zip(out.iter_mut()) {
            *y = (((weigh(Y, pixel) + HALF) >> BITS) + 16) as u8;
        }
        if width % 2 == 1 {
            out[width] = out[width - 1];
        }
    }
}

/// Writes the chroma plane with the given weights, half as wide and high as [`luma`]'s. Chroma lies on the left column
/// of its pair and between its rows, where H.264 expects it: weights 1 2 1 across, 1 1 down, 8 in all.
pub(crate) fn chroma(
    weights: [i32; 3],
    rgb: &[u8],
    (width, height): (usize, usize),
    out: &mut [u8],
    stride: usize,
) {
    const SUM_BITS: u32 = BITS + 3;
    const OFFSET: i32 = (128 << SUM_BITS) + (1 << (SUM_BITS - 1));
    let columns = width.div_ceil(2);
    let mut sums = vec![0i32; width];
    for (j, out) in out.chunks_mut(stride).enumerate().take(height.div_ceil(2)) {
        let (top, bottom) = (row(rgb, width, height, 2 * j), row(rgb, width, height, 2 * j + 1));
        let pairs = top.chunks_exact(3).zip(bottom.chunks_exact(3));
        for (sum, (top, bottom)) in sums.iter_mut().zip(pairs) {
            *sum = weigh(weights, top) + weigh(weights, bottom);
        }
        for (i, out) in out[..columns].iter_mut().enumerate() {
            let (left, right) = (sums[(2 * i).saturating_sub(1)], sums[(2 * i + 1).min(width - 1)]);
            *out = ((left + 2 * sums[2 * i] + right + OFFSET) >> SUM_BITS) as u8;
        }
    }
}

fn weigh(weights: [i32; 3], pixel: &[u8]) -> i32 {
    weights[0] * i32::from(pixel[0]) + weights[1] * i32::from(pixel[1]) + weights[2] * i32::from(pixel[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The planes of a picture of one colour.
    fn flat(colour: [u8; 3], width: usize, height: usize) -> [Vec<u8>; 3] {
        let rgb: Vec<u8> = colour.iter().copied().cycle().take(width * height * 3).collect();
        convert(&rgb, width, height)
    }

    fn convert(rgb: &[u8], width: usize, height: usize) -> [Vec<u8>; 3] {
        let (w, h) = (width.next_multiple_of(2), height.next_multiple_of(2));
        let [mut y, mut u, mut v] = [vec![0; w * h], vec![0; w * h / 4], vec![0; w * h / 4]];
        luma(rgb, (width, height), &mut y, w);
        chroma(CB, rgb, (width, height), &mut u, w / 2);
        chroma(CR, rgb, (width, height), &mut v, w / 2);
        [y, u, v]
    }

    #[test]
    fn colours_have_the_standard_codes() {
        for (rgb, yuv) in [
            ([0, 0, 0], [16, 128, 128]),
            ([255, 255, 255], [235, 128, 128]),
            ([128, 128, 128], [126, 128, 128]),
            ([255, 0, 0], [63, 102, 240]),
            ([0, 255, 0], [173, 42, 26]),
            ([0, 0, 255], [32, 240, 118]),
        ] {
            let planes = flat(rgb, 5, 3);
            for (plane, expected) in planes.iter().zip(yuv) {
                assert!(plane.iter().all(|&x| x == expected), "{rgb:?}: {plane:?}, expected {yuv:?}");
            }
        }
    }

    #[test]
    fn odd_sizes_repeat_the_edge() {
        let rgb: Vec<u8> = (0..27).map(|i| (i * 9) as u8).collect();
        let [y, ..] = convert(&rgb, 3, 3);
        for row in y.chunks_exact(4) {
            assert_eq!(row[2], row[3]);
        }
        assert_eq!(y[8..12], y[12..16]);
    }
}
