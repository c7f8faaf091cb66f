//! A picture file as an 8-bit RGB image.

mod body;
mod contract;
#[cfg(test)]
mod tests;

use crate::{
    body::{Body, NodeType},
    contract::Contract,
    error::Result,
    media::{self, HEIF},
    params::Params,
};

/// The node type `image_decode`.
pub(crate) struct ImageDecode(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> ImageDecode {
    ImageDecode(contract::contract())
}

impl NodeType for ImageDecode {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        media::facts(&[HEIF])
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Value(Box::new(body::Decode { under: contract::under(params)? })))
    }
}
