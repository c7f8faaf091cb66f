use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Rate, SequenceRate, Time},
    error::{NodeError, Result},
    params::Params,
};

pub(super) const DEFAULT_RATE: Rate = Rate::new(25, 1);

/// What can be made; each names its one tensor as its type is called.
const TYPES: [ArtifactType; 5] = [
    ArtifactType::Expression,
    ArtifactType::Pose,
    ArtifactType::Ratio,
    ArtifactType::Coefficients,
    ArtifactType::Mask,
];

/// The contract for a sequence of `ty` at `rate`.
pub(super) fn contract(ty: ArtifactType, rate: Rate) -> Contract {
    Contract::new("sequence", 1, Time::Value, Pool::Cpu, "makes a sequence of tensors that hold all frames")
        .doc(
            "Cuts a tensor along its first axis into the chunks of a sequence, so that curves made elsewhere drive a \
             face: an `expression` [n,E] or a `pose` [n,6] from a safetensors file (a graph input of type `tensors`), \
             for example. The tensor is the one called as the type that `of` says; others are left alone.",
        )
        .input("tensors", ArtifactType::Tensors, Arity::Value, "a tensor f32 [n,…] called as `of` says")
        .sequence("sequence", ty, SequenceRate::Fixed(rate), "the same numbers, a frame a row")
        .required_param(
            "of",
            ParamKind::Choice { options: TYPES.iter().map(|ty| ty.name().into()).collect() },
            "the type of the sequence",
        )
        .param("fps", ParamKind::Rate, ParamValue::Int(25), "frames a second")
}

/// The type that the parameter `of` names.
pub(super) fn of(params: &Params) -> Result<ArtifactType> {
    let name = params.text("of")?;
    TYPES.into_iter().find(|ty| ty.name() == name).ok_or_else(|| {
        let known = TYPES.map(ArtifactType::name).join(", ");
        NodeError::input(format!("parameter `of`: expected one of {known}, found `{name}`"))
    })
}
