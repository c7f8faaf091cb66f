//! A person at rest, as a picture.

#[cfg(test)]
mod tests;

use crate::{
    artifact::{ArtifactType, Value},
    body::{Body, Context, Emit, Inputs, NodeType, ValueBody},
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Time},
    error::Result,
    models::Models,
    params::Params,
    pictures,
    tensor::{Tensor, Tensors},
    volume,
};

const DOC: &str = "\
The resting head of an identity, seen from before or turned: what the generator shows of a person who was tuned to a photo. The published system (NeRFFaceSpeech, Kim \
et al. 2024) fits the morphable model to such a picture, and finds the torso in it, rather than in the photo.";

/// The node type `portrait`.
pub(crate) struct Portrait(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> Portrait {
    let contract = Contract::new("portrait", 1, Time::Value, Pool::Model, "renders a person at rest")
        .doc(DOC)
        .input("identity", ArtifactType::Identity, Arity::Value, "the person")
        .output("image", ArtifactType::Image, "the head seen by the camera at `pose`")
        .output("pose", ArtifactType::Pose, "`pose` [1,6] of `image`");
    Portrait(turned(contract))
}

/// `contract` with the parameters of a rotation.
pub(crate) fn turned(contract: Contract) -> Contract {
    let angle = |limit: f64| ParamKind::Float { min: -limit, max: limit };
    contract
        .param("pitch", angle(45.0), ParamValue::Float(0.0), "degrees; positive nods down")
        .param("yaw", angle(60.0), ParamValue::Float(0.0), "degrees; positive turns to the image's right")
        .param("roll", angle(45.0), ParamValue::Float(0.0), "degrees; positive leans to the image's left")
}

/// The pose that those parameters say.
pub(crate) fn pose(params: &Params) -> Result<[f32; 6]> {
    let radians = |name: &str| -> Result<_> { Ok(params.float(name)?.to_radians() as f32) };
    Ok([radians("pitch")?, radians("yaw")?, radians("roll")?, 0.0, 0.0, 0.0])
}

/// Gives the `image` of `identity` at rest and its `pose`.
pub(crate) fn show(identity: &Tensors, pose: [f32; 6], ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
    let models = ctx.models;
    let state = volume::prepare(models, identity)?;
    ctx.check_cancelled()?;
    let image = volume::upsample(models, &state, volume::portrait(models, &state, pose)?)?;
    out.value("image", Value::Image(pictures::from_planes(&image)?))?;
    out.value("pose", Value::Tensors(Tensors::new().with("pose", Tensor::f32([1, 6], pose.to_vec())?)))
}

impl NodeType for Portrait {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn roles(&self, _: &Params, _: &Models) -> Result<Vec<String>> {
        Ok(["prepare", "camera", "depths", "render", "upsample"].map(Into::into).into())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        talkgraph_operators::facts()
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Value(Box::new(Show(pose(params)?))))
    }
}

struct Show([f32; 6]);

impl ValueBody for Show {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        show(inputs.tensors("identity")?, self.0, ctx, out)
    }
}
