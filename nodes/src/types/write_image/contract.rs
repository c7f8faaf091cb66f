use image::ImageFormat;

use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Time},
};

/// File formats by their names in graph files.
pub(super) const FORMATS: [(&str, ImageFormat); 5] = [
    ("png", ImageFormat::Png),
    ("jpeg", ImageFormat::Jpeg),
    ("webp", ImageFormat::WebP),
    ("tiff", ImageFormat::Tiff),
    ("bmp", ImageFormat::Bmp),
];

/// Endings of file names, each with its format.
const ENDINGS: [(&str, &str); 7] = [
    ("png", "png"),
    ("jpg", "jpeg"),
    ("jpeg", "jpeg"),
    ("webp", "webp"),
    ("tiff", "tiff"),
    ("tif", "tiff"),
    ("bmp", "bmp"),
];

pub(super) fn contract() -> Contract {
    Contract::new("write_image", 1, Time::Value, Pool::Io, "writes an image file")
        .doc(
            "Writes the picture at `image`, or of the sequence at `frames` one frame (`index`) or a contact sheet: \
             `columns` times `rows` frames, evenly spaced from the first to the last, row by row.",
        )
        .optional("image", ArtifactType::Image, Arity::Value, "an image; or connect `frames`")
        .optional("frames", ArtifactType::Frames, Arity::Sequence, "frames; or connect `image`")
        .output("file", ArtifactType::File, "the image file")
        .named("format", &ENDINGS, None)
        .param(
            "format",
            ParamKind::Choice { options: FORMATS.iter().map(|&(name, _)| name.into()).collect() },
            ParamValue::Text("png".into()),
            "file format; WebP without loss",
        )
        .param(
            "index",
            ParamKind::Int { min: -1_000_000, max: 1_000_000 },
            ParamValue::Int(0),
            "which frame is written; -1 is the last one",
        )
        .param(
            "columns",
            ParamKind::Int { min: 0, max: 100 },
            ParamValue::Int(0),
            "columns of the contact sheet; 0: one frame instead",
        )
        .param(
            "rows",
            ParamKind::Int { min: 1, max: 100 },
            ParamValue::Int(1),
            "rows of the contact sheet",
        )
        .param(
            "width",
            ParamKind::Int { min: 0, max: 16_384 },
            ParamValue::Int(0),
            "width of the image, or of each on a contact sheet, in pixels; 0: as it comes",
        )
        .param(
            "quality",
            ParamKind::Int { min: 1, max: 100 },
            ParamValue::Int(92),
            "quality of a JPEG",
        )
}
