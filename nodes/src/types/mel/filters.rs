//! The mel filter bank of Slaney's Auditory Toolbox (1998), as librosa builds it by default.

/// Linear part: Hz a mel.
const HZ_PER_MEL: f64 = 200.0 / 3.0;
/// Where the logarithmic part starts, in Hz.
const BREAK: f64 = 1000.0;

fn log_step() -> f64 {
    6.4f64.ln() / 27.0
}

fn to_mel(hz: f64) -> f64 {
    if hz < BREAK { hz / HZ_PER_MEL } else { BREAK / HZ_PER_MEL + (hz / BREAK).ln() / log_step() }
}

fn to_hz(mel: f64) -> f64 {
    let linear = BREAK / HZ_PER_MEL;
    if mel < linear { mel * HZ_PER_MEL } else { BREAK * ((mel - linear) * log_step()).exp() }
}

/// One triangular band: its weights from spectrum bin `first` on.
pub(super) struct Band {
    first: usize,
    weights: Vec<f64>,
}

impl Band {
    /// The band's share of a magnitude spectrum.
    pub(super) fn apply(&self, magnitudes: &[f64]) -> f64 {
        self.weights.iter().zip(&magnitudes[self.first..]).map(|(weight, x)| weight * x).sum()
    }
}

/// `count` bands between two frequencies over spectra of `fft / 2 + 1` bins, each of unit area.
pub(super) fn bands(count: usize, low: f64, high: f64, rate: f64, fft: usize) -> Vec<Band> {
    let (low, high) = (to_mel(low), to_mel(high));
    let step = (high - low) / (count + 1) as f64;
    let edge = |i: usize| to_hz(low + step * i as f64);
    let bin = |k: usize| k as f64 * rate / fft as f64;
    (0..count)
        .map(|i| {
            let (left, centre, right) = (edge(i), edge(i + 1), edge(i + 2));
            let weight = |k: usize| {
                let rise = (bin(k) - left) / (centre - left);
                let fall = (right - bin(k)) / (right - centre);
                rise.min(fall).max(0.0) * 2.0 / (right - left)
            };
            let weights: Vec<f64> = (0..=fft / 2).map(weight).collect();
            let first = weights.iter().position(|&w| w > 0.0).unwrap_or(0);
            let end = weights.iter().rposition(|&w| w > 0.0).map_or(first, |last| last + 1);
            Band { first, weights: weights[first..end].to_vec() }
        })
        .collect()
}
