use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, SequenceRate, Time},
    error::{NodeError, Result},
    params::Params,
};

/// What can be averaged; each names its one tensor as its type is called.
const TYPES: [ArtifactType; 4] =
    [ArtifactType::Mask, ArtifactType::Pose, ArtifactType::Expression, ArtifactType::Coefficients];

/// The contract for sequences of `ty`.
pub(super) fn contract(ty: ArtifactType) -> Contract {
    Contract::new("smooth", 1, Time::Scan, Pool::Cpu, "averages a sequence over its last frames")
        .doc(
            "`mean`: each frame becomes the mean of itself and the `window - 1` frames before it, as the published \
             renderer does with the mouth mask; the first frames have fewer before them. `gaussian`: the same frames, \
             weighted by exp(-d²/2σ²) with σ = window/3, d frames back, which follows fast motion sooner. Only frames \
             of the past are used, so that chunks can be computed as they come. Angles are averaged as numbers: they \
             must stay within ±π.",
        )
        .input("sequence", ty, Arity::Chunk, "what is averaged, of the type that `of` says")
        .sequence("sequence", ty, SequenceRate::Inherited, "the averaged sequence, as long as the input")
        .required_param(
            "of",
            ParamKind::Choice { options: TYPES.iter().map(|ty| ty.name().into()).collect() },
            "the type of the sequence",
        )
        .param(
            "kind",
            ParamKind::Choice { options: vec!["mean".into(), "gaussian".into()] },
            ParamValue::Text("mean".into()),
            "how the frames are weighted",
        )
        .param(
            "window",
            ParamKind::Int { min: 1, max: 125 },
            ParamValue::Int(7),
            "number of frames averaged; 1 leaves everything as it is",
        )
}

/// The type that the parameter `of` names.
pub(super) fn of(params: &Params) -> Result<ArtifactType> {
    let name = params.text("of")?;
    TYPES.into_iter().find(|ty| ty.name() == name).ok_or_else(|| {
        let known = TYPES.map(ArtifactType::name).join(", ");
        NodeError::input(format!("parameter `of`: expected one of {known}, found `{name}`"))
    })
}
