use std::fs::{self, File};

use serde_json::json;

use crate::{
    arkit::{self, Angles, Mapping, Reading, Take},
    artifact::Value,
    body::{Context, Emit, Inputs, ValueBody},
    contract::Rate,
    error::{NodeError, Result},
    media::Told,
    params::Params,
    sniff,
    tensor::{Tensor, Tensors},
};

/// Bytes of the largest file that is read: more than an hour of MediaPipe's JSON.
const LARGEST: u64 = 1 << 30;

pub(super) struct Decode {
    rate: Rate,
    nearest: bool,
    reading: Reading,
    gain: f32,
    /// Gains of pitch, yaw and roll.
    turns: [f32; 3],
    mirror: bool,
    neutral: f64,
    longest_gap: f64,
}

impl Decode {
    pub(super) fn new(params: &Params) -> Result<Self> {
        let number = |name: &str| params.float(name).map(|x| x as f32);
        let rate = params.rate("fps")?;
        // A number, not a rate: 0 is none.
        let source = match params.float("source_fps")? {
            0.0 => None,
            fps => Some(fps.to_string().parse::<Rate>().map_err(|()| {
                NodeError::input(format!(
                    "parameter `source_fps`: expected frames a second from 1 to 120, or 0, found {fps}"
                ))
            })?),
        };
        let head = number("head")?;
        Ok(Self {
            rate,
            nearest: params.text("resample")? == "nearest",
            reading: Reading {
                source,
                otherwise: rate,
                angles: params.text("angles")?.parse::<Angles>()?,
                strict: params.text("missing")? == "error",
            },
            gain: number("gain")?,
            turns: [head * number("pitch")?, head * number("yaw")?, head * number("roll")?],
            mirror: params.bool("mirror")?,
            neutral: params.float("neutral")?,
            longest_gap: params.float("longest_gap")?,
        })
    }

    /// The recording in the input file.
    fn take(&self, inputs: &Inputs, ctx: &Context<'_>) -> Result<Take> {
        let path = &inputs.file("file")?.path;
        let name = sniff::name(path);
        if path.is_dir() {
            return Err(NodeError::input(format!(
                "{name}: expected a Live Link Face CSV or MediaPipe's JSON, found a folder"
            )));
        }
        let size = File::open(path).and_then(|file| file.metadata()).map(|facts| facts.len());
        let size = size.map_err(|error| sniff::unreadable(path, error)).told()?;
        if size > LARGEST {
            return Err(NodeError::input(format!("{name}: {size} bytes, the most is {LARGEST}"))
                .hint("cut the recording into several"));
        }
        let bytes = fs::read(path).map_err(|error| sniff::unreadable(path, error)).told()?;
        let mut take = arkit::read(&name, &bytes, &self.reading)?;
        take.notes().into_iter().for_each(|(fact, value)| ctx.host.note(fact, value));
        if let Some(warning) = take.warning(&name) {
            ctx.host.warn(&warning);
        }
        take.check_gaps(&name, self.longest_gap)?;
        if self.mirror {
            take.mirror();
        }
        if self.neutral > 0.0 {
            take.rest(self.neutral);
        }
        Ok(take)
    }
}

impl ValueBody for Decode {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let mapping = Mapping::of(ctx.models.pack()?);
        if mapping.is_empty() {
            return Err(NodeError::input(format!(
                "the pack's expression ({}, …) has no names that face units go to",
                mapping.unmapped.iter().take(3).cloned().collect::<Vec<_>>().join(", ")
            ))
            .hint("use a pack whose expression has names of docs/arkit.md"));
        }
        if !mapping.unmapped.is_empty() {
            ctx.host.note("unmapped", json!(mapping.unmapped));
        }
        let take = self.take(inputs, ctx)?;
        let total = take.len_at(self.rate);
        let mut frames = take.at(self.rate, self.nearest);
        let mut done = 0;
        while done < total {
            ctx.check_cancelled()?;
            let (mut expressions, mut rotations) = (vec![], vec![]);
            for (units, rotation) in frames.by_ref().take(self.rate.chunk_frames()) {
                expressions.extend(mapping.coefficients(&units, self.gain));
                rotations.push([0, 1, 2].map(|axis| self.turns[axis] * rotation[axis]));
            }
            let n = rotations.len();
            done += n;
            let expression = Tensor::f32([n, expressions.len() / n.max(1)], expressions)?;
            let zeros = || Tensor::f32([n, 3], vec![0.0; 3 * n]);
            let poses = rotations.iter().flat_map(|&[pitch, yaw, roll]| [pitch, yaw, roll, 0.0, 0.0, 0.0]);
            let pose = Tensor::f32([n, 6], poses.collect())?;
            let motion = Tensors::new()
                .with("expression", expression.clone())
                .with("rotation", Tensor::f32([n, 3], rotations.concat())?)
                .with("rest", zeros()?)
                .with("place", zeros()?)
                .with("shot", Tensor::i64([n], vec![0; n])?);
            out.chunk("motion", Value::Tensors(motion))?;
            out.chunk("expression", Value::Tensors(Tensors::new().with("expression", expression)))?;
            out.chunk("pose", Value::Tensors(Tensors::new().with("pose", pose)))?;
            ctx.host.progress(done as u64, Some(total as u64));
        }
        Ok(())
    }
}
