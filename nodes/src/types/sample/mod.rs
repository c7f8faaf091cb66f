//! A person who does not exist.

mod body;
mod given;
#[cfg(test)]
mod tests;

use super::portrait;
use crate::{
    artifact::ArtifactType,
    body::{Body, NodeType},
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Time},
    error::Result,
    models::Models,
    params::Params,
};

const DOC: &str = "\
Draws z from a standard normal distribution, maps it to w with truncation `psi` (Karras et al. 2019) and renders the head from the front. The numbers are \
ChaCha with 8 rounds, seeded with `seed`, through the ziggurat method: the same on every machine, and part of the pack's meaning of a seed.\n\n\
With `given`, z is the one that is given, and further tensors take the place of what the pack's role `identity` gives under their names: the background's latents, for example.";

/// The node type `sample`.
pub(crate) struct Sample(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Sample {
    Sample(portrait::turned(
        Contract::new("sample", 1, Time::Value, Pool::Model, "draws a head from the generator")
            .doc(DOC)
            .optional(
                "given",
                ArtifactType::Tensors,
                Arity::Value,
                "in place of `seed`: `z` [1,Z], and identity tensors of the pack",
            )
            .output("latent", ArtifactType::Latent, "`z` [1,Z] and `w` [1,L,D]")
            .output("identity", ArtifactType::Identity, "the generator's tensors of this person, untuned")
            .output("image", ArtifactType::Image, "the head seen by the camera at `pose`")
            .output("pose", ArtifactType::Pose, "`pose` [1,6] of `image`")
            .param(
                "seed",
                ParamKind::Int { min: 0, max: i64::MAX },
                ParamValue::Int(1),
                "another number, another person",
            )
            .param(
                "psi",
                ParamKind::Float { min: 0.0, max: 1.5 },
                ParamValue::Float(0.7),
                "truncation: 0 is the average face, 1 the full variety",
            ),
    ))
}

impl NodeType for Sample {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn roles(&self, _: &Params, _: &Models) -> Result<Vec<String>> {
        Ok(["mapping", "identity", "prepare", "camera", "depths", "render", "upsample"]
            .map(Into::into)
            .into())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        talkgraph_operators::facts()
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Value(Box::new(body::Draw {
            seed: params.int("seed")?.unsigned_abs(),
            psi: params.float("psi")? as f32,
            pose: portrait::pose(params)?,
        })))
    }
}
