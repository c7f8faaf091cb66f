//! Artifacts: the immutable typed values that flow along edges, and the blobs that they are stored as.

use std::{fmt, path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};
use talkgraph_cache::Digest;

use crate::tensor::Tensors;

/// How an artifact is written as a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// 8-bit RGB PNG.
    Png,
    /// 32-bit float mono WAV.
    Wav,
    /// Named tensors.
    Safetensors,
    /// UTF-8 JSON, keys in order of insertion.
    Json,
    /// A file as it is (a video, the user's input).
    Raw,
}

macro_rules! artifact_types {
    ($($variant:ident $name:literal $encoding:ident $doc:literal;)*) => {
        /// The type of a port. Two ports connect when their types are equal or the input takes `tensors` or `any`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ArtifactType { $(#[doc = $doc] $variant,)* }

        impl ArtifactType {
            /// Every type, in documentation order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name used in graph files.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// One line of documentation.
            pub fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }

            /// How it is stored.
            pub fn encoding(self) -> Encoding {
                match self { $(Self::$variant => Encoding::$encoding,)* }
            }
        }
    };
}

artifact_types! {
    File "file" Raw "a file or folder as the user gave it";
    Image "image" Png "one RGB image";
    Audio "audio" Wav "mono float samples in [-1,1] at 16 kHz";
    Track "track" Raw "an audio track as it was given: FLAC, or the file's own AAC or Opus";
    Video "video" Raw "a finished video file";
    Frames "frames" Safetensors "frames along time: `frames` u8 [n,H,W,3]; of a part of larger ones, with its first row and column in `corner` i64 [2], and what is around it in `canvas` u8 [H,W,3]";
    Mel "mel" Safetensors "mel windows: `mel` f32 [n,80,W] in [-4,4]";
    Landmarks "landmarks" Safetensors "`landmarks` f32 [n,M,2] in [0,1] of the crop, x right, y down; of driving frames also how much nearer than the middle of the face in sides of the crop `near` f32 [n,M], lids and irises `eyes` f32 [n,2,21,2], whether a face was `found` u8 [n], the number of the `shot` i64 [n] and `sharpness` f32 [n]";
    Coefficients "coefficients" Safetensors "3DMM: `coefficients` f32 [n,K], laid out as the pack says";
    Expression "expression" Safetensors "`expression` f32 [n,E]";
    Motion "motion" Safetensors "what a face does in a clip: `expression` f32 [n,E] beside its neutral one; `rotation` f32 [n,3] (pitch, yaw, roll, radians) and the neutral's, `rest` f32 [n,3]; `place` f32 [n,3] beside the neutral's: right and up in half sides of the crop, and the logarithm of how much larger; the number of the `shot` i64 [n]";
    Ratio "ratio" Safetensors "`ratio` f32 [n,1] in [0,1]: how far the eyes are shut";
    Pose "pose" Safetensors "`pose` f32 [n,6]: rotation (pitch, yaw, roll, radians), translation";
    Latent "latent" Safetensors "`z` f32 [1,Z] and `w` f32 [1,L,D]";
    Identity "identity" Safetensors "a person: `w`, the reference `coefficients` and the generator's identity tensors";
    Features "features" Safetensors "rendered volume: `features` f32 [n,C,R,R], `alpha` f32 [n,1,R,R]; of a part of the image [n,C,h,w], with its first row and column in `corner` i64 [2]; the same at twice the pitch, where there is such, in `fine` f32 [n,C,2h,2w]";
    Correspondence "correspondence" Safetensors "where in the photo's crop a frame's rays come from: `flow` f32 [n,2,R,R], right and down from their own pixel in pixels of R, `visible` f32 [n,1,R,R] in [0,1], alpha in four times that pitch `edge` u8 [n,1,4R,4R]; no tensors where that is not known";
    Mask "mask" Safetensors "`mask` f32 [n,1,H,W] in [0,1]";
    Parsing "parsing" Safetensors "face parsing: `classes` u8 [n,H,W]";
    Curve "curve" Safetensors "losses by step: one f32 [steps] a loss";
    Crop "crop" Json "the aligned square in its photo: transform, box, score";
    Json "json" Json "any JSON value";
    Tensors "tensors" Safetensors "any named tensors; takes every tensor type";
    Any "any" Raw "takes every type";
}

impl ArtifactType {
    /// Endings of the names that a file with an artifact of this type may have, in lower case and without the dot; none:
    /// any name.
    pub fn endings(self) -> &'static [&'static str] {
        match (self, self.encoding()) {
            (Self::Video, _) => &["mp4"],
            (_, Encoding::Png) => &["png"],
            (_, Encoding::Wav) => &["wav"],
            (_, Encoding::Safetensors) => &["safetensors"],
            (_, Encoding::Json) => &["json"],
            (_, Encoding::Raw) => &[],
        }
    }

    /// Whether a port of this type can be fed from `from`.
    pub fn accepts(self, from: Self) -> bool {
        self == from
            || self == Self::Any
            || (self == Self::Tensors && from.encoding() == Encoding::Safetensors)
            || (self == Self::Json && from.encoding() == Encoding::Json)
    }
}

impl fmt::Display for ArtifactType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Mono sound.
#[derive(Clone, Debug, PartialEq)]
pub struct Audio {
    /// Samples a second.
    pub rate: u32,
    /// Samples, nominally in [-1,1].
    pub samples: Vec<f32>,
}

/// A file on disk: a user's input, or a finished file that waits to be taken into the store.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRef {
    /// Where it is.
    pub path: PathBuf,
    /// Its content digest, where it is known already.
    pub digest: Option<Digest>,
}

/// An artifact in memory.
#[derive(Clone, Debug)]
pub enum Value {
    /// For [`Encoding::Png`].
    Image(image::RgbImage),
    /// For [`Encoding::Wav`].
    Audio(Audio),
    /// For [`Encoding::Safetensors`].
    Tensors(Tensors),
    /// For [`Encoding::Json`].
    Json(serde_json::Value),
    /// For [`Encoding::Raw`].
    File(FileRef),
}

/// A shared, immutable artifact.
pub type Artifact = Arc<Value>;
