use crate::{
    artifact::ArtifactType,
    contract::{Arity, Contract, ParamKind, ParamValue, Pool, Text, Time},
    error::Result,
    models::Models,
    optimise::Overrides,
    pack::Quality,
    params::Params,
};

pub(super) fn contract() -> Contract {
    let steps = ParamKind::Int { min: 0, max: 1_000_000 };
    let rate = ParamKind::Float { min: 0.0, max: 10.0 };
    Contract::new("pti", 2, Time::Value, Pool::Model, "inverts a portrait into the generator")
        .doc(
            "Pivotal tuning inversion (Roich et al. 2022): first a latent code whose picture comes near the portrait (the \
             pivot), then the generator's weights around it until the picture is the portrait. The pack ships both as phases of step \
             graphs (optimisation `pti`), with losses and views of its own; the first phase is the pivot, the \
             last the tuning. Runs on ONNX Runtime alone. Stopped or killed, it goes on from its last checkpoint and gives \
             the same result.\n\n\
             Notes: `psnr_db` of the inversion, `losses` (last of each curve), `quality`, `steps` by phase, `seconds`.",
        )
        .input("image", ArtifactType::Image, Arity::Value, "the aligned portrait")
        .input("mask", ArtifactType::Mask, Arity::Value, "1 where the person is")
        .input("coefficients", ArtifactType::Coefficients, Arity::Value, "the fitted coefficients of the portrait")
        .output("identity", ArtifactType::Identity, "what renders the person: w, tuned tensors, coefficients")
        .output("coefficients", ArtifactType::Coefficients, "the reference: coefficients that the identity shows at rest")
        .output("curve", ArtifactType::Curve, "losses by step, `phase.loss`")
        .param(
            "quality",
            ParamKind::Choice { options: Quality::NAMES.map(Text::from).to_vec() },
            ParamValue::Text(Quality::NAMES[1].into()),
            "how many steps the pack's phases take: `draft` to look at after seconds, `standard`, or `fine`, however long it takes",
        )
        .param("steps", steps.clone(), ParamValue::Int(0), "steps of the tuning at most; 0: as the pack says for the quality (published: 2000)")
        .param("pivot_steps", steps, ParamValue::Int(0), "steps of the pivot; 0: as the pack says for the quality (published: 1000)")
        .param(
            "threshold",
            rate.clone(),
            ParamValue::Float(0.0),
            "the tuning ends once the loss that it watches is below this; 0: as the pack says (published: 0.06, LPIPS)",
        )
        .param(
            "learning_rate",
            rate.clone(),
            ParamValue::Float(0.0),
            "peak rate of the tuning; 0: as the pack says (published: 0.0003)",
        )
        .param(
            "pivot_learning_rate",
            rate,
            ParamValue::Float(0.0),
            "peak rate of the pivot; 0: as the pack says (published: 0.01)",
        )
        .param("seed", ParamKind::Int { min: 0, max: i64::MAX }, ParamValue::Int(0), "seed of views and noise")
}

/// The roles whose inputs make up an identity.
pub(super) const RENDERING: [&str; 6] =
    ["prepare", "depths", "render", "upsample", "lipaint", "lipaint_state"];

pub(super) fn roles(models: &Models) -> Result<Vec<String>> {
    let pack = models.pack()?;
    let mut roles = pack.optimisation_roles("pti")?;
    roles.extend(["camera", "pack.coefficients", "pack.resolution"].map(String::from));
    roles.extend(RENDERING.iter().filter(|role| pack.has(role)).map(ToString::to_string));
    Ok(roles)
}

/// The numbers that the parameters put in the place of those of phase `number` of `count`.
pub(super) fn overrides(params: &Params, number: usize, count: usize) -> Result<Overrides> {
    let given = |value: f64| (value > 0.0).then_some(value);
    let (steps, rate) = match number {
        last if last + 1 == count => ("steps", "learning_rate"),
        0 => ("pivot_steps", "pivot_learning_rate"),
        _ => return Ok(Overrides::default()),
    };
    Ok(Overrides {
        steps: Some(params.count(steps)?).filter(|&steps| steps > 0),
        learning_rate: given(params.float(rate)?),
        below: given(params.float("threshold")?).filter(|_| number + 1 == count),
    })
}
