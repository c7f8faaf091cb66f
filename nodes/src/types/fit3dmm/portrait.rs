use serde_json::json;

use super::{fit::Fit, landmarks};
use crate::{
    artifact::Value,
    body::{Context, Emit, Inputs, ValueBody},
    error::{NodeError, Result},
    params::Params,
    tensor::Tensors,
    types::align::crop::square,
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
        let pack = ctx.models.pack()?;
        let mut found = landmarks::rows(inputs.tensors("landmarks")?, pack)?;
        let mut rows =
            volume::rows(inputs.tensors("coefficients")?, "coefficients", pack.coefficients().size)?;
        let picture = inputs.image("image")?;
        if inputs.has("crop") {
            let square = square(inputs.json("crop")?)?;
            found.iter_mut().for_each(|row| landmarks::uncrop(row, square, picture.dimensions()));
        }
        let ([found], Some(row), 0) = (&*found, rows.next(), rows.len()) else {
            return Err(NodeError::input("ports `landmarks` and `coefficients`: expected one row each"));
        };
        let fit = Fit::load(&self.0, ctx.models, false)?;
        let outcome = fit.run(picture, found, row, true, ctx)?;
        let coefficients = outcome.tensors.get("coefficients")?.clone();
        let error = landmarks::error(ctx.models, &coefficients, found)?;
        ctx.host.note("landmark_error_px", json!(error));
        ctx.host.note("losses", json!(outcome.curves.last()));
        out.value("coefficients", Value::Tensors(Tensors::new().with("coefficients", coefficients)))?;
        out.value("curve", Value::Tensors(outcome.curves.tensors()?))
    }
}
