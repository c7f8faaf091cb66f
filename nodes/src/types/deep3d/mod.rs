//! A morphable model's coefficients from pictures.

#[cfg(test)]
mod tests;

use std::slice;

use image::{
    RgbImage,
    imageops::{FilterType, resize},
};

use super::{
    by_picture::{self, ByPicture},
    scaling::Scaling,
};
use crate::{
    artifact::ArtifactType,
    body::Context,
    contract::{Contract, Pool, Time},
    error::{NodeError, Result},
    params::Params,
    pictures::planes,
    tensor::{Tensor, Tensors},
};

/// Side of the network's input, fixed by the published network.
const SIDE: usize = 224;

const DOC: &str = "\
The pack's face reconstruction (published: Deng et al. 2019, arXiv:1903.08527) on aligned pictures, scaled to 224 pixels. With `image` it gives one row \
of coefficients, with `frames` one a frame. Their layout is that of the pack.";

/// The node type `deep3d`, for the registry.
pub(crate) fn node() -> ByPicture {
    let summary = "estimates shape, expression and pose of a face";
    let contract = Contract::new("deep3d", 1, Time::Value, Pool::Model, summary).doc(DOC).output(
        "coefficients",
        ArtifactType::Coefficients,
        "one row an image",
    );
    let contract = Scaling::param(contract, "by cubics as wide as a new pixel (published)");
    ByPicture::new(contract, ["deep3d", "pack.coefficients"], estimate)
}

fn estimate(pictures: &[RgbImage], params: &Params, ctx: &Context<'_>) -> Result<Tensors> {
    let size = ctx.models.pack()?.coefficients().size;
    let mut rows = Vec::with_capacity(pictures.len() * size);
    let scaling = Scaling::of(params)?;
    let image = |picture: &RgbImage| match scaling {
        Scaling::Smooth => planes(slice::from_ref(picture), (SIDE, SIDE), |_, value| value),
        Scaling::Bicubic => {
            let small = resize(picture, SIDE as u32, SIDE as u32, FilterType::CatmullRom);
            planes(&[small], (SIDE, SIDE), |_, value| value)
        }
    };
    for outputs in by_picture::each(pictures, ctx, "deep3d", image) {
        let outputs = outputs?;
        let row = outputs.get("coefficients")?.as_f32()?;
        if row.len() != size {
            return Err(NodeError::model(format!(
                "role `deep3d`: expected {size} coefficients, found {}",
                row.len()
            )));
        }
        rows.extend_from_slice(row);
    }
    Ok(Tensors::new().with("coefficients", Tensor::f32([pictures.len(), size], rows)?))
}
