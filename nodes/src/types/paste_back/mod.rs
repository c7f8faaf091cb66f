//! Frames of a crop back in the whole photo.

mod body;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::{
    artifact::ArtifactType,
    body::{Body, NodeType},
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, SequenceRate, Time},
    error::Result,
    params::Params,
};

const DOC: &str = "\
Puts frames of the crop that `align` cut back into the whole photo. What is added to the photo is the difference between a frame and the crop, so that a pixel \
where nothing moves is the photo's own, to the bit, and the resampling between crop and photo blurs only what moves. Towards the rim of the crop the \
difference fades, and outside the crop the pixels are the photo's in every frame.

The frames have the photo's size, scaled down where its longer side is over `max_side`, and even sides as encoders want them: of an odd one the last row or column is left out.";

/// The node type `paste_back`.
pub(crate) struct PasteBack(Contract);

/// The node type, for the registry.
pub(crate) fn node() -> PasteBack {
    PasteBack(
        Contract::new("paste_back", 1, Time::Map, Pool::Cpu, "puts frames back into the whole photo")
            .doc(DOC)
            .input(
                "frames",
                ArtifactType::Frames,
                Arity::Chunk,
                "frames of the crop, best as `detail` gives them",
            )
            .input("photo", ArtifactType::Image, Arity::Value, "the whole photo")
            .input("crop", ArtifactType::Crop, Arity::Value, "where in it the frames' square is")
            .sequence("frames", ArtifactType::Frames, SequenceRate::Inherited, "the whole photo, along time")
            .unstored()
            .param(
                "max_side",
                ParamKind::Int { min: 64, max: 16_384 },
                ParamValue::Int(3840),
                "longest side of a frame in pixels",
            )
            .param(
                "feather",
                ParamKind::Float { min: 0.0, max: 0.5 },
                ParamValue::Float(0.1),
                "part of the crop's side over which the frames fade into the photo",
            ),
    )
}

impl NodeType for PasteBack {
    fn contract(&self) -> &Contract {
        &self.0
    }

    fn body(&self, params: &Params, _: &Contract) -> Result<Body> {
        Ok(Body::Map(Arc::new(body::Paste::new(params)?)))
    }
}
