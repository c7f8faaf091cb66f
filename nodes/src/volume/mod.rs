//! Volume rendering with a pack's roles: state, rays, features, picture. What `sample`, `pti`, `nerf_render`, `lipaint` and `upsample` share.

mod inputs;
#[cfg(test)]
pub(crate) mod testing;

pub use self::inputs::{poses, reference, rows};
use crate::{
    error::{NodeError, Result},
    models::Models,
    tensor::{Tensor, Tensors},
};

/// The tensors that render a person: those of `identity` and what the role `prepare` makes of them.
pub fn prepare(models: &Models, identity: &Tensors) -> Result<Tensors> {
    let mut state = identity.clone();
    state.0.extend(models.run("prepare", identity)?.0);
    Ok(state)
}

/// One camera's rays and the depths at which they are sampled, frozen for a person.
#[derive(Clone, Debug)]
pub struct Rays {
    /// `origins`, `directions` f32 [1,N,3] and `depths` f32 [1,N,S].
    tensors: Tensors,
    /// Sample points, x, y, z.
    points: Vec<f32>,
    /// Shape of the points, [1,N,S,3].
    shape: [usize; 4],
}

impl Rays {
    /// Rays of the camera at `pose` through the volume of `state`.
    pub fn cast(models: &Models, state: &Tensors, pose: [f32; 6]) -> Result<Self> {
        let camera = Tensors::new().with("pose", Tensor::f32([1, 6], pose.to_vec())?);
        let mut tensors = models.run("camera", &camera)?;
        let mut offered = state.clone();
        offered.0.extend(tensors.0.clone());
        let depths = models.run("depths", &offered)?.get("depths")?.clone();
        let &[1, rays, samples] = depths.shape() else {
            return Err(NodeError::model(format!(
                "role `depths`: expected depths [1,N,S], found {:?}",
                depths.shape()
            )));
        };
        let (origins, directions) = (tensors.get("origins")?.as_f32()?, tensors.get("directions")?.as_f32()?);
        if origins.len() != 3 * rays || directions.len() != 3 * rays {
            return Err(NodeError::model(format!(
                "role `camera`: expected {rays} rays, found {}",
                origins.len() / 3
            )));
        }
        let mut points = Vec::with_capacity(3 * rays * samples);
        let depth_rows = depths.as_f32()?.chunks_exact(samples.max(1));
        for ((origin, direction), depths) in
            origins.chunks_exact(3).zip(directions.chunks_exact(3)).zip(depth_rows)
        {
            for depth in depths {
                points.extend((0..3).map(|axis| origin[axis] + depth * direction[axis]));
            }
        }
        tensors.0.insert("depths".into(), depths);
        Ok(Self { tensors, points, shape: [1, rays, samples, 3] })
    }

    /// The sample points as x, y, z.
    pub fn points(&self) -> &[f32] {
        &self.points
    }

    /// Renders `state` where `points` are: as many as [`Self::points`], displaced or not.
    pub fn render(&self, models: &Models, state: &Tensors, points: Vec<f32>) -> Result<Rendered> {
        let mut offered = state.clone();
        offered.0.extend(self.tensors.0.clone());
        offered.0.insert("points".into(), Tensor::f32(self.shape, points)?);
        let mut outputs = models.run("render", &offered)?;
        let mut take = |name: &str| {
            outputs
                .0
                .remove(name)
                .ok_or_else(|| NodeError::model(format!("role `render`: output `{name}` is missing")))
        };
        Ok(Rendered { features: take("features")?, alpha: take("alpha")? })
    }
}

/// A rendered volume.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// f32 [1,C,R,R], the background blended in.
    pub features: Tensor,
    /// f32 [1,1,R,R].
    pub alpha: Tensor,
}

/// The picture f32 [1,3,P,P], nominally in [-1,1], of `features` f32 [1,C,R,R].
pub fn upsample(models: &Models, state: &Tensors, features: Tensor) -> Result<Tensor> {
    let mut outputs = models.run("upsample", &state.clone().with("features", features))?;
    outputs.0.remove("image").ok_or_else(|| NodeError::model("role `upsample`: output `image` is missing"))
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
            "role `upsample`: a picture of {} numbers, expected {}",
            rendered.len(),
            target.len()
        )));
    }
    let square = |(a, b): (&f32, &f32)| f64::from(a.clamp(-1.0, 1.0) - b).powi(2);
    let mean = rendered.iter().zip(target).map(square).sum::<f64>() / target.len() as f64;
    // Pictures span 2; equal ones are capped at what 8 bits can tell.
    Ok(-10.0 * (mean / 4.0).max(1e-9).log10())
}
