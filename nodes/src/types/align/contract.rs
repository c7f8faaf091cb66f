use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, SequenceRate, Time},
};

const DOC: &str = "\
Finds the face, its 468 landmarks and the crop that every other type works in.

With `image`: the largest face is taken (a warning says so when there are several); the crop is that of the FFHQ data set, turned upright: \
centred a tenth of the way from the eyes to the mouth, half a side of the larger of 2 interocular distances and 1.8 distances from eyes to mouth; \
outside the photo it is mirrored. Small faces are searched for in tiles. `crop` holds the transform for pasting back.

With `frames`: one level crop, taken from the first face, holds for all frames, so that the head's own motion stays. A frame without a face repeats \
the landmarks before it and is counted in `frames_without_face`.

Detector: BlazeFace; landmarks: MediaPipe face mesh.";

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
        Contract::new("align", 1, time, Pool::Model, "finds the face, its landmarks and its crop").doc(DOC);
    let contract = contract.param(name, kind, default, doc);
    let (name, kind, default, doc) = side("frame_side", 256, "side of the frames' crop in pixels");
    contract.param(name, kind, default, doc)
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
