use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, SequenceRate, Time},
    error::Result,
    models::Models,
    params::Params,
    types::{levels::Levels, scaling::Scaling},
};

pub(super) fn contract() -> Contract {
    let contract = Contract::new("lipaint", 5, Time::Map, Pool::Model, "renders the inside of the mouth, and moving lids, and where they are seen")
        .doc(
            "Bent rays cannot show teeth and tongue that the reference picture hides. LipaintNet (NeRFFaceSpeech, Kim et al. 2024) moves \
             the person's latent code w by the expression (role `lipaint`); the volume of the moved code is rendered \
             from the same camera without ray deformation. `mask` says where the mouth is in that rendering: **1 inside the \
             mouth**, 0 outside, so `upsample` takes these features where the mask is 1.\n\n\
             `mask: parse` (published) finishes the picture, parses it and takes the pack's mouth classes (lips and what is \
             between them); `levels` and `scaling` say what of the picture it sees. `mask: contour` fills the lip contour that the morphable model projects for the frame's \
             coefficients, grown by `grow` pixels: much cheaper, and exact where generator and model agree. Only the rays around the lips, \
             wherever an expression may take them, are rendered then: `corner` says where in the picture the features lie.\n\n\
             With `mask: contour` and `eyes`, eyes whose lids are not where the reference has them are painted too (not published: there \
             nobody blinks): rays that are bent for a blink cannot show the skin of a lid that hides its folds in the photo. What is left open \
             of an eye stays the photo's. Nothing changes while the lids rest.\n\n\
             With `mask: contour` and `fine`, `features` hold `fine` [n,C,2h,2w] besides: the same window at twice the pitch. Where the mask is, and three \
             rays around, it is rendered with four rays for one; elsewhere `features` are enlarged.",
        )
        .input("identity", ArtifactType::Identity, Arity::Value, "the person")
        .input("reference", ArtifactType::Coefficients, Arity::Value, "coefficients that the person's w shows")
        .input("expression", ArtifactType::Expression, Arity::Chunk, "the expression of every frame")
        .optional("pose", ArtifactType::Pose, Arity::Chunk, "the head's pose in every frame")
        .optional("camera", ArtifactType::Pose, Arity::Value, "the head's pose in all frames, where `pose` is not connected")
        .sequence("features", ArtifactType::Features, SequenceRate::Inherited, "features before the up-sampler, and alpha")
        .unstored()
        .sequence("mask", ArtifactType::Mask, SequenceRate::Inherited, "1 where painted, 0 elsewhere")
        .param(
            "mask",
            ParamKind::Choice { options: vec!["parse".into(), "contour".into()] },
            ParamValue::Text("contour".into()),
            "how the mouth is found (published: parse)",
        )
        .param(
            "grow",
            ParamKind::Float { min: -64.0, max: 64.0 },
            ParamValue::Float(1.0),
            "pixels of a finished frame by which `mask: contour` grows",
        )
        .param(
            "sampling",
            ParamKind::Choice { options: vec!["camera".into(), "rest".into()] },
            ParamValue::Text("camera".into()),
            "where along its rays a camera samples, as that of `nerf_render`; `fine` is not painted with `rest`",
        )
        .param("eyes", ParamKind::Bool, ParamValue::Bool(true), "also paint eyes while their lids move (`mask: contour`)")
        .param(
            "fine",
            ParamKind::Bool,
            ParamValue::Bool(true),
            "also paint with four rays for one (`mask: contour`), for frames that are larger than the generator's",
        );
    Scaling::param(Levels::param(contract), "bicubically, which aliases (published); `mask: parse`")
}

pub(super) fn roles(params: &Params, models: &Models) -> Result<Vec<String>> {
    let mut roles = vec!["lipaint", "prepare", "camera", "depths", "render", "pack.coefficients"];
    match params.text("mask")? {
        "contour" => {
            roles.extend(["morphable_model", "pack.resolution"]);
            let pack = models.pack()?;
            roles.extend(pack.has("lipaint_state").then_some("lipaint_state"));
            roles.extend(pack.stated(&["pack.expression_range"]));
            roles.extend(pack.stated(if params.bool("eyes")? { &["pack.landmarks"] } else { &[] }));
        }
        _ => roles.extend(["upsample", "parse", "pack.parsing"]),
    }
    Ok(roles.into_iter().map(String::from).collect())
}
