use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Rate, SequenceRate, Time},
};

/// Endings of the pictures that are taken from a folder.
pub(super) const PICTURES: [&str; 13] =
    ["png", "jpg", "jpeg", "webp", "heic", "heif", "hif", "avif", "jxl", "gif", "bmp", "tif", "tiff"];

pub(super) fn contract(rate: Rate) -> Contract {
    Contract::new("frames_decode", 4, Time::Value, Pool::Io, "decodes a video or images, and keeps the video's audio")
        .doc(
            "The pictures of a folder, or those that a pattern finds (`'shots/*.png'`), are taken in natural order of their names (2 before \
             10), one a frame; other files do not count, and colours are brought to sRGB as `image_decode` does. Pictures of \
             another size than the first are fitted into it without distortion, with grey borders (a warning and the note `sizes` say so). A video is brought to `fps` by taking, for each frame, the picture nearest in \
             time; it is turned upright, pixels are made square, colours are converted as tagged. Where it changes its size, \
             later frames are scaled to the first one's (and likewise say so). Cover art is no video. The last picture stays as long as the file says. \
             `track` is the video's own sound: AAC (LC) and Opus that begin with the first picture are taken over as they are, everything else is \
             kept as FLAC; it is cut or filled up with silence to the length that the video stream says. A folder, and a video without sound or \
             with sound that cannot be read, give an empty track. Pictures \
             are decoded as they are needed, a second at a time.",
        )
        .input("file", ArtifactType::File, Arity::Value, "the video file, the folder of images, or a pattern of their names")
        .sequence("frames", ArtifactType::Frames, SequenceRate::Fixed(rate), "`frames` u8 [n,H,W,3]")
        .unstored()
        .output("track", ArtifactType::Track, "the video's audio, from its first picture on; empty where there is none")
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
