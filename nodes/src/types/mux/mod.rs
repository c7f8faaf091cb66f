//! Frames and audio as a video file.

mod audio;
mod body;
mod contract;
mod file;
mod gif;
#[cfg(test)]
mod tests;

use crate::{
    body::{Body, NodeType, NodeUse},
    contract::Contract,
    error::{NodeError, Result},
    media::{self, FFMPEG},
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

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        if use_.connected.contains("audio") && use_.connected.contains("track") {
            return Err(NodeError::input("`audio` and `track` are both connected, expected one of them"));
        }
        Ok(self.0.clone())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        media::facts(&FFMPEG)
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Reduce(Box::new(body::Mux::new(params)?)))
    }
}
