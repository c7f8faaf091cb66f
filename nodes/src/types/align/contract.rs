use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, SequenceRate, Time},
};

use super::choice::MAX_FACES;

const DOC: &str = "\
Finds the face, its 468 landmarks and the crop that every other type works in.

Of several faces the largest is taken, and a warning lists all; `face` or `box` chooses another.

With `image`: the crop is that of the FFHQ data set, turned upright: \
centred a tenth of the way from the eyes to the mouth, half a side of the larger of 2 interocular distances and 1.8 distances from eyes to mouth; \
outside the photo it is mirrored. Small faces are searched for in tiles. `crop` holds the transform for pasting back.

With `frames`: one level crop, taken from the first face, holds for all frames, so that the head's own motion stays; with `crop: each` \
every frame has its own, for images that do not belong to one shot. A frame without a face repeats \
the landmarks before it (a face that is lost is looked for again nearest to the crop; after a cut the largest is taken, unless one was chosen) and is counted in \
`frames_without_face`. The landmarks also say which frames show a face, how sharp it is, and where the clip is cut.

Detector: BlazeFace; landmarks: MediaPipe face mesh; lips, lids and irises of driving frames: MediaPipe face mesh with attention and iris model, where the pack has them. Before a clip's first face \
landmarks lie in the middle of the picture, and `found` is 0.";

/// Ports of both forms; a use has one of them.
pub(super) fn general() -> Contract {
    let contract = base(Time::Value)
        .optional("image", ArtifactType::Image, Arity::Value, "a photo; this or `frames`")
        .optional("frames", ArtifactType::Frames, Arity::Chunk, "driving frames; this or `image`");
    sequences(values(contract))
}

/// The form for a photo.
pub(super) fn photo() -> Contract {
    values(base(Time::Value).input("image", ArtifactType::Image, Arity::Value, "a photo"))
}

/// The form for frames.
pub(super) fn frames() -> Contract {
    sequences(base(Time::Scan).input("frames", ArtifactType::Frames, Arity::Chunk, "driving frames"))
}

fn base(time: Time) -> Contract {
    let side =
        |name, default, doc| (name, ParamKind::Int { min: 32, max: 4096 }, ParamValue::Int(default), doc);
    let (name, kind, default, doc) = side("side", 512, "side of the photo's crop in pixels");
    let contract =
        Contract::new("align", 4, time, Pool::Model, "finds the face, its landmarks and its crop").doc(DOC);
    let contract = contract.param(name, kind, default, doc);
    let (name, kind, default, doc) = side("frame_side", 256, "side of the frames' crop in pixels");
    contract
        .param(name, kind, default, doc)
        .param(
            "face",
            ParamKind::Int { min: 0, max: MAX_FACES as i64 },
            ParamValue::Int(0),
            "which of several faces, counted from 1 by their size; 0: the largest, with a warning that lists them",
        )
        .param(
            "box",
            ParamKind::Text,
            ParamValue::Text(String::new()),
            "in place of `face`: the one that fills this box best, as `left,top,right,bottom` in pixels",
        )
        .param(
            "crop",
            ParamKind::Choice { options: vec!["first".into(), "each".into()] },
            ParamValue::Text("first".into()),
            "crop of driving frames: the first face's for all, or each frame's own",
        )
}

fn values(contract: Contract) -> Contract {
    contract
        .output("image", ArtifactType::Image, "the crop of the photo")
        .output("landmarks", ArtifactType::Landmarks, "468 landmarks in [0,1] of the crop")
        .output(
            "crop",
            ArtifactType::Crop,
            "the crop in its photo: matrix from crop to photo pixels, box, score",
        )
}

fn sequences(contract: Contract) -> Contract {
    let rate = SequenceRate::Inherited;
    let contract = contract.sequence("frames", ArtifactType::Frames, rate, "the crop of every frame");
    if contract.find_output("landmarks").is_some() {
        return contract;
    }
    contract.sequence(
        "landmarks",
        ArtifactType::Landmarks,
        rate,
        "468 landmarks a frame in [0,1] of the crop",
    )
}
