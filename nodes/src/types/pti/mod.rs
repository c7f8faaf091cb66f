//! Pivotal tuning inversion: a person's identity from one portrait.

mod body;
mod contract;
mod identity;
#[cfg(test)]
mod tests;

use crate::{
    body::{Body, NodeType},
    contract::Contract,
    error::Result,
    models::Models,
    params::Params,
};

/// The node type `pti`.
pub(crate) struct Pti(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Pti {
    Pti(contract::contract())
}

impl NodeType for Pti {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn roles(&self, _: &Params, models: &Models) -> Result<Vec<String>> {
        contract::roles(models)
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        talkgraph_operators::facts()
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Value(Box::new(body::Invert::new(params)?)))
    }
}
