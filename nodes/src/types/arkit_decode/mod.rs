//! Face units from a capture app as a pack's expression.

mod body;
mod contract;
#[cfg(test)]
mod tests;

use crate::{
    body::{Body, NodeType, NodeUse},
    contract::{Contract, Rate},
    error::Result,
    models::Models,
    params::Params,
};

/// The node type `arkit_decode`.
pub(crate) struct ArkitDecode(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> ArkitDecode {
    ArkitDecode(contract::contract(Rate::new(25, 1)))
}

impl NodeType for ArkitDecode {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        Ok(contract::contract(use_.params.rate("fps")?))
    }

    fn roles(&self, _: &Params, _: &Models) -> Result<Vec<String>> {
        Ok(["pack.expression", "pack.regions", "pack.expression_bounds"].map(String::from).to_vec())
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Value(Box::new(body::Decode::new(params)?)))
    }
}
