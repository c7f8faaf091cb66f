use image::RgbImage;

use crate::{
    artifact::Value,
    body::{Context, Emit, Inputs, MapBody, Outputs, ValueBody},
    error::{NodeError, Result},
    pictures,
    tensor::{Tensor, Tensors},
};

/// Side of the network's input, fixed by the published network.
const SIDE: usize = 224;

pub(super) struct Estimate;

impl ValueBody for Estimate {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let picture = std::slice::from_ref(inputs.image("image")?);
        out.value("coefficients", estimate(picture, ctx)?)
    }
}

impl MapBody for Estimate {
    fn chunk(&self, inputs: &Inputs, ctx: &Context<'_>) -> Result<Outputs> {
        let frames = pictures::frames(inputs.tensors("frames")?)?;
        Ok([("coefficients".to_owned(), estimate(&frames, ctx)?)].into())
    }
}

/// One picture at a time: a published export may fix the batch at one, and batches gain nothing on a CPU.
fn estimate(pictures: &[RgbImage], ctx: &Context<'_>) -> Result<Value> {
    let size = ctx.models.pack()?.coefficients().size;
    let mut rows = Vec::with_capacity(pictures.len() * size);
    for picture in pictures {
        ctx.check_cancelled()?;
        let image = pictures::planes(std::slice::from_ref(picture), (SIDE, SIDE), |_, value| value)?;
        let outputs = ctx.models.run("deep3d", &Tensors::new().with("image", image))?;
        let row = outputs.get("coefficients")?.as_f32()?;
        if row.len() != size {
            return Err(NodeError::model(format!(
                "role `deep3d`: expected {size} coefficients, found {}",
                row.len()
            )));
        }
        rows.extend_from_slice(row);
    }
    let rows = Tensor::f32([pictures.len(), size], rows)?;
    Ok(Value::Tensors(Tensors::new().with("coefficients", rows)))
}
