//! Volume rendering with a pack's roles: state, rays, features, picture. What `sample`, `pti`, `nerf_render`, `lipaint` and `upsample` share.

mod bend;
mod camera;
mod correspondence;
mod frames;
mod inputs;
mod offsets;
mod outline;
mod pinhole;
mod rays;
#[cfg(test)]
pub(crate) mod testing;

pub use self::{
    bend::tensors as bend,
    camera::Camera,
    correspondence::Photo,
    frames::{Frames, halves},
    inputs::{extremes, poses, reference, rows},
    offsets::{by_sample, offsets},
    outline::{FINER, Outline, Scene},
    pinhole::Pinhole,
    rays::{Bundle, Rays, Window},
};
use crate::{
    error::{NodeError, Result},
    geometry::{deformation::Bend, solid::Solid},
    models::Models,
    runtime::Values,
    tensor::{Tensor, Tensors},
};

/// The tensors that render a person, in ONNX Runtime's memory: those of `identity` and what the role `prepare` makes of them; and an
/// occupancy that leaves no cell out.
pub fn prepare(models: &Models, identity: &Tensors) -> Result<Values> {
    let mut state = identity.clone();
    state.0.extend(models.run("prepare", identity)?.0);
    state.0.insert("occupancy".into(), Tensor::f32([1, 1, 1, 1, 1], vec![1.0])?);
    models.values(&state)
}

/// Finds the cells of `state` that are empty, where the pack has the role `occupancy`. Worth it for a volume that is rendered often.
pub fn survey(models: &Models, state: &mut Values) -> Result<()> {
    if models.pack()?.has("occupancy") {
        let found = models.run_values("occupancy", state)?;
        state.extend(found);
    }
    Ok(())
}

/// Where the surveyed `state` holds anything; `None`: anywhere, for all that the pack says.
pub fn solid(state: &Values) -> Result<Option<Solid>> {
    match state.has("occupancy_box") {
        true => Ok(Some(Solid::new(&state.tensor("occupancy")?, &state.tensor("occupancy_box")?)?)),
        false => Ok(None),
    }
}

/// A face at rest, for [`Rays::render`].
pub fn rest(models: &Models) -> Result<Values> {
    models.values(&bend(&Bend::default())?)
}

/// The pose of a head that is looked at from before.
pub const FRONT: [f32; 6] = [0.0; 6];

/// The features [1,C,R,R] of `state` at rest, seen from `pose`.
pub fn portrait(models: &Models, state: &Values, pose: [f32; 6]) -> Result<Tensor> {
    let rays = Rays::cast(models, state, pose)?;
    let mut frames = Frames::blank(1, rays.side(), Window::whole(rays.side()));
    rays.render(models, state, &rest(models)?, &mut frames, 0)?;
    frames.features(0)
}

/// The picture f32 [1,3,P,P], nominally in [-1,1], of `features` f32 [1,C,R,R].
pub fn upsample(models: &Models, state: &Values, features: Tensor) -> Result<Tensor> {
    let mut offered = state.clone();
    offered.extend(models.values(&Tensors::new().with("features", features))?);
    models.run_values("upsample", &offered)?.tensor("image")
}

/// Tensors of one frame each, of equal shape [1,…], as one of shape [n,…].
pub fn stack(frames: &[Tensor]) -> Result<Tensor> {
    let Some(first) = frames.first() else {
        return Err(NodeError::input("expected at least one frame"));
    };
    let mut shape = first.shape().to_vec();
    let mut elements = Vec::with_capacity(frames.len() * first.as_f32()?.len());
    for frame in frames {
        if frame.shape() != first.shape() {
            return Err(NodeError::model(format!(
                "frames of shapes {:?} and {:?}",
                first.shape(),
                frame.shape()
            )));
        }
        elements.extend_from_slice(frame.as_f32()?);
    }
    if let Some(count) = shape.first_mut() {
        *count = frames.len();
    }
    Tensor::f32(shape, elements)
}

/// Peak signal-to-noise ratio in dB of a rendered picture, clamped, against `target`, both in [-1,1].
pub fn psnr(rendered: &[f32], target: &[f32]) -> Result<f64> {
    if rendered.len() != target.len() || target.is_empty() {
        return Err(NodeError::model(format!(
            "role `upsample`: an image of {} numbers, expected {}",
            rendered.len(),
            target.len()
        )));
    }
    let square = |(a, b): (&f32, &f32)| f64::from(a.clamp(-1.0, 1.0) - b).powi(2);
    let mean = rendered.iter().zip(target).map(square).sum::<f64>() / target.len() as f64;
    // Pictures span 2; equal ones are capped at what 8 bits can tell.
    Ok(-10.0 * (mean / 4.0).max(1e-9).log10())
}
