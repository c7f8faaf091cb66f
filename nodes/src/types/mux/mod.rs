//! Frames and audio as a video file.

mod body;
mod contract;
mod file;
mod gif;
#[cfg(test)]
mod tests;

use crate::{
    body::{Body, NodeType},
    contract::Contract,
    error::Result,
    ffmpeg,
    params::Params,
};

/// The node type `mux`.
pub(crate) struct Mux(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Mux {
    Mux(contract::contract())
}

impl NodeType for Mux {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        ffmpeg::facts()
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Reduce(Box::new(body::Mux::new(params)?)))
    }
}
