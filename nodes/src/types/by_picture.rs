//! For node types whose network looks at one picture: at an image, or at each frame of a sequence.

use std::{slice, sync::Arc};

use image::RgbImage;

use super::one_of::one_of;
use crate::{
    artifact::{ArtifactType, Value},
    body::{Body, Context, Emit, Inputs, MapBody, NodeType, NodeUse, Outputs, ValueBody},
    contract::{Arity, Contract, SequenceRate, Text, Time},
    error::Result,
    models::Models,
    params::Params,
    pictures,
    tensor::{Tensor, Tensors},
};

/// The ports of which one is connected.
const PICTURES: [&str; 2] = ["image", "frames"];

/// What a node type says of pictures: tensors with a row for each.
pub(crate) type Look = fn(&[RgbImage], &Params, &Context<'_>) -> Result<Tensors>;

/// A node type that looks at an image, or at frames along time.
pub(crate) struct ByPicture {
    contract: Contract,
    roles: [&'static str; 2],
    look: Look,
}

impl ByPicture {
    /// `contract` has one output, a value, and no inputs yet; `roles` are the network's, and what the pack says of it.
    pub(crate) fn new(contract: Contract, roles: [&'static str; 2], look: Look) -> Self {
        let [image, frames] = PICTURES;
        let contract = contract
            .optional(image, ArtifactType::Image, Arity::Value, "an aligned image; this or `frames`")
            .optional(frames, ArtifactType::Frames, Arity::Chunk, "aligned frames; this or `image`");
        Self { contract, roles, look }
    }
}

impl NodeType for ByPicture {
    fn contract(&self) -> &Contract {
        &self.contract
    }

    fn resolve(&self, use_: &NodeUse<'_>) -> Result<Contract> {
        let mut contract = one_of(&self.contract, use_, PICTURES)?;
        if contract.find_input("frames").is_some() {
            contract.time = Time::Map;
            contract.outputs[0].sequence = Some(SequenceRate::Inherited);
        }
        Ok(contract)
    }

    fn roles(&self, _: &Params, _: &Models) -> Result<Vec<String>> {
        Ok(self.roles.map(String::from).to_vec())
    }

    fn body(&self, params: &Params, contract: &Contract) -> Result<Body> {
        let output = contract.outputs[0].name.clone();
        let body = Looking { output, look: self.look, params: params.clone() };
        Ok(match contract.time {
            Time::Map => Body::Map(Arc::new(body)),
            _ => Body::Value(Box::new(body)),
        })
    }
}

struct Looking {
    output: Text,
    look: Look,
    params: Params,
}

impl ValueBody for Looking {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let seen = (self.look)(slice::from_ref(inputs.image("image")?), &self.params, ctx)?;
        out.value(&self.output, Value::Tensors(seen))
    }
}

impl MapBody for Looking {
    fn chunk(&self, inputs: &Inputs, ctx: &Context<'_>) -> Result<Outputs> {
        let frames = pictures::frames(inputs.tensors("frames")?)?;
        Ok([(self.output.to_string(), Value::Tensors((self.look)(&frames, &self.params, ctx)?))].into())
    }
}

/// What the network of `role` gives for each of `pictures`; `planes` makes the `image` [1,3,S,S] of one. One picture at a time: a published
/// export may fix the batch at one, and batches gain nothing on a CPU.
pub(crate) fn each<'a>(
    pictures: &'a [RgbImage],
    ctx: &'a Context<'_>,
    role: &'a str,
    planes: impl Fn(&RgbImage) -> Result<Tensor> + 'a,
) -> impl Iterator<Item = Result<Tensors>> + 'a {
    pictures.iter().map(move |picture| {
        ctx.check_cancelled()?;
        ctx.models.run(role, &Tensors::new().with("image", planes(picture)?))
    })
}
