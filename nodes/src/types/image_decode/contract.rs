use talkgraph_media::Under;

use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Time},
    error::Result,
    params::Params,
};

pub(super) fn contract() -> Contract {
    Contract::new("image_decode", 2, Time::Value, Pool::Cpu, "decodes an image file")
        .doc(
            "PNG, JPEG, WebP, HEIC, AVIF, JPEG XL, GIF (its first frame), BMP and TIFF to 8-bit sRGB. The orientation \
             is applied, colours are brought to sRGB by the file's ICC profile (those of CMYK pictures are not), 16-bit channels are \
             rounded to 8, transparency is laid over `under`. Pictures above 150 megapixels are refused. Of a file with several pictures (MPO, motion photos) the first is \
             taken. A JPEG that lacks nothing but its end marker is taken, with the note `end_marker`.",
        )
        .input("file", ArtifactType::File, Arity::Value, "the image file")
        .output("image", ArtifactType::Image, "the upright image")
        .param(
            "under",
            ParamKind::Choice { options: vec!["grey".into(), "white".into(), "black".into()] },
            ParamValue::Text("grey".into()),
            "what transparent pixels are laid over",
        )
        .decodes(ArtifactType::Image)
}

pub(super) fn under(params: &Params) -> Result<Under> {
    Ok(match params.text("under")? {
        "white" => [255; 3],
        "black" => [0; 3],
        _ => [128; 3],
    })
}
