//! Rendered features, with the mouth painted in, to finished frames.

mod body;
mod contract;
mod inside;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::{
    body::{Body, NodeType},
    contract::Contract,
    error::Result,
    models::Models,
    params::Params,
};

/// The node type `upsample`.
pub(crate) struct Upsample(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Upsample {
    Upsample(contract::contract())
}

impl NodeType for Upsample {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn roles(&self, params: &Params, models: &Models) -> Result<Vec<String>> {
        contract::roles(params, models)
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        talkgraph_operators::facts()
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Map(Arc::new(body::Finish::new(params)?)))
    }
}
