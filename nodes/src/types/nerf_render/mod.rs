//! A person's volume rendered frame by frame, the rays bent by the motion of the face.

mod body;
mod contract;
mod motion;
mod person;
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

/// The node type `nerf_render`.
pub(crate) struct NerfRender(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> NerfRender {
    NerfRender(contract::contract())
}

impl NodeType for NerfRender {
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
        Ok(Body::Map(Arc::new(body::Render::new(params)?)))
    }
}
