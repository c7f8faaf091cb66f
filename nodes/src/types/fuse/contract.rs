use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, SequenceRate, Text, Time},
    pack::Region,
};

fn choice(options: &[&'static str]) -> ParamKind {
    ParamKind::Choice { options: options.iter().map(|&option| Text::from(option)).collect() }
}

fn text(word: &str) -> ParamValue {
    ParamValue::Text(word.to_owned())
}

pub(super) fn contract() -> Contract {
    let contract = Contract::new("fuse", 2, Time::Scan, Pool::Cpu, "fuses the speech's expression with driving frames")
        .doc(
            "One pose and one expression for every frame of the speech. Frame i of the speech meets frame i of the \
             driving sequence, whatever both were cut into. The expression is (1 − weight)·speech + weight·driving, with a weight of its own for \
             each region that has one; \
             the rotation comes from where `pose` says, the translation from where `translation` says. Driving \
             coefficients are taken as they are: those of `retarget` are the person's own, those of `deep3d` the driver's, as published. With `weight: 1` this is what the \
             published video-driven mode shows, whose first frame, too, has the driver's expression; with `weight: 0` the published mode with given poses.",
        )
        .input("expression", ArtifactType::Expression, Arity::Chunk, "the speech's expressions")
        .input(
            "driving",
            ArtifactType::Coefficients,
            Arity::Sequence,
            "coefficients of the driving frames, smoothed as wanted",
        )
        .input(
            "reference",
            ArtifactType::Coefficients,
            Arity::Value,
            "coefficients of the person, one frame",
        )
        .sequence("pose", ArtifactType::Pose, SequenceRate::Inherited, "`pose` [n,6]")
        .sequence("expression", ArtifactType::Expression, SequenceRate::Inherited, "`expression` [n,E]")
        .param(
            "pose",
            choice(&["driving", "reference"]),
            text("driving"),
            "where the rotation of the head comes from",
        )
        .param(
            "translation",
            choice(&["driving", "reference"]),
            text("reference"),
            "where the place of the head comes from",
        )
        .param(
            "weight",
            ParamKind::Float { min: 0.0, max: 1.0 },
            ParamValue::Float(0.5),
            "share of the driving frames in the expression",
        );
    let regions = [
        "share of the driving frames in jaw and lips; below 0: as `weight` says",
        "share of the driving frames in the lids; below 0: as `weight` says",
        "share of the driving frames in the brows; below 0: as `weight` says",
        "share of the driving frames in the direction of the eyes; below 0: as `weight` says",
    ];
    let contract = Region::ALL.into_iter().zip(regions).fold(contract, |contract, ((_, name), doc)| {
        contract.param(name, ParamKind::Float { min: -1.0, max: 1.0 }, ParamValue::Float(-1.0), doc)
    });
    contract
        .param(
            "end",
            choice(&["hold", "loop", "bounce", "fade"]),
            text("hold"),
            "after the last driving frame: keep it, start again, go back and forth, or go to the reference pose and expression within a second",
        )
        .param(
            "first_frame",
            choice(&["fused", "speech"]),
            text("fused"),
            "expression of the first frame: as all others (published), or the speech's alone",
        )
}
