//! A picture, a frame or a contact sheet as a picture file.

mod body;
mod contract;
#[cfg(test)]
mod tests;

use crate::{
    body::{Body, NodeType, NodeUse},
    contract::Contract,
    error::Result,
    params::Params,
    types::one_of::one_of,
};

/// The node type `write_image`.
pub(crate) struct WriteImage(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> WriteImage {
    WriteImage(contract::contract())
}

impl NodeType for WriteImage {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        one_of(&self.0, use_, ["image", "frames"])
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Value(Box::new(body::Write::new(params)?)))
    }
}
