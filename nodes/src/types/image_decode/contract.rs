use image::Rgb;

use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Time},
    error::Result,
    params::Params,
};

/// Largest picture that is decoded, in pixels: above any camera, below what a decompression bomb needs.
pub(super) const MAX_PIXELS: u64 = 150_000_000;

pub(super) fn contract() -> Contract {
    Contract::new("image_decode", 1, Time::Value, Pool::Cpu, "decodes a picture file")
        .doc(
            "PNG, JPEG, WebP, BMP and TIFF to 8-bit RGB. The EXIF orientation is applied, 16-bit channels are \
             rounded to 8, transparency is laid over `under`. Colour profiles are not applied: the values are taken \
             as sRGB. Pictures above 150 megapixels are refused. Of a file with several pictures (MPO, motion photos) the first is \
             taken. A JPEG that lacks nothing but its end marker is taken, with the note `end_marker`.",
        )
        .input("file", ArtifactType::File, Arity::Value, "the picture file")
        .output("image", ArtifactType::Image, "the upright picture")
        .param(
            "under",
            ParamKind::Choice { options: vec!["grey".into(), "white".into(), "black".into()] },
            ParamValue::Text("grey".into()),
            "what transparent pixels are laid over",
        )
        .decodes(ArtifactType::Image)
}

pub(super) fn under(params: &Params) -> Result<Rgb<u8>> {
    Ok(match params.text("under")? {
        "white" => Rgb([255; 3]),
        "black" => Rgb([0; 3]),
        _ => Rgb([128; 3]),
    })
}
