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
    error::{NodeError, Result},
    params::Params,
};

/// The node type `mel`.
pub(crate) struct Mel(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Mel {
    Mel(contract::contract(Rate::new(25, 1)))
}

fn rate(params: &Params) -> Result<Rate> {
    let fps = params.int("fps")?;
    let num = u32::try_from(fps).map_err(|_| NodeError::input(format!("parameter `fps`: found {fps}")))?;
    Ok(Rate::new(num, 1))
}

impl NodeType for Mel {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        Ok(contract::contract(rate(use_.params)?))
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Value(Box::new(body::Windows {
            rate: rate(params)?,
            columns: params.count("columns")?,
            gate: params.float("gate")?,
        })))
    }
}
