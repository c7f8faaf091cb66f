//! Mel windows of speech, one a video frame.

mod body;
mod contract;
mod filters;
mod spectrum;
#[cfg(test)]
mod tests;

use crate::{
    body::{Body, NodeType, NodeUse},
    contract::{Contract, Rate},
    error::Result,
    params::Params,
};

/// The node type `mel`.
pub(crate) struct Mel(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Mel {
    Mel(contract::contract(Rate::new(25, 1)))
}

impl NodeType for Mel {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        Ok(contract::contract(use_.params.rate("fps")?))
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Value(Box::new(body::Windows {
            rate: params.rate("fps")?,
            columns: params.count("columns")?,
            gate: params.float("gate")?,
        })))
    }
}
