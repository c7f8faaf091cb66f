//! A picture file as an 8-bit RGB image.

mod body;
mod contract;
#[cfg(test)]
mod tests;

pub(crate) use self::body::decode;
use crate::{
    body::{Body, NodeType},
    contract::Contract,
    error::Result,
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

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Value(Box::new(body::Decode { under: contract::under(params)? })))
    }
}
