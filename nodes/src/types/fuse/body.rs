use std::borrow::Cow;

use crate::{
    artifact::Value,
    body::{Context, Inputs, Outputs, ScanBody, Sequence},
    contract::Rate,
    error::{NodeError, Result},
    pack::{CoefficientLayout, Region, Regions},
    params::Params,
    tensor::{Tensor, Tensors},
};

/// Name of the state: how many frames went by.
const FRAMES: &str = "frames";

/// What follows the last driving frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    Hold,
    Loop,
    Bounce,
    /// Goes to the reference within [`FADE`] seconds.
    Fade,
}

/// Seconds in which the last driving frame fades to the reference.
const FADE: f64 = 1.0;

/// Seconds between the frames at the end that tell its speed.
const SPEED: f64 = 0.1;

impl End {
    /// The driving frame, of `len`, that goes with frame `i`.
    pub(super) fn index(self, i: usize, len: usize) -> usize {
        match self {
            Self::Hold | Self::Fade => i.min(len - 1),
            Self::Loop => i % len,
            Self::Bounce => {
                let period = (2 * (len - 1)).max(1);
                let at = i % period;
                at.min(period - at).min(len - 1)
            }
        }
    }
}

pub(super) struct Fuse {
    drive_pose: bool,
    drive_translation: bool,
    weight: f32,
    /// Weights of the regions, in the order of [`Region::ALL`]; below 0: `weight`.
    regions: [f32; 4],
    end: End,
    speech_first: bool,
    driving: Vec<Vec<f32>>,
}

impl Fuse {
    pub(super) fn new(params: &Params) -> Result<Self> {
        let mut regions = [0.0; 4];
        for (weight, (_, name)) in regions.iter_mut().zip(Region::ALL) {
            *weight = params.float(name)? as f32;
        }
        Ok(Self {
            drive_pose: params.text("pose")? == "driving",
            drive_translation: params.text("translation")? == "driving",
            weight: params.float("weight")? as f32,
            regions,
            end: match params.text("end")? {
                "loop" => End::Loop,
                "bounce" => End::Bounce,
                "fade" => End::Fade,
                _ => End::Hold,
            },
            speech_first: params.text("first_frame")? == "speech",
            driving: vec![],
        })
    }

    /// The driving frames' share in every expression coefficient.
    pub(super) fn weights(&self, names: &[String], regions: &Regions) -> Vec<f32> {
        let weight = |name: &String| {
            let own = self.regions[regions.of(name).index()];
            if own >= 0.0 { own } else { self.weight }
        };
        names.iter().map(weight).collect()
    }

