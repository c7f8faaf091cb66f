//! Where in a picture the person is.

mod body;
#[cfg(test)]
mod tests;

use crate::{
    artifact::ArtifactType,
    body::{Body, NodeType},
    contract::{Arity, Contract, Pool, Time},
    error::Result,
    models::Models,
    params::Params,
};

/// The node type `matte`.
pub(crate) struct Matte(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Matte {
    Matte(
        Contract::new("matte", 1, Time::Value, Pool::Model, "separates the person from the background")
            .doc(
                "The pack's person mask (ours: MediaPipe selfie segmentation) over the whole picture, at the size of the \
                 generator's frames. Made for the crop that `align` gives.",
            )
            .input("image", ArtifactType::Image, Arity::Value, "an image of one person")
            .output("mask", ArtifactType::Mask, "`mask` [1,1,P,P]: 1 on the person, 0 on the background"),
    )
}

impl NodeType for Matte {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn roles(&self, _: &Params, _: &Models) -> Result<Vec<String>> {
        Ok(vec!["person_mask".into(), "pack.resolution".into()])
    }

    fn body(&self, _: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Value(Box::new(body::Mask)))
    }
}
