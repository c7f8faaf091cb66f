//! A sequence averaged over its last frames.

mod body;
mod contract;
#[cfg(test)]
mod tests;

use crate::{
    artifact::ArtifactType,
    body::{Body, NodeType, NodeUse},
    contract::Contract,
    error::Result,
    params::Params,
};

/// The node type `smooth`.
pub(crate) struct Smooth(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Smooth {
    Smooth(contract::contract(ArtifactType::Tensors))
}

impl NodeType for Smooth {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        Ok(contract::contract(contract::of(use_.params)?))
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        let of = contract::of(params)?;
        Ok(Body::Scan(Box::new(body::Smooth::new(of.name(), params)?)))
    }
}
