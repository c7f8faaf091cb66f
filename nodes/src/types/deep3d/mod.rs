//! A morphable model's coefficients from pictures.

mod body;
#[cfg(test)]
mod tests;

use crate::{
    artifact::ArtifactType,
    body::{Body, NodeType, NodeUse},
    contract::{Arity, Contract, Pool, SequenceRate, Time},
    error::Result,
    models::Models,
    params::Params,
    types::one_of::which,
};

const DOC: &str = "\
The pack's face reconstruction (published: Deng et al. 2019, arXiv:1903.08527) on aligned pictures, scaled to 224 pixels. With `image` it gives one row \
of coefficients, with `frames` one a frame. Their layout is that of the pack.";

/// The node type `deep3d`.
pub(crate) struct Deep3d(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Deep3d {
    let contract = base(Time::Value)
        .optional("image", ArtifactType::Image, Arity::Value, "an aligned image; this or `frames`")
        .optional("frames", ArtifactType::Frames, Arity::Chunk, "aligned frames; this or `image`");
    Deep3d(contract.output("coefficients", ArtifactType::Coefficients, "one row an image"))
}

fn base(time: Time) -> Contract {
    Contract::new("deep3d", 1, time, Pool::Model, "estimates shape, expression and pose of a face").doc(DOC)
}

impl NodeType for Deep3d {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        let ty = ArtifactType::Coefficients;
        Ok(match which(use_, ["image", "frames"])? {
            "frames" => base(Time::Map)
                .input("frames", ArtifactType::Frames, Arity::Chunk, "aligned frames")
                .sequence("coefficients", ty, SequenceRate::Inherited, "one row a frame"),
            _ => base(Time::Value)
                .input("image", ArtifactType::Image, Arity::Value, "an aligned image")
                .output("coefficients", ty, "one row"),
        })
    }

    fn roles(&self, _: &Params, _: &Models) -> Result<Vec<String>> {
        Ok(vec!["deep3d".into(), "pack.coefficients".into()])
    }

    fn body(&self, _: &Params, contract: &Contract) -> Result<Body> {
        Ok(match contract.time {
            Time::Map => Body::Map(std::sync::Arc::new(body::Estimate)),
            _ => Body::Value(Box::new(body::Estimate)),
        })
    }
}
