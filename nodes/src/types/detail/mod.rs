//! The photo's own detail, at the photo's own size.

mod body;
mod compose;
mod contract;
mod layers;
mod maps;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::{
    body::{Body, NodeType, NodeUse},
    contract::Contract,
    error::Result,
    models::Models,
    params::Params,
};

/// The node type `detail`.
pub(crate) struct Detail(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Detail {
    Detail(contract::general())
}

impl NodeType for Detail {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        contract::resolved(|port| use_.connected.contains(port))
    }

    fn roles(&self, params: &Params, models: &Models) -> Result<Vec<String>> {
        contract::roles(params, models)
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        talkgraph_operators::facts()
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Map(Arc::new(body::Sharpen::new(params)?)))
    }
}
