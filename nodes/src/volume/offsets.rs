//! Displacements by sample, for packs whose role `render` takes `offsets` in place of lattices.

use super::{Rays, bend};
use crate::{
    error::Result,
    geometry::deformation::Bend,
    models::Models,
    onnx::Signature,
    runtime::Values,
    tensor::{Tensor, Tensors},
};

/// The input of the role `render` that takes them.
const NAME: &str = "offsets";

/// Whether the pack's role `render` takes displacements by sample. Reads the file's head only.
pub fn by_sample(models: &Models) -> Result<bool> {
    let model = models.pack()?.model("render")?;
    Ok(Signature::read(&model.path)?.input(NAME).is_some())
}

/// The tensors of a frame whose samples along `rays` are moved by `offsets`, x, y and z one after the other.
pub fn offsets(models: &Models, rays: &Rays, offsets: Vec<f32>) -> Result<Values> {
    let [count, samples] = rays.shape();
    let tensors = bend(&Bend::default())?.with(NAME, Tensor::f32([1, count, samples, 3], offsets)?);
    models.values(&tensors)
}

/// Adds to `offered` that no sample along `rays` is moved, where nothing else was said and the role `render` asks.
pub(super) fn rest(models: &Models, rays: &Rays, offered: &mut Values) -> Result<()> {
    let asked = models.session("render")?.signature().input(NAME).is_some();
    if asked && !offered.has(NAME) {
        let [count, samples] = rays.shape();
        let none = Tensor::f32([1, count, samples, 3], vec![0.0; 3 * count * samples])?;
        offered.extend(models.values(&Tensors::new().with(NAME, none))?);
    }
    Ok(())
}
