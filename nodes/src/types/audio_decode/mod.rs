//! An audio file as 16 kHz mono samples, and its track as it is.

mod body;
mod contract;
mod downmix;
#[cfg(test)]
mod tests;
mod track;
mod wav;

pub(super) use track::TrackWriter;

use crate::{
    body::{Body, NodeType},
    contract::Contract,
    error::Result,
    media::{self, FFMPEG},
    params::Params,
};

/// The node type `audio_decode`.
pub(crate) struct AudioDecode(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> AudioDecode {
    AudioDecode(contract::contract())
}

impl NodeType for AudioDecode {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        media::facts(&FFMPEG)
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Value(Box::new(body::Decode { stream: params.count("stream")? })))
    }
}
