//! For node types that make something for every frame of another sequence: where in time its chunks are.

use crate::{
    body::Inputs,
    error::{NodeError, Result},
    tensor::{Tensor, Tensors},
};

/// The port whose frames are counted.
pub(crate) const PORT: &str = "timeline";
/// Name of the state: how many frames went by.
const FRAMES: &str = "frames";

/// The frames of one chunk, in time from the first frame of the sequence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Timeline {
    start: usize,
    frames: usize,
    /// Seconds that a frame lasts.
    frame: f64,
}

impl Timeline {
    /// The chunk at the port [`PORT`], after the chunks that left `state`.
    pub(crate) fn of(state: Option<&Tensors>, inputs: &Inputs) -> Result<Self> {
        let start = match state {
            Some(state) => state.get(FRAMES)?.as_i64()?.first().copied().unwrap_or(0) as usize,
            None => 0,
        };
        let rate = inputs.rate().ok_or_else(|| NodeError::input(format!("port `{PORT}`: no frame rate")))?;
        let frames = frames(inputs, PORT)?;
        Ok(Self { start, frames, frame: rate.seconds(1) })
    }

    /// Number of frames.
    pub(crate) fn len(self) -> usize {
        self.frames
    }

    /// Begin and end of every frame in seconds.
    pub(crate) fn times(self) -> impl Iterator<Item = (f64, f64)> {
        (self.start..self.start + self.frames)
            .map(move |i| (i as f64 * self.frame, (i + 1) as f64 * self.frame))
    }

    /// The state after this chunk.
    pub(crate) fn state(self) -> Result<Tensors> {
        Ok(Tensors::new().with(FRAMES, Tensor::i64([1], vec![(self.start + self.frames) as i64])?))
    }
}

/// Number of frames of the chunk at `port`: rows of its tensors.
pub(crate) fn frames(inputs: &Inputs, port: &str) -> Result<usize> {
    let tensors = inputs.tensors(port)?;
    // Frames may come with what is around them, once for all.
    if let Some(frames) = tensors.0.get("frames") {
        return Ok(frames.shape().first().copied().unwrap_or(0));
    }
    let mut counts = tensors.0.values().map(|tensor| tensor.shape().first().copied());
    let frames = counts.next().flatten();
    frames.filter(|_| counts.all(|count| count == frames)).ok_or_else(|| {
        let shapes: Vec<_> = tensors.0.iter().map(|(name, t)| format!("{name} {:?}", t.shape())).collect();
        NodeError::input(format!(
            "port `{port}`: expected tensors with as many frames each, found {}",
            shapes.join(", ")
        ))
    })
}
