//! Mel columns from samples.

use std::{f64::consts::TAU, sync::Arc};

use realfft::{RealFftPlanner, RealToComplex};

use super::{
    contract::NO_GATE,
    filters::{self, Band},
};

/// Samples a second.
pub(super) const RATE: u32 = 16_000;
/// Samples between columns.
const HOP: usize = 200;
/// Samples a column sees.
const WINDOW: usize = 800;
/// Mel bands.
pub(super) const BANDS: usize = 80;
/// Columns a second.
pub(super) const COLUMNS_PER_SECOND: i64 = RATE as i64 / HOP as i64;

const PRE_EMPHASIS: f64 = 0.97;
const LOWEST_HZ: f64 = 55.0;
const HIGHEST_HZ: f64 = 7600.0;
const FLOOR: f64 = 1e-5;
const REFERENCE_DB: f64 = 20.0;
const RANGE_DB: f64 = 100.0;
const BOUND: f64 = 4.0;
/// A column fades to silence over so many dB below the gate.
const FADE_DB: f64 = 3.0;

/// Computes columns of one piece of speech.
pub(super) struct Spectrum<'a> {
    samples: &'a [f32],
    /// Level below which columns fade to silence, in dB of full scale.
    gate: f64,
    window: Vec<f64>,
    bands: Vec<Band>,
    fft: Arc<dyn RealToComplex<f64>>,
}

impl<'a> Spectrum<'a> {
    pub(super) fn new(samples: &'a [f32], gate: f64) -> Self {
        let hann = |i: usize| 0.5 - 0.5 * (TAU * i as f64 / WINDOW as f64).cos();
        Self {
            samples,
            gate,
            window: (0..WINDOW).map(hann).collect(),
            bands: filters::bands(BANDS, LOWEST_HZ, HIGHEST_HZ, f64::from(RATE), WINDOW),
            fft: RealFftPlanner::new().plan_fft_forward(WINDOW),
        }
    }

    /// Number of columns.
    pub(super) fn columns(&self) -> usize {
        1 + self.samples.len() / HOP
    }

    /// The sample at `i` after pre-emphasis; zero outside.
    fn emphasised(&self, i: isize) -> f64 {
        let at = |i: isize| usize::try_from(i).ok().and_then(|i| self.samples.get(i)).map(|&x| f64::from(x));
        at(i).map_or(0.0, |x| x - PRE_EMPHASIS * at(i - 1).unwrap_or(0.0))
    }

    /// How far the gate is open for the samples from `start` on, in [0,1]. A constant offset of the signal is no sound.
    fn openness(&self, start: isize) -> f64 {
        if self.gate <= NO_GATE {
            return 1.0;
        }
        let first = usize::try_from(start).unwrap_or(0).min(self.samples.len());
        let end = usize::try_from(start + WINDOW as isize).unwrap_or(0).clamp(first, self.samples.len());
        let heard = &self.samples[first..end];
        let count = heard.len().max(1) as f64;
        let mean = heard.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
        let power = heard.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
        ((10.0 * power.log10() - self.gate + FADE_DB) / FADE_DB).clamp(0.0, 1.0)
    }

    /// Column `k`, centred on sample `k * HOP`, scaled to [-4,4].
    pub(super) fn column(&self, k: usize) -> [f32; BANDS] {
        let start = (k * HOP) as isize - (WINDOW / 2) as isize;
        let open = self.openness(start);
        if open == 0.0 {
            return [-BOUND as f32; BANDS];
        }
        let mut input: Vec<f64> =
            (0..WINDOW).map(|i| self.emphasised(start + i as isize) * self.window[i]).collect();
        let mut output = self.fft.make_output_vec();
        // The buffers have the lengths that the plan wants, so the transform cannot fail.
        let transformed = self.fft.process(&mut input, &mut output);
        debug_assert!(transformed.is_ok());
        let magnitudes: Vec<f64> = output.iter().map(|bin| bin.norm()).collect();
        std::array::from_fn(|band| {
            (open * (scaled(self.bands[band].apply(&magnitudes)) + BOUND) - BOUND) as f32
        })
    }
}

fn scaled(magnitude: f64) -> f64 {
    let decibels = 20.0 * magnitude.max(FLOOR).log10() - REFERENCE_DB;
    (2.0 * BOUND * (decibels + RANGE_DB) / RANGE_DB - BOUND).clamp(-BOUND, BOUND)
}
