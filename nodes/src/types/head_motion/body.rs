use std::f64::consts::TAU;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::timeline::Timeline;
use crate::{
    artifact::Value,
    body::{Context, Inputs, Outputs, ScanBody},
    error::{NodeError, Result},
    tensor::{Tensor, Tensors},
    volume,
};

/// Bands of the sines' frequencies, as factors of 1 / `period`.
const BANDS: [(f64, f64); 4] = [(0.35, 0.6), (0.6, 1.0), (1.0, 1.7), (1.7, 2.8)];
/// Seconds in which the motion sets in.
const EASE: f64 = 2.0;

/// One sine: amplitude in radians, frequency in hertz, phase in turns.
#[derive(Clone, Copy, Debug)]
struct Sine {
    amplitude: f64,
    hertz: f64,
    phase: f64,
}

/// The sway of pitch, yaw and roll.
pub(super) struct Sway([[Sine; BANDS.len()]; 3]);

impl Sway {
    /// Sines whose amplitudes add up to `limits` (radians) in each angle.
    pub(super) fn new(seed: u64, limits: [f64; 3], period: f64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        let mut uniform = |from: f64, to: f64| from + (to - from) * generator.random::<f64>();
        Self(limits.map(|limit| {
            let sines = BANDS.map(|(low, high)| {
                let factor = uniform(low.ln(), high.ln()).exp();
                Sine { amplitude: 1.0 / factor, hertz: factor / period, phase: uniform(0.0, 1.0) }
            });
            let total: f64 = sines.iter().map(|sine| sine.amplitude).sum();
            sines.map(|sine| Sine { amplitude: sine.amplitude * limit / total, ..sine })
        }))
    }

    /// What pitch, yaw and roll differ by from the reference, in radians, after `seconds`.
    pub(super) fn at(&self, seconds: f64) -> [f64; 3] {
        let t = (seconds / EASE).clamp(0.0, 1.0);
        // Speed and acceleration begin at zero, too.
        let ease = t * t * t * (t * (6.0 * t - 15.0) + 10.0);
        self.0.map(|sines| {
            let wave = |sine: &Sine| sine.amplitude * (TAU * (sine.hertz * seconds + sine.phase)).sin();
            ease * sines.iter().map(wave).sum::<f64>()
        })
    }
}

impl ScanBody for Sway {
    fn chunk(
        &mut self,
        state: Option<&Tensors>,
        inputs: &Inputs,
        ctx: &Context<'_>,
    ) -> Result<(Outputs, Tensors)> {
        let timeline = Timeline::of(state, inputs)?;
        let rest = rest(inputs, ctx)?;
        let mut poses = Vec::with_capacity(timeline.len() * rest.len());
        for (begin, _) in timeline.times() {
            let sway = self.at(begin);
            poses.extend(rest[..3].iter().zip(sway).map(|(rest, sway)| rest + sway as f32));
            poses.extend(&rest[3..]);
        }
        let pose = Tensor::f32([timeline.len(), rest.len()], poses)?;
        let output = Value::Tensors(Tensors::new().with("pose", pose));
        Ok(([("pose".to_owned(), output)].into(), timeline.state()?))
    }
}

/// The pose around which the head sways.
fn rest(inputs: &Inputs, ctx: &Context<'_>) -> Result<[f32; 6]> {
    if inputs.has("reference") {
        let layout = ctx.models.pack()?.coefficients();
        return layout.pose_of(volume::reference(inputs, layout)?);
    }
    let pose = inputs.tensors("pose")?.get("pose")?;
    <[f32; 6]>::try_from(pose.as_f32()?)
        .map_err(|_| NodeError::input(format!("port `pose`: shape {:?}, expected [1, 6]", pose.shape())))
}
