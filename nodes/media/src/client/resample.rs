//! Audio from one sampling rate to another.

use super::{Object, Session, audio::floats, channel::Place};
use crate::{
    error::Result,
    protocol::{Reply, Request},
};

/// Samples that are gathered before they go over: a round trip costs as much as some thousands of them.
const BATCH: usize = 1 << 16;

/// Resamples blocks as they come; the output is aligned with the input.
pub struct Resampler(
    /// `None` where the rates are equal.
    Option<Open>,
);

struct Open {
    object: Object,
    waiting: Vec<f32>,
}

impl Resampler {
    /// A resampler between two rates in Hz, of interleaved channels. `name` is the file that the samples come from.
    pub fn new(session: &Session, name: &str, from: u32, to: u32, channels: u16) -> Result<Self> {
        if from == to {
            return Ok(Self(None));
        }
        let none: [std::fs::File; 0] = [];
        let (object, reply) = Object::open(session, Place::decoding(name.to_owned()), &none, |id| {
            Request::OpenResampler { id, from, to, channels }
        })?;
        match reply {
            Reply::Done => Ok(Self(Some(Open { object, waiting: vec![] }))),
            _ => Err(object.nonsense()),
        }
    }

    /// Takes a block and appends what is ready to `out`.
    pub fn push(&mut self, block: &[f32], out: &mut Vec<f32>) -> Result<()> {
        let Some(open) = &mut self.0 else {
            out.extend_from_slice(block);
            return Ok(());
        };
        open.waiting.extend_from_slice(block);
        if open.waiting.len() >= BATCH { open.give(false, out) } else { Ok(()) }
    }

    /// Appends the rest, so that the whole lasts as long as the input did.
    pub fn finish(self, out: &mut Vec<f32>) -> Result<()> {
        self.0.map_or(Ok(()), |mut open| open.give(true, out))
    }
}

impl Open {
    fn give(&mut self, last: bool, out: &mut Vec<f32>) -> Result<()> {
        let request = Request::Resample { id: self.object.id, last };
        let (reply, bulk) = self.object.call(&request, bytemuck::cast_slice(&self.waiting))?;
        self.waiting.clear();
        match reply {
            Reply::Samples if bulk.len().is_multiple_of(size_of::<f32>()) => {
                out.extend(floats(&bulk));
                Ok(())
            }
            _ => Err(self.object.nonsense()),
        }
    }
}
