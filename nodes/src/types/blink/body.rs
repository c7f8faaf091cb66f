use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::timeline::Timeline;
use crate::{
    artifact::Value,
    body::{Context, Inputs, Outputs, ScanBody},
    error::Result,
    tensor::{Tensor, Tensors},
};

/// Standard deviation of the logarithm of the time between blinks.
const SPREAD: f64 = 0.6;
/// Shortest time between the begins of two blinks, in seconds: longer than any blink.
const SHORTEST: f64 = 0.6;

pub(super) struct Blinking {
    pub(super) seed: u64,
    /// Mean time between the begins of two blinks, in seconds.
    pub(super) interval: f64,
    pub(super) depth: f64,
}

/// One blink, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blink {
    pub(super) start: f64,
    pub(super) closing: f64,
    pub(super) shut: f64,
    pub(super) opening: f64,
    depth: f64,
}

impl Blink {
    pub(super) fn end(&self) -> f64 {
        self.start + self.closing + self.shut + self.opening
    }

    /// The most that the eyes are shut between two times.
    fn deepest(&self, from: f64, to: f64) -> f64 {
        // The lids only fall before the middle and only rise after it.
        let middle = self.start + self.closing + self.shut / 2.0;
        let at = middle.clamp(from, to);
        let falling = (at - self.start) / self.closing;
        let rising = (self.end() - at) / self.opening;
        let shut = falling.min(rising).clamp(0.0, 1.0);
        self.depth * shut * shut * (3.0 - 2.0 * shut)
    }
}

impl Blinking {
    /// All blinks, from the first on; without end.
    pub(super) fn blinks(&self) -> impl Iterator<Item = Blink> {
        let mut generator = ChaCha8Rng::seed_from_u64(self.seed);
        let mut uniform = move |from: f64, to: f64| from + (to - from) * generator.random::<f64>();
        let mut normals = ChaCha8Rng::seed_from_u64(self.seed);
        normals.set_stream(1);
        // A log-normal number's mean is exp(μ + σ²/2).
        let middle = self.interval.ln() - SPREAD * SPREAD / 2.0;
        let depth = self.depth;
        let mut now = 0.0;
        std::iter::from_fn(move || {
            let normal: f64 = normals.sample(StandardNormal);
            now += (middle + SPREAD * normal).exp().max(SHORTEST);
            Some(Blink {
                start: now,
                closing: uniform(0.06, 0.09),
                shut: uniform(0.02, 0.05),
                opening: uniform(0.10, 0.16),
                depth: depth * uniform(0.9, 1.0),
            })
        })
    }

    fn ratios(&self, timeline: Timeline) -> Vec<f32> {
        let mut blinks = self.blinks().peekable();
        let ratio = |(from, to)| {
            while blinks.next_if(|blink| blink.end() <= from).is_some() {}
            blinks.peek().map_or(0.0, |blink| blink.deepest(from, to)) as f32
        };
        timeline.times().map(ratio).collect()
    }
}

impl ScanBody for Blinking {
    fn chunk(
        &mut self,
        state: Option<&Tensors>,
        inputs: &Inputs,
        _: &Context<'_>,
    ) -> Result<(Outputs, Tensors)> {
        let timeline = Timeline::of(state, inputs)?;
        let ratio = Tensor::f32([timeline.len(), 1], self.ratios(timeline))?;
        let output = Value::Tensors(Tensors::new().with("ratio", ratio));
        Ok(([("ratio".to_owned(), output)].into(), timeline.state()?))
    }
}
