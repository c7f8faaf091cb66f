//! A video, or a folder of pictures, as frames.

mod body;
mod contract;
mod folder;
mod sound;
#[cfg(test)]
mod tests;

use crate::{
    body::{Body, NodeType, NodeUse},
    contract::{Contract, Rate},
    error::{NodeError, Result},
    media::{self, FFMPEG, HEIF},
    params::Params,
};

/// The node type `frames_decode`.
pub(crate) struct FramesDecode(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> FramesDecode {
    FramesDecode(contract::contract(Rate::new(25, 1)))
}

fn whole(params: &Params, name: &str) -> Result<u32> {
    let value = params.int(name)?;
    u32::try_from(value).map_err(|_| NodeError::input(format!("parameter `{name}`: found {value}")))
}

impl NodeType for FramesDecode {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        Ok(contract::contract(use_.params.rate("fps")?))
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        media::facts(&[FFMPEG[0], FFMPEG[1], HEIF])
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Value(Box::new(body::Decode {
            rate: params.rate("fps")?,
            max_side: whole(params, "max_side")?,
        })))
    }
}
