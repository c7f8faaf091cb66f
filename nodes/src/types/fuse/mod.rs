//! Poses and expressions for every frame, from speech and driving frames.

mod body;
mod contract;
#[cfg(test)]
mod tests;

use crate::{
    body::{Body, NodeType},
    contract::Contract,
    error::Result,
    models::Models,
    params::Params,
};

/// The node type `fuse`.
pub(crate) struct Fuse(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Fuse {
    Fuse(contract::contract())
}

impl NodeType for Fuse {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn roles(&self, _: &Params, _: &Models) -> Result<Vec<String>> {
        Ok(["pack.coefficients", "pack.expression", "pack.regions"].map(String::from).to_vec())
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Scan(Box::new(body::Fuse::new(params)?)))
    }
}
