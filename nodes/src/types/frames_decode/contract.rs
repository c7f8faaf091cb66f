use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Rate, SequenceRate, Time},
};

/// Endings of the pictures that are taken from a folder.
pub(super) const PICTURES: [&str; 13] =
    ["png", "jpg", "jpeg", "webp", "heic", "heif", "hif", "avif", "jxl", "gif", "bmp", "tif", "tiff"];

pub(super) fn contract(rate: Rate) -> Contract {
    Contract::new("frames_decode", 3, Time::Value, Pool::Io, "decodes a video or a folder of images")
        .doc(
            "A folder's pictures are taken in natural order of their names (2 before 10), one a frame, all of one \
             size; other files do not count, and colours are brought to sRGB as `image_decode` does. A video is brought to `fps` by taking, for each frame, the picture nearest in \
             time; it is turned upright, pixels are made square, colours are converted as tagged. Where it changes its size, \
             later frames are scaled to the first one's (a warning and the note `sizes` say so). Cover art is no video. Pictures \
             are decoded as they are needed, a second at a time.",
        )
        .input("file", ArtifactType::File, Arity::Value, "the video file, or the folder of images")
        .sequence("frames", ArtifactType::Frames, SequenceRate::Fixed(rate), "`frames` u8 [n,H,W,3]")
        .unstored()
        .param(
            "fps",
            ParamKind::Rate,
            ParamValue::Int(25),
            "frames a second that come out",
        )
        .param(
            "max_side",
            ParamKind::Int { min: 0, max: 16_384 },
            ParamValue::Int(1280),
            "images whose longer side is over this, in pixels, are scaled down to it; 0: never",
        )
        .folder(&PICTURES)
        .decodes(ArtifactType::Frames)
}
