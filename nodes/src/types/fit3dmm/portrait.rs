use serde_json::json;

use super::fit::{self, Fit};
use crate::{
    artifact::Value,
    body::{Context, Emit, Inputs, ValueBody},
    error::{NodeError, Result},
    params::Params,
    tensor::Tensors,
    volume,
};

/// Fits one portrait.
pub(super) struct FitPortrait(Params);

impl FitPortrait {
    pub(super) fn new(params: &Params) -> Self {
        Self(params.clone())
    }
}

impl ValueBody for FitPortrait {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let size = ctx.models.pack()?.coefficients().size;
        let mut landmarks = fit::landmark_rows(inputs.tensors("landmarks")?)?;
        let mut rows = volume::rows(inputs.tensors("coefficients")?, "coefficients", size)?;
        let (Some(landmarks), Some(row), 0, 0) = (landmarks.next(), rows.next(), landmarks.len(), rows.len())
        else {
            return Err(NodeError::input("ports `landmarks` and `coefficients`: expected one row each"));
        };
        let fit = Fit::load(&self.0, ctx.models, false)?;
        let outcome = fit.run(inputs.image("image")?, landmarks, row, true, ctx)?;
        let coefficients = outcome.tensors.get("coefficients")?.clone();
        let error = fit::landmark_error(ctx.models, &coefficients, landmarks)?;
        ctx.host.note("landmark_error_px", json!(error));
        ctx.host.note("losses", json!(outcome.curves.last()));
        out.value("coefficients", Value::Tensors(Tensors::new().with("coefficients", coefficients)))?;
        out.value("curve", Value::Tensors(outcome.curves.tensors()?))
    }
}
