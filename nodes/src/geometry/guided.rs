//! The guided filter with a colour guide (He, Sun, Tang, Guided Image Filtering, 2013): a rough mask takes the edges of a picture.

/// For each pixel of a `side` x `side` picture, the colour weights and the offset whose `a·colour + b` is the filtered mask. `guide`
/// is in [0,1]; `radius` in pixels; edges of a variance below `smooth` are no edges.
pub(crate) fn coefficients(
    guide: &[[f32; 3]],
    mask: &[f32],
    side: usize,
    radius: usize,
    smooth: f32,
) -> Vec<[f32; 4]> {
    // Means of: mask, colour, mask·colour, products of colours.
    let moments: Vec<[f32; 13]> = guide
        .iter()
        .zip(mask)
        .map(|([r, g, b], p)| [*p, *r, *g, *b, p * r, p * g, p * b, r * r, r * g, r * b, g * g, g * b, b * b])
        .collect();
    let local: Vec<[f32; 4]> = mean(&moments, side, radius)
        .into_iter()
        .map(|[p, r, g, b, pr, pg, pb, rr, rg, rb, gg, gb, bb]| {
            let covariance = [pr - p * r, pg - p * g, pb - p * b];
            let (xx, yy, zz) = (rr - r * r + smooth, gg - g * g + smooth, bb - b * b + smooth);
            let (xy, xz, yz) = (rg - r * g, rb - r * b, gb - g * b);
            let a = solve([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]], covariance);
            [a[0], a[1], a[2], p - a[0] * r - a[1] * g - a[2] * b]
        })
        .collect();
    mean(&local, side, radius)
}

/// The solution of a symmetric, positive definite system of three equations, by Cramer's rule.
fn solve(m: [[f32; 3]; 3], v: [f32; 3]) -> [f32; 3] {
    let cross = |a: [f32; 3], b: [f32; 3]| {
        [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    };
    let dot = |a: [f32; 3], b: [f32; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    let rows = [cross(m[1], m[2]), cross(m[2], m[0]), cross(m[0], m[1])];
    let determinant = dot(m[0], rows[0]);
    [0, 1, 2].map(|k| (v[0] * rows[0][k] + v[1] * rows[1][k] + v[2] * rows[2][k]) / determinant)
}

/// Mean over squares of 2·`radius` + 1 pixels, of what is in the picture.
fn mean<const C: usize>(values: &[[f32; C]], side: usize, radius: usize) -> Vec<[f32; C]> {
    let rows = lines(values, side, radius, 1, side);
    lines(&rows, side, radius, side, 1)
}

/// Mean along lines whose pixels are `step` apart and whose starts are `next` apart. Sums are kept in f64: running ones in f32 would drift.
fn lines<const C: usize>(
    values: &[[f32; C]],
    side: usize,
    radius: usize,
    step: usize,
    next: usize,
) -> Vec<[f32; C]> {
    let mut out = vec![[0.0; C]; values.len()];
    for line in 0..side {
        let place = |k: usize| line * next + k * step;
        let mut sum = [0.0_f64; C];
        let mut add = |k: usize, sign: f64| {
            (0..C).for_each(|c| sum[c] += sign * f64::from(values[place(k)][c]));
            sum
        };
        for k in 0..radius.min(side) {
            add(k, 1.0);
        }
        for k in 0..side {
            let mut now = if k + radius < side { add(k + radius, 1.0) } else { add(0, 0.0) };
            if k > radius {
                now = add(k - radius - 1, -1.0);
            }
            let count = (k + radius).min(side - 1) - k.saturating_sub(radius) + 1;
            out[place(k)] = now.map(|sum| (sum / count as f64) as f32);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rough_mask_takes_the_edge_of_the_picture() {
        let side = 32;
        let edge = |x: usize| x >= 18;
        let guide: Vec<_> = (0..side * side)
            .map(|at| if edge(at % side) { [0.9, 0.6, 0.5] } else { [0.1, 0.2, 0.2] })
            .collect();
        // Three pixels off.
        let mask: Vec<_> = (0..side * side).map(|at| f32::from(at % side >= 15)).collect();
        let found = coefficients(&guide, &mask, side, 6, 1e-5);
        let value = |x: usize| {
            let at = 16 * side + x;
            let [a, b, c, d] = found[at];
            a * guide[at][0] + b * guide[at][1] + c * guide[at][2] + d
        };
        assert!(value(4) < 0.1 && value(25) > 0.9);
        let steps: Vec<f32> = (11..25).map(|x| value(x + 1) - value(x)).collect();
        assert!(steps[6] > 0.3 && steps.iter().all(|step| *step <= steps[6]), "{steps:?}");
    }

    #[test]
    fn means_are_means() {
        let values: Vec<_> = (0..25).map(|k| [k as f32]).collect();
        let found = mean(&values, 5, 1);
        assert_eq!((found[0][0], found[12][0], found[24][0]), (3.0, 12.0, 21.0));
    }
}
