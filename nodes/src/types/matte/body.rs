use image::{ImageBuffer, Luma, imageops};

use crate::{
    artifact::Value,
    body::{Context, Emit, Inputs, ValueBody},
    error::{NodeError, Result},
    pictures,
    tensor::{Tensor, Tensors},
};

/// Side of the network's input and output.
const SIDE: usize = 256;

pub(super) struct Mask;

impl ValueBody for Mask {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let small = pictures::scaled(inputs.image("image")?, SIDE, SIDE);
        let pixels = small.as_raw().iter().map(|&byte| f32::from(byte) / 255.0).collect();
        let offered = Tensors::new().with("image", Tensor::f32([1, SIDE, SIDE, 3], pixels)?);
        let outputs = ctx.models.run("person_mask", &offered)?;
        let mask = outputs.get("mask")?.as_f32()?.to_vec();
        let found = mask.len();
        let mask: ImageBuffer<Luma<f32>, _> = ImageBuffer::from_raw(SIDE as u32, SIDE as u32, mask)
            .ok_or_else(|| {
                NodeError::model(format!("person mask: expected 256x256 numbers, found {found}"))
            })?;
        let side = ctx.models.pack()?.resolution();
        let mask = imageops::resize(&mask, side as u32, side as u32, imageops::FilterType::Triangle);
        let mask = mask.into_raw().into_iter().map(|value| value.clamp(0.0, 1.0)).collect();
        out.value("mask", Value::Tensors(Tensors::new().with("mask", Tensor::f32([1, 1, side, side], mask)?)))
    }
}