    /// The driving coefficients that go with frame `i`.
    fn driving_at(&self, i: usize, reference: &[f32], rate: Rate) -> Cow<'_, [f32]> {
        let len = self.driving.len();
        let row = &self.driving[self.end.index(i, len)];
        let after = (i + 1).saturating_sub(len);
        if self.end != End::Fade || after == 0 || row.len() != reference.len() {
            return row.into();
        }
        let t = (rate.seconds(after as u64) / FADE).min(1.0);
        // Hermite's curve: it sets out with the driving frames' speed and comes to rest in the reference.
        let (place, speed) = (t * t * (2.0 * t - 3.0) + 1.0, t * (t - 1.0) * (t - 1.0));
        let back = ((SPEED * rate.fps()).round() as usize).clamp(1, (len.max(3) - 1) / 2);
        let before = |frames: usize| &self.driving[(len - 1).saturating_sub(frames)];
        let lasts = rate.seconds(2 * back as u64) / FADE;
        row.iter()
            .zip(before(back).iter().zip(before(2 * back)))
            .zip(reference)
            .map(|((&last, (&one, &two)), &rest)| {
                let [last, one, two, rest] = [last, one, two, rest].map(f64::from);
                // Of the parabola through three frames: two would tell the speed before the end.
                let slope = if len < 3 { 0.0 } else { (3.0 * last - 4.0 * one + two) / lasts };
                (rest + place * (last - rest) + speed * slope) as f32
            })
            .collect::<Vec<_>>()
            .into()
    }

    /// Fuses frames from frame `start` on, at `rate`; gives pose and expression.
    pub(super) fn frames(
        &self,
        (start, rate): (usize, Rate),
        speech: &Tensor,
        reference: &[f32],
        layout: &CoefficientLayout,
        weights: &[f32],
    ) -> Result<(Tensor, Tensor)> {
        let &[n, size] = speech.shape() else {
            return Err(shape("expression", speech, "[n, E]"));
        };
        if size != layout.expressions() {
            return Err(shape("expression", speech, &format!("[n, {}]", layout.expressions())));
        }
        let still = layout.pose_of(reference).map_err(|error| error.at_port("reference"))?;
        let (mut poses, mut expressions) = (Vec::with_capacity(n * 6), Vec::with_capacity(n * size));
        for (i, speech) in (start..).zip(speech.as_f32()?.chunks_exact(size)) {
            let driving = &self.driving_at(i, reference, rate);
            let moving = layout.pose_of(driving).map_err(|error| error.at_port("driving"))?;
            poses.extend(if self.drive_pose { &moving[..3] } else { &still[..3] });
            poses.extend(if self.drive_translation { &moving[3..] } else { &still[3..] });
            let speech_alone = i == 0 && self.speech_first;
            let driven = layout.expression_of(driving).map_err(|error| error.at_port("driving"))?;
            expressions.extend(
                speech
                    .iter()
                    .zip(driven)
                    .zip(weights)
                    .map(|((s, d), weight)| if speech_alone { *s } else { s + weight * (d - s) }),
            );
        }
        Ok((Tensor::f32([n, 6], poses)?, Tensor::f32([n, size], expressions)?))
    }

    /// Takes in the driving coefficients, a row a frame.
    pub(super) fn load(&mut self, driving: &dyn Sequence) -> Result<()> {
        let mut rows = vec![];
        for k in 0..driving.len() {
            let chunk = driving.chunk(k)?;
            let coefficients = chunk.tensors()?.get("coefficients")?;
            let &[_, size] = coefficients.shape() else {
                return Err(shape("driving", coefficients, "[n, K]"));
            };
            rows.extend(coefficients.as_f32()?.chunks_exact(size.max(1)).map(<[f32]>::to_vec));
        }
        if rows.is_empty() {
            return Err(NodeError::input("port `driving`: no frames, expected at least one"));
        }
        self.driving = rows;
        Ok(())
    }
}

impl ScanBody for Fuse {
    fn chunk(
        &mut self,
        state: Option<&Tensors>,
        inputs: &Inputs,
        ctx: &Context<'_>,
    ) -> Result<(Outputs, Tensors)> {
        if self.driving.is_empty() {
            self.load(&**inputs.sequence("driving")?)?;
            ctx.host.note("driving_frames", self.driving.len().into());
        }
        let start = match state {
            Some(state) => state.get(FRAMES)?.as_i64()?.first().copied().unwrap_or(0) as usize,
            None => 0,
        };
        let speech = inputs.tensors("expression")?.get("expression")?;
        let reference = inputs.tensors("reference")?.get("coefficients")?;
        let &[1, _] = reference.shape() else { return Err(shape("reference", reference, "[1, K]")) };
        let rate = inputs.rate().ok_or_else(|| NodeError::input("port `expression`: no frame rate"))?;
        let pack = ctx.models.pack()?;
        let weights = self.weights(pack.expression(), pack.regions());
        let (pose, expression) =
            self.frames((start, rate), speech, reference.as_f32()?, pack.coefficients(), &weights)?;
        let after = start + speech.shape()[0];
        let outputs = [("pose", pose), ("expression", expression)]
            .map(|(name, tensor)| (name.to_owned(), Value::Tensors(Tensors::new().with(name, tensor))));
        Ok((outputs.into(), Tensors::new().with(FRAMES, Tensor::i64([1], vec![after as i64])?)))
    }
}

fn shape(port: &str, found: &Tensor, expected: &str) -> NodeError {
    NodeError::input(format!("port `{port}`: shape {:?}, expected {expected}", found.shape()))
}
