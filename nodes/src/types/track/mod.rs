//! Tracking: expression and motion of a face in a clip.

mod body;
mod clip;
mod contract;
mod face;
mod filter;
mod gaps;
mod neutral;
#[cfg(test)]
mod tests;

use crate::{
    body::{Body, NodeType},
    contract::Contract,
    error::Result,
    models::Models,
    params::Params,
};

/// The role of the network that reads expressions.
const ROLE: &str = "expression_reader";

/// The node type `track`.
pub(crate) struct Track(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Track {
    Track(contract::contract())
}

impl NodeType for Track {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn roles(&self, _: &Params, _: &Models) -> Result<Vec<String>> {
        Ok(vec![ROLE.into(), "pack.coefficients".into()])
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Value(Box::new(body::Track::new(params)?)))
    }
}
