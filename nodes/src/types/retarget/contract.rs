use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, SequenceRate, Text, Time},
    pack::Region,
};

/// `relative` and `absolute`, the first being the default.
fn choice(options: [&'static str; 2]) -> (ParamKind, ParamValue) {
    let default = ParamValue::Text(options[0].into());
    (ParamKind::Choice { options: options.map(Text::from).to_vec() }, default)
}

pub(super) fn contract() -> Contract {
    let gain = || ParamKind::Float { min: 0.0, max: 4.0 };
    let (relative, by_default) = choice(["relative", "absolute"]);
    let (absolute, absolutely) = choice(["absolute", "relative"]);
    let contract =
        Contract::new("retarget", 1, Time::Map, Pool::Model, "puts the motion of a driving clip onto a person")
            .doc(
                "The person's coefficients for every driving frame. The expression is what the driver's face does beside its own neutral one, times the \
                 gain of its region, added to the person's expression at rest (`relative`), or in its place (`absolute`); \
                 it stays within the pack's bounds, or half of them beyond the person's rest where that lies at their edge, and lids that the driver shuts shut the person's, however far those are open at rest. Identity and texture are always the person's, so that nothing of the driver's looks comes over. The \
                 rotation is the driver's (`absolute`), or the person's at rest turned by how the driver turned from the neutral \
                 (`relative`). `place` and `nearness` let the head move in the picture as the driver's does; both are off by default, since a photo's \
                 shoulders stay where they are, and never go beyond `farthest`.",
            )
            .input("motion", ArtifactType::Motion, Arity::Chunk, "what the driver does, as `track` reads it")
            .input(
                "reference",
                ArtifactType::Coefficients,
                Arity::Value,
                "coefficients of the person at rest, one frame",
            )
            .sequence(
                "coefficients",
                ArtifactType::Coefficients,
                SequenceRate::Inherited,
                "the person's coefficients, for `fuse`",
            )
            .sequence("expression", ArtifactType::Expression, SequenceRate::Inherited, "their expression")
            .sequence("pose", ArtifactType::Pose, SequenceRate::Inherited, "their pose")
            .param("expression", relative, by_default, "added to the person's expression at rest, or in its place");
    let regions = Region::ALL.into_iter().map(|(_, name)| name);
    let docs = [
        "gain of jaw and lips",
        "gain of the lids",
        "gain of the brows",
        "gain of the direction of the eyes",
    ];
    let contract = regions
        .zip(docs)
        .fold(contract, |contract, (name, doc)| contract.param(name, gain(), ParamValue::Float(1.0), doc));
    contract
        .param("rotation", absolute, absolutely, "the driver's rotation, or the turn from the driver's neutral")
        .param("head", gain(), ParamValue::Float(1.0), "gain of the rotation")
        .param(
            "place",
            gain(),
            ParamValue::Float(0.0),
            "gain of the head's motion in the picture, in half sides of the crop",
        )
        .param(
            "nearness",
            gain(),
            ParamValue::Float(0.0),
            "gain of the head's motion to the camera",
        )
        .param(
            "farthest",
            ParamKind::Float { min: 0.0, max: 1.0 },
            ParamValue::Float(0.25),
            "how far `place` takes the head at most, in half sides of the crop, and `nearness` in shares of its size",
        )
}
