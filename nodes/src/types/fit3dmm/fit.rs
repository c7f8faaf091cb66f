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
