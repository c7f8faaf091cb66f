use super::mask;
use crate::{
    artifact::Value,
    body::{Context, Inputs, MapBody, Outputs},
    error::{NodeError, Result},
    params::Params,
    tensor::{Tensor, Tensors},
    volume::{self, Rays},
};

pub(super) struct Paint {
    /// Grow the model's contour by so many pixels; `None`: parse the rendering.
    contour: Option<f32>,
}

impl Paint {
    pub(super) fn new(params: &Params) -> Result<Self> {
        let contour = match params.text("mask")? {
            "contour" => Some(params.float("grow")? as f32),
            _ => None,
        };
        Ok(Self { contour })
    }
}

impl MapBody for Paint {
    fn chunk(&self, inputs: &Inputs, ctx: &Context<'_>) -> Result<Outputs> {
        let models = ctx.models;
        let layout = models.pack()?.coefficients();
        let identity = inputs.tensors("identity")?;
        let reference = volume::reference(inputs, layout)?;
        let expression = inputs.tensors("expression")?;
        let frames = volume::rows(expression, "expression", layout.expressions())?.len();
        let poses = volume::poses(inputs, layout, reference, frames)?;
        let codes = codes(models, identity, layout.expression_of(reference)?, expression.get("expression")?)?;
        let (mut features, mut alphas, mut masks) = (vec![], vec![], vec![]);
        for (frame, (code, pose)) in codes.into_iter().zip(poses).enumerate() {
            ctx.check_cancelled()?;
            let mut person = identity.clone();
            person.0.insert("w".into(), code);
            let state = volume::prepare(models, &person)?;
            let rays = Rays::cast(models, &state, pose)?;
            let rendered = rays.render(models, &state, rays.points().to_vec())?;
            masks.push(match self.contour {
                None => mask::parsed(models, volume::upsample(models, &state, rendered.features.clone())?)?,
                Some(grow) => {
                    let mut row = reference.to_vec();
                    layout.set_pose(&mut row, &pose)?;
                    let spoken = volume::rows(expression, "expression", layout.expressions())?.nth(frame);
                    layout.set_expression(&mut row, spoken.unwrap_or_default())?;
                    mask::contour(models, row, grow)?
                }
            });
            features.push(rendered.features);
            alphas.push(rendered.alpha);
        }
        let rendered =
            Tensors::new().with("features", volume::stack(&features)?).with("alpha", volume::stack(&alphas)?);
        let mask = Tensors::new().with("mask", volume::stack(&masks)?);
        Ok(Outputs::from([
            ("features".to_owned(), Value::Tensors(rendered)),
            ("mask".to_owned(), Value::Tensors(mask)),
        ]))
    }
}

/// The code w [1,L,D] of every frame.
fn codes(
    models: &crate::models::Models,
    identity: &Tensors,
    reference: &[f32],
    expression: &Tensor,
) -> Result<Vec<Tensor>> {
    let offered = Tensors::new()
        .with("w", identity.get("w")?.clone())
        .with("reference", Tensor::f32([1, reference.len()], reference.to_vec())?)
        .with("expression", expression.clone());
    let painted = models.run("lipaint", &offered)?;
    let painted = painted.get("w_inpainted")?;
    let &[frames, layers, width] = painted.shape() else {
        return Err(NodeError::model(format!(
            "role `lipaint`: expected w [n,L,D], found {:?}",
            painted.shape()
        )));
    };
    if frames != expression.shape()[0] {
        return Err(NodeError::model(format!(
            "role `lipaint`: {frames} codes for {} frames",
            expression.shape()[0]
        )));
    }
    let code = |row: &[f32]| Tensor::f32([1, layers, width], row.to_vec());
    painted.as_f32()?.chunks_exact((layers * width).max(1)).map(code).collect()
}
