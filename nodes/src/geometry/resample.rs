//! Resizing of one plane of floats. (The crate `image` cuts floats to [0,1] on the way.)

use crate::error::{NodeError, Result};

/// `plane` of `from` = (width, height) resized to `to`: bilinear, with the filter widened where the picture shrinks so
/// that nothing aliases.
pub fn resize(plane: &[f32], from: (usize, usize), to: (usize, usize)) -> Result<Vec<f32>> {
    resample(plane, from, to, taps)
}

/// The same read bicubically at the middles of the new pixels, as networks do that were trained so (Keys 1981, a = −0.75; edges are repeated): a
/// picture that shrinks aliases.
pub fn bicubic(plane: &[f32], from: (usize, usize), to: (usize, usize)) -> Result<Vec<f32>> {
    resample(plane, from, to, keys)
}

/// For each new pixel along an axis: the first of the old ones that it takes, and their weights.
type Taps = Vec<(usize, Vec<f32>)>;

fn resample(
    plane: &[f32],
    from: (usize, usize),
    to: (usize, usize),
    taps: fn(usize, usize) -> Taps,
) -> Result<Vec<f32>> {
    if plane.len() != from.0 * from.1 || plane.is_empty() {
        return Err(NodeError::input(format!(
            "{} pixels are no image of {}x{}",
            plane.len(),
            from.0,
            from.1
        )));
    }
    if from == to {
        return Ok(plane.to_vec());
    }
    let columns = taps(from.0, to.0);
    let mut narrow = Vec::with_capacity(to.0 * from.1);
    for row in plane.chunks_exact(from.0) {
        narrow.extend(columns.iter().map(|(first, weights)| {
            weights.iter().zip(&row[*first..]).map(|(weight, pixel)| weight * pixel).sum::<f32>()
        }));
    }
    let mut out = vec![0.0; to.0 * to.1];
    for (row, (first, weights)) in out.chunks_exact_mut(to.0.max(1)).zip(taps(from.1, to.1)) {
        for (weight, source) in weights.iter().zip(narrow.chunks_exact(to.0.max(1)).skip(first)) {
            row.iter_mut().zip(source).for_each(|(out, pixel)| *out += weight * pixel);
        }
    }
    Ok(out)
}

/// The `rows` and `columns` (half open) of a plane of `width` columns at twice its pitch, bilinearly; edges of the plane are repeated.
pub fn twice(plane: &[f32], width: usize, rows: (usize, usize), columns: (usize, usize)) -> Vec<f32> {
    let height = plane.len() / width.max(1);
    // Every new pixel is three quarters of the one it lies in and a quarter of that beside its half.
    let beside = |at: usize, half: usize, count: usize| match half {
        0 => at.saturating_sub(1),
        _ => (at + 1).min(count - 1),
    };
    let halves = |(first, end): (usize, usize)| (first..end).flat_map(|at| [(at, 0), (at, 1)]);
    let mut out = Vec::with_capacity(4 * (rows.1 - rows.0) * (columns.1 - columns.0));
    for (row, half) in halves(rows) {
        let (near, far) =
            (&plane[row * width..][..width], &plane[beside(row, half, height) * width..][..width]);
        let line = |column: usize| 0.75 * near[column] + 0.25 * far[column];
        out.extend(
            halves(columns)
                .map(|(column, half)| 0.75 * line(column) + 0.25 * line(beside(column, half, width))),
        );
    }
    out
}

/// Keys's cubic between the four pixels around the middle of each new one.
fn keys(from: usize, to: usize) -> Taps {
    const A: f32 = -0.75;
    let scale = from as f32 / to as f32;
    let weight = |x: f32| match x.abs() {
        x if x <= 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
        x if x < 2.0 => ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A,
        _ => 0.0,
    };
    let last = from as isize - 1;
    (0..to)
        .map(|at| {
            let centre = (at as f32 + 0.5) * scale - 0.5;
            let left = centre.floor() as isize - 1;
            let place = |tap: isize| (left + tap).clamp(0, last) as usize;
            let first = place(0);
            let mut weights = vec![0.0; place(3) - first + 1];
            for tap in 0..4 {
                weights[place(tap) - first] += weight(centre - (left + tap) as f32);
            }
            (first, weights)
        })
        .collect()
}

/// A triangle about the middle of each new pixel, as wide as that is.
fn taps(from: usize, to: usize) -> Taps {
    let scale = from as f32 / to as f32;
    let support = scale.max(1.0);
    (0..to)
        .map(|at| {
            let centre = (at as f32 + 0.5) * scale;
            let first = (centre - support).floor().max(0.0) as usize;
            let end = ((centre + support).ceil() as usize).clamp(first + 1, from);
            let weights: Vec<f32> =
                (first..end).map(|j| (1.0 - (j as f32 + 0.5 - centre).abs() / support).max(0.0)).collect();
            let sum: f32 = weights.iter().sum();
            (first, weights.into_iter().map(|weight| weight / sum).collect())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_kept_and_values_are_not_cut() {
        let plane: Vec<f32> = (0..64).map(|i| if i % 8 < 4 { -3.0 } else { 5.0 }).collect();
        let small = resize(&plane, (8, 8), (2, 2)).unwrap();
        assert_eq!(small.len(), 4);
        assert!(small[0] < -1.5 && small[1] > 3.5, "{small:?}");
        assert!((small.iter().sum::<f32>() / 4.0 - 1.0).abs() < 1e-4);
        let large = resize(&[0.0, 1.0], (2, 1), (4, 2)).unwrap();
        assert_eq!(large, [0.0, 0.25, 0.75, 1.0, 0.0, 0.25, 0.75, 1.0]);
        assert_eq!(resize(&plane, (8, 8), (8, 8)).unwrap(), plane);
        assert!(resize(&plane, (7, 8), (2, 2)).is_err());
    }

    const SMALL: [f32; 4] = [1.84863, 5.74512, 4.66699, 3.48926];
    const WIDE: [f32; 18] = [
        0.59420, 0.71314, 1.61963, 3.12458, 6.44774, 8.91391, 8.61209, 6.19043, 2.92220, 1.39746, 1.16895,
        1.69965, 2.06136, 2.76125, 4.78180, 7.61741, 6.36260, 3.88124,
    ];

    /// Numbers of `torch.nn.functional.interpolate(mode="bicubic", align_corners=False)`.
    #[test]
    fn bicubic_numbers_are_those_of_torch() {
        let close = |found: &[f32], expected: &[f32]| {
            let off = found.iter().zip(expected).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
            assert!(found.len() == expected.len() && off < 1e-4, "{found:?}, expected {expected:?}");
        };
        let ramp: Vec<f32> = (0..16).map(|i| ((i * i) % 11) as f32).collect();
        close(&bicubic(&ramp, (4, 4), (2, 2)).unwrap(), &SMALL);
        close(&bicubic(&ramp, (4, 4), (6, 3)).unwrap(), &WIDE);
        assert_eq!(bicubic(&ramp, (4, 4), (4, 4)).unwrap(), ramp);
    }

    #[test]
    fn a_window_at_twice_the_pitch_is_that_of_the_whole() {
        let plane: Vec<f32> = (0..30).map(|i| ((i * 7) % 11) as f32).collect();
        let whole = resize(&plane, (6, 5), (12, 10)).unwrap();
        let found = twice(&plane, 6, (1, 5), (0, 4));
        for (at, found) in found.into_iter().enumerate() {
            assert!((found - whole[(at / 8 + 2) * 12 + at % 8]).abs() < 1e-5);
        }
    }
}
