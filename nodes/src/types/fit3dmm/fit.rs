//! One fit, of a portrait or of a frame.

use image::{
    RgbImage,
    imageops::{self, FilterType},
};

use super::contract;
use crate::{
    body::Context,
    error::{NodeError, Result},
    models::Models,
    optimise::{self, Options, Outcome, Phase},
    pack::Quality,
    params::Params,
    tensor::{Tensor, Tensors},
};

/// Side in pixels of the picture that the phases see.
const SIDE: u32 = 224;

/// The loaded optimisation.
pub(super) struct Fit {
    phases: Vec<Phase>,
    seed: u64,
}

impl Fit {
    /// Loads the pack's phases. `warm`: for fits that start from the frame before.
    pub(super) fn load(params: &Params, models: &Models, warm: bool) -> Result<Self> {
        let phases = models.pack()?.phases("fit3dmm")?;
        let load = |(number, phase)| {
            let overrides = contract::overrides(params, number, phases.len(), warm)?;
            Ok(Phase { kept: true, ..Phase::new(phase, Quality::default(), overrides) })
        };
        let phases = phases.iter().enumerate().map(load).collect::<Result<_>>()?;
        Ok(Self { phases, seed: params.count("seed")? as u64 })
    }

    /// Fits one picture: `landmarks` [M,2] in [0,1], `coefficients` K numbers to start from. Gives the outcome, whose set
    /// holds the fitted `coefficients`.
    pub(super) fn run(
        &self,
        image: &RgbImage,
        landmarks: &[f32],
        coefficients: &[f32],
        long: bool,
        ctx: &Context<'_>,
    ) -> Result<Outcome> {
        let mut offered = Tensors::new()
            .with("landmarks", Tensor::f32([1, landmarks.len() / 2, 2], landmarks.to_vec())?)
            .with("coefficients", Tensor::f32([1, coefficients.len()], coefficients.to_vec())?);
        if self.wants_image(ctx)? {
            let small = imageops::resize(image, SIDE, SIDE, FilterType::Triangle);
            let planes = (0..3).flat_map(|channel| small.as_raw().iter().skip(channel).step_by(3));
            let planes = planes.map(|&x| f32::from(x) / 255.0).collect();
            offered.0.insert("image".into(), Tensor::f32([1, 3, SIDE as usize, SIDE as usize], planes)?);
        }
        let outcome =
            optimise::run(&self.phases, &offered, Options { seed: self.seed, long }, ctx.models, ctx)?;
        let fitted = outcome.tensors.get("coefficients")?;
        if fitted.shape() != [1, coefficients.len()] || fitted.as_f32()?.iter().any(|x| !x.is_finite()) {
            return Err(NodeError::model(format!(
                "optimisation `fit3dmm`: expected {} finite coefficients, found shape {:?}",
                coefficients.len(),
                fitted.shape()
            )));
        }
        Ok(outcome)
    }

    fn wants_image(&self, ctx: &Context<'_>) -> Result<bool> {
        for phase in &self.phases {
            if phase.takes("image", ctx.models.runtime()?)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Mean distance in pixels of a finished frame between `landmarks` and those that the model projects.
pub(super) fn landmark_error(models: &Models, coefficients: &Tensor, landmarks: &[f32]) -> Result<f64> {
    let outputs =
        models.run("morphable_model", &Tensors::new().with("coefficients", coefficients.clone()))?;
    let projected = outputs.get("landmarks")?.as_f32()?;
    if projected.len() != landmarks.len() || landmarks.is_empty() {
        return Err(NodeError::input(format!(
            "port `landmarks`: {} landmarks, expected {} as the pack's morphable model has",
            landmarks.len() / 2,
            projected.len() / 2
        )));
    }
    let side = models.pack()?.resolution() as f64;
    let distance = |(a, b): (&[f32], &[f32])| f64::from(a[0] - b[0]).hypot(f64::from(a[1] - b[1]));
    let sum: f64 = projected.chunks_exact(2).zip(landmarks.chunks_exact(2)).map(distance).sum();
    Ok(sum / (landmarks.len() / 2) as f64 * side)
}

/// Rows of landmarks, f32 [n,M,2].
pub(super) fn landmark_rows(tensors: &Tensors) -> Result<std::slice::ChunksExact<'_, f32>> {
    let tensor = tensors.get("landmarks").map_err(|error| error.at_port("landmarks"))?;
    match *tensor.shape() {
        [_, count, 2] if count > 0 => Ok(tensor.as_f32()?.chunks_exact(2 * count)),
        ref other => {
            Err(NodeError::input(format!("port `landmarks`: expected shape [n,M,2], found {other:?}")))
        }
    }
}
