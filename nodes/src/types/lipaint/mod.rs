//! The inside of the mouth and moving lids, rendered from a latent code that follows the expression.

mod body;
mod contract;
mod fine;
mod mask;
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

/// The node type `lipaint`.
pub(crate) struct Lipaint(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Lipaint {
    Lipaint(contract::contract())
}

impl NodeType for Lipaint {
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
        Ok(Body::Map(Arc::new(body::Paint::new(params)?)))
    }
}
