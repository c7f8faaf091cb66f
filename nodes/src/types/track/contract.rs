use super::gaps::Policy;
use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, SequenceRate, Time},
};

pub(super) fn contract() -> Contract {
    let seconds = |max: f64| ParamKind::Float { min: 0.0, max };
    Contract::new("track", 2, Time::Value, Pool::Model, "reads expression and motion of a face in a clip")
        .doc(
            "What a face does in driving frames, measured against what it looks like when it does nothing. That neutral face is found \
             over the whole shot (the mean of the frames in which the mouth is shut and the eyes are open; where the mouth is never shut, with its lips brought together), so it \
             does not matter how the clip begins. Landmarks, lids and irises without their pose go through the pack's `expression_reader`, a network trained on rendered heads \
             with the face mesh's real errors; where the eyes look follows from the irises in the head's frame. A cut begins a new shot: nothing is smoothed over it, and a shot of 15 frames or more has its own \
             neutral.\n\n\
             Smoothing looks to both sides and therefore delays nothing: at every frame a parabola is fitted to the frames about it (Savitzky and Golay 1964), \
             with Gaussian weights whose standard deviation is given in seconds.\n\n\
             Frames that show no face, a blurred one or implausible landmarks are dealt with as `missing` says; one warning lists them. Notes: `gaps` \
             (first and last frame, counted from 1, and why), `shots`.",
        )
        .input(
            "landmarks",
            ArtifactType::Landmarks,
            Arity::Sequence,
            "landmarks of driving frames, as `align` gives them",
        )
        .sequence("motion", ArtifactType::Motion, SequenceRate::Inherited, "expression and motion of every frame")
        .param(
            "missing",
            ParamKind::Choice { options: Policy::NAMES.map(Into::into).to_vec() },
            ParamValue::Text(Policy::NAMES[0].into()),
            "frames that cannot be read: interpolated, the frame before held, left out (the clip gets shorter), or an error",
        )
        .param(
            "longest_gap",
            seconds(3600.0),
            ParamValue::Float(2.0),
            "gaps of more seconds are an error, unless frames are left out",
        )
        .param(
            "smooth_head",
            seconds(2.0),
            ParamValue::Float(0.06),
            "smoothing of rotation and place, in seconds; 0: none",
        )
        .param(
            "smooth_face",
            seconds(2.0),
            ParamValue::Float(0.03),
            "smoothing of the expression, in seconds; 0: none",
        )
}
