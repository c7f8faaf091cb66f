//! Smoothing without delay: at every frame a parabola is fitted to the frames about it, on both sides, with Gaussian weights (Savitzky
//! and Golay 1964; Cleveland 1979). Peaks keep their height, which a mean would take from them, and nothing is late.

use std::ops::Range;

use nalgebra::{Matrix3, Vector3};

use super::body::Frame;

/// Frames farther than so many standard deviations count for nothing.
const REACH: f64 = 3.0;

/// Smooths the numbers `columns` of `frames` with the standard deviation `sigma` in frames. Cuts are not smoothed over.
pub(super) fn smooth(frames: &mut [Frame], columns: Range<usize>, sigma: f64) {
    let reach = (REACH * sigma).round() as usize;
    if reach == 0 {
        return;
    }
    for shot in frames.chunk_by_mut(|a, b| a.shot == b.shot) {
        let before: Vec<Vec<f64>> =
            shot.iter().map(|frame| frame.numbers[columns.clone()].to_vec()).collect();
        for (i, frame) in shot.iter_mut().enumerate() {
            let window = i.saturating_sub(reach)..before.len().min(i + reach + 1);
            let weights = weights(i, window.clone(), sigma);
            for (at, number) in frame.numbers[columns.clone()].iter_mut().enumerate() {
                *number =
                    before[window.clone()].iter().zip(&weights).map(|(row, weight)| weight * row[at]).sum();
            }
        }
    }
}

/// What the frames of `window` weigh in the value at `i` of the parabola through them.
fn weights(i: usize, window: Range<usize>, sigma: f64) -> Vec<f64> {
    let terms = |k: usize| {
        let t = (k as f64 - i as f64) / sigma;
        ((-0.5 * t * t).exp(), Vector3::new(1.0, t, t * t))
    };
    let normal: Matrix3<f64> = window.clone().map(terms).map(|(w, x)| w * x * x.transpose()).sum();
    match normal.try_inverse() {
        Some(inverse) if window.len() >= 3 => {
            let row = inverse.row(0).transpose();
            window.map(terms).map(|(w, x)| w * row.dot(&x)).collect()
        }
        // Too few frames for a parabola stay as they are.
        _ => window.map(|k| f64::from(u8::from(k == i))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip(values: impl IntoIterator<Item = (f64, i64)>) -> Vec<Frame> {
        values.into_iter().map(|(x, shot)| Frame { numbers: vec![x, x], shot }).collect()
    }

    fn smoothed(values: Vec<(f64, i64)>, sigma: f64) -> Vec<f64> {
        let mut frames = clip(values);
        smooth(&mut frames, 1..2, sigma);
        frames.iter().map(|frame| frame.numbers[1]).collect()
    }

    #[test]
    fn parabolas_pass_as_they_are_up_to_both_ends() {
        let curve: Vec<(f64, i64)> = (0..30).map(|k| (f64::from(k * k) * 0.1 - f64::from(k), 0)).collect();
        let out = smoothed(curve.clone(), 2.0);
        assert!(out.iter().zip(&curve).all(|(a, (b, _))| (a - b).abs() < 1e-6));
    }

    #[test]
    fn noise_shrinks_and_motion_is_not_late() {
        let wave = |k: usize| (k as f64 * 0.25).sin();
        let noise = |k: usize| if k.is_multiple_of(2) { 0.1 } else { -0.1 };
        let out = smoothed((0..100).map(|k| (wave(k) + noise(k), 0)).collect(), 2.0);
        let off = |lag: i64| -> f64 {
            (10..90).map(|k: usize| (out[k] - wave((k as i64 - lag) as usize)).powi(2)).sum::<f64>()
        };
        assert!(off(0) < off(1) && off(0) < off(-1));
        assert!((off(0) / 80.0).sqrt() < 0.04, "{}", (off(0) / 80.0).sqrt());
    }

    #[test]
    fn nothing_leaks_over_a_cut_or_into_other_numbers() {
        let values: Vec<(f64, i64)> = (0..20).map(|k| if k < 10 { (0.0, 0) } else { (5.0, 1) }).collect();
        let out = smoothed(values.clone(), 2.0);
        assert!(out.iter().zip(&values).all(|(a, (b, _))| (a - b).abs() < 1e-9));
        let mut frames = clip((0..5).map(|k| (f64::from(k % 2), 0)));
        smooth(&mut frames, 1..2, 1.0);
        assert_eq!(frames[1].numbers[0], 1.0);
    }
}
