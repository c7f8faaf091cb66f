//! The fit of the morphable model to landmarks: one portrait, or frame by frame.

mod contract;
mod fit;
mod frames;
mod landmarks;
mod portrait;
#[cfg(test)]
mod tests;

use crate::{
    body::{Body, NodeType, NodeUse},
    contract::{Contract, Time},
    error::Result,
    models::Models,
    params::Params,
};

/// The node type `fit3dmm`.
pub(crate) struct Fit3dmm(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Fit3dmm {
    Fit3dmm(contract::contract())
}

impl NodeType for Fit3dmm {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        contract::resolve(&self.0, use_)
    }

    fn roles(&self, _: &Params, models: &Models) -> Result<Vec<String>> {
        contract::roles(models)
    }

    fn body(&self, params: &Params, contract: &Contract) -> Result<Body> {
        Ok(match contract.time {
            Time::Scan => Body::Scan(Box::new(frames::FitFrames::new(params))),
            _ => Body::Value(Box::new(portrait::FitPortrait::new(params))),
        })
    }
}
