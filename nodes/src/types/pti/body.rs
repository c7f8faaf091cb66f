use std::time::Instant;

use image::imageops::{self, FilterType};
use serde_json::json;

use super::{contract, identity};
use crate::{
    artifact::Value,
    body::{Context, Emit, Inputs, ValueBody},
    error::{NodeError, Result},
    geometry::resample,
    optimise::{self, Options, Phase},
    pack::Quality,
    params::Params,
    tensor::{Tensor, Tensors},
    volume,
};

pub(super) struct Invert {
    params: Params,
    seed: u64,
}

impl Invert {
    pub(super) fn new(params: &Params) -> Result<Self> {
        Ok(Self { params: params.clone(), seed: params.count("seed")? as u64 })
    }
}

impl ValueBody for Invert {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let start = Instant::now();
        let (models, pack) = (ctx.models, ctx.models.pack()?);
        let offered = offered(inputs, ctx)?;
        let phases = pack.phases("pti")?;
        let quality = self.params.text("quality")?;
        let named = Quality::named(quality)?;
        let load = |(number, phase)| {
            Ok(Phase::new(phase, named, contract::overrides(&self.params, number, phases.len())?))
        };
        let phases = phases.iter().enumerate().map(load).collect::<Result<Vec<_>>>()?;
        let outcome = optimise::run(&phases, &offered, Options { seed: self.seed, long: true }, models, ctx)?;

        let identity = identity::of(models, &outcome.tensors)?;
        let coefficients = outcome.tensors.get("coefficients")?;
        let pose = pack.coefficients().pose_of(coefficients.as_f32()?)?;
        let state = volume::prepare(models, &identity)?;
        let image = volume::upsample(models, &state, volume::portrait(models, &state, pose)?)?;
        let psnr = volume::psnr(image.as_f32()?, offered.get("target")?.as_f32()?)?;
        let steps: serde_json::Map<_, _> = phases
            .iter()
            .zip(&outcome.steps)
            .map(|(phase, &steps)| (phase.name.clone(), json!(steps)))
            .collect();
        ctx.host.note("psnr_db", json!(psnr));
        ctx.host.note("losses", json!(outcome.curves.last()));
        ctx.host.note("quality", json!(quality));
        ctx.host.note("steps", json!(steps));
        let copied = outcome.copied_a_step;
        ctx.host.note("copied_bytes_a_step", json!({ "given": copied.given, "taken": copied.taken }));
        ctx.host.note("seconds", json!(start.elapsed().as_secs_f64()));

        let reference = Tensors::new().with("coefficients", coefficients.clone());
        out.value("identity", Value::Tensors(identity))?;
        out.value("coefficients", Value::Tensors(reference))?;
        out.value("curve", Value::Tensors(outcome.curves.tensors()?))
    }
}

/// What the phases may ask for: `target`, `person`, `coefficients` and `pose`.
fn offered(inputs: &Inputs, ctx: &Context<'_>) -> Result<Tensors> {
    let pack = ctx.models.pack()?;
    let (layout, side) = (pack.coefficients(), pack.resolution());
    let picture = imageops::resize(inputs.image("image")?, side as u32, side as u32, FilterType::Triangle);
    let pixels = picture.as_raw();
    let target = (0..3)
        .flat_map(|channel| pixels.iter().skip(channel).step_by(3))
        .map(|&x| f32::from(x) / 127.5 - 1.0);
    let mask = inputs.tensors("mask")?.get("mask").map_err(|error| error.at_port("mask"))?;
    let &[1, 1, height, width] = mask.shape() else {
        return Err(NodeError::input(format!(
            "port `mask`: expected one mask [1,1,H,W], found {:?}",
            mask.shape()
        )));
    };
    let person = resample::resize(mask.as_f32()?, (width, height), (side, side))?;
    let mut rows = volume::rows(inputs.tensors("coefficients")?, "coefficients", layout.size)?;
    let (Some(row), 0) = (rows.next(), rows.len()) else {
        return Err(NodeError::input("port `coefficients`: expected one row"));
    };
    Ok(Tensors::new()
        .with("target", Tensor::f32([1, 3, side, side], target.collect())?)
        .with("person", Tensor::f32([1, 1, side, side], person)?)
        .with("coefficients", Tensor::f32([1, layout.size], row.to_vec())?)
        .with("pose", Tensor::f32([1, 6], layout.pose_of(row)?.to_vec())?))
}
