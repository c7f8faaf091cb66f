//! Tensors of all frames, cut into a sequence.

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

/// The node type `sequence`.
pub(crate) struct Sequence(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Sequence {
    Sequence(contract::contract(ArtifactType::Tensors, contract::DEFAULT_RATE))
}

impl NodeType for Sequence {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        Ok(contract::contract(contract::of(use_.params)?, use_.params.rate("fps")?))
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        let (name, frames) = (contract::of(params)?.name(), params.rate("fps")?.chunk_frames());
        Ok(Body::Value(Box::new(body::Cut { name, frames })))
    }
}
