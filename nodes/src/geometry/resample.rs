//! Resizing of one plane of floats. (The crate `image` cuts floats to [0,1] on the way.)

use crate::error::{NodeError, Result};

/// `plane` of `from` = (width, height) resized to `to`: bilinear, with the filter widened where the picture shrinks so
/// that nothing aliases.
pub fn resize(plane: &[f32], from: (usize, usize), to: (usize, usize)) -> Result<Vec<f32>> {
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

/// For each of `to` pixels along an axis: the first of the `from` pixels that it takes, and their weights.
fn taps(from: usize, to: usize) -> Vec<(usize, Vec<f32>)> {
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
