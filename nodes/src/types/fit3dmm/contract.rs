use crate::{
    artifact::ArtifactType,
    body::NodeUse,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, SequenceRate, Time},
    error::{NodeError, Result},
    models::Models,
    optimise::Overrides,
    params::Params,
};

pub(super) fn contract() -> Contract {
    let steps = ParamKind::Int { min: 0, max: 1_000_000 };
    let rate = ParamKind::Float { min: 0.0, max: 10.0 };
    Contract::new("fit3dmm", 1, Time::Value, Pool::Model, "fits the morphable model to landmarks")
        .doc(
            "Refines predicted coefficients until the model's projected landmarks lie on the found ones (Deep3DFaceRecon's \
             fitting losses, as NeRFFaceSpeech uses them). The pack ships the fit as phases of step graphs (optimisation `fit3dmm`): the \
             first moves the head, the last fits all coefficients. Of the 468 landmarks that `align` finds those are compared that the pack's model has \
             (`landmarks` in pack.yaml).\n\n\
             With `image`, one portrait is fitted. With `frames`, landmarks and coefficients are sequences too: the first frame is \
             fitted like a portrait, each further one starts from the frame before it and takes `frame_steps`. A frame \
             whose landmarks repeat those of the frame before (no face was found) keeps its coefficients.\n\n\
             With `crop`, as `align` gives it, the landmarks are those of a crop of `image`: they are brought into the whole picture, which is fitted then. So a \
             picture that the generator made, and that needs no crop, is fitted as the generator shows it.\n\n\
             Notes: `landmark_error_px`, mean distance in pixels of a finished frame.",
        )
        .optional("image", ArtifactType::Image, Arity::Value, "the aligned portrait")
        .optional("frames", ArtifactType::Frames, Arity::Chunk, "aligned frames, in place of `image`")
        .input("landmarks", ArtifactType::Landmarks, Arity::Value, "found landmarks; a sequence with `frames`")
        .input("coefficients", ArtifactType::Coefficients, Arity::Value, "predicted coefficients; a sequence with `frames`")
        .optional("crop", ArtifactType::Crop, Arity::Value, "the crop that the landmarks are of, where `image` is the whole picture")
        .output("coefficients", ArtifactType::Coefficients, "fitted coefficients; a sequence with `frames`")
        .output("curve", ArtifactType::Curve, "losses by step, `phase.loss`; not with `frames`")
        .param("steps", steps.clone(), ParamValue::Int(0), "steps of the last phase; 0: as the pack says (published: 500)")
        .param(
            "pose_steps",
            steps.clone(),
            ParamValue::Int(0),
            "steps of the first phase, which moves the head; 0: as the pack says (published: 1000)",
        )
        .param("frame_steps", steps, ParamValue::Int(30), "steps of each phase for every frame after the first; 0: as for the first")
        .param("learning_rate", rate, ParamValue::Float(0.0), "peak rate of every phase; 0: as the pack says (published: 0.01)")
        .param("seed", ParamKind::Int { min: 0, max: i64::MAX }, ParamValue::Int(0), "seed of noise, where a phase takes any")
}

/// The contract for a portrait or for frames, by which of both is connected.
pub(super) fn resolve(general: &Contract, use_: &NodeUse<'_>) -> Result<Contract> {
    let mut contract = general.clone();
    let sequence = match (use_.connected.contains("image"), use_.connected.contains("frames")) {
        (true, false) => false,
        (false, true) => true,
        (true, true) => {
            return Err(NodeError::input("ports `image` and `frames`: both are connected")
                .hint("connect one of them"));
        }
        (false, false) => {
            return Err(NodeError::input("port `image` or `frames`: neither is connected")
                .hint("connect `image` for a portrait, `frames` for a video"));
        }
    };
    let cropped = use_.connected.contains("crop");
    if sequence && cropped {
        return Err(NodeError::input("port `crop`: goes with `image`, not with `frames`")
            .hint("landmarks of frames are in [0,1] of the frames"));
    }
    let absent = if sequence { "image" } else { "frames" };
    contract.inputs.retain(|input| input.name != absent && (cropped || input.name != "crop"));
    for input in &mut contract.inputs {
        input.required = true;
        input.arity = if sequence { Arity::Chunk } else { Arity::Value };
    }
    if sequence {
        contract.time = Time::Scan;
        contract.outputs.retain(|output| output.name == "coefficients");
        for output in &mut contract.outputs {
            output.sequence = Some(SequenceRate::Inherited);
        }
    }
    Ok(contract)
}

pub(super) fn roles(models: &Models) -> Result<Vec<String>> {
    let pack = models.pack()?;
    let mut roles = pack.optimisation_roles("fit3dmm")?;
    roles.extend(pack.stated(&["pack.landmarks"]).into_iter().map(String::from));
    roles.extend(["morphable_model", "pack.coefficients", "pack.resolution"].map(String::from));
    Ok(roles)
}

/// The numbers that the parameters put in the place of those of phase `number` of `count`. `warm`: the fit starts
/// from the frame before.
pub(super) fn overrides(params: &Params, number: usize, count: usize, warm: bool) -> Result<Overrides> {
    let name = match number {
        _ if warm && params.count("frame_steps")? > 0 => "frame_steps",
        last if last + 1 == count => "steps",
        0 => "pose_steps",
        _ => return Ok(Overrides::default()),
    };
    let rate = params.float("learning_rate")?;
    Ok(Overrides {
        steps: Some(params.count(name)?).filter(|&steps| steps > 0),
        learning_rate: (rate > 0.0).then_some(rate),
        below: None,
    })
}
