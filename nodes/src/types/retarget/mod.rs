//! Retargeting: the motion of a driving clip on another person.

mod body;
mod contract;
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

/// The node type `retarget`.
pub(crate) struct Retarget(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Retarget {
    Retarget(contract::contract())
}

impl NodeType for Retarget {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn roles(&self, params: &Params, _: &Models) -> Result<Vec<String>> {
        let settings = ["pack.coefficients", "pack.expression", "pack.regions", "pack.expression_bounds"];
        let mut roles: Vec<String> = settings.map(String::from).to_vec();
        if params.float("place")? > 0.0 || params.float("nearness")? > 0.0 {
            roles.push("camera".into());
        }
        Ok(roles)
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Map(Arc::new(body::Retarget::new(params)?)))
    }
}
