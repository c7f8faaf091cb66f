use std::sync::{Arc, Mutex, PoisonError};

use super::contract;
use crate::{
    artifact::Value,
    body::{Context, Inputs, MapBody, Outputs},
    error::{NodeError, Result},
    geometry::displacement::{Displacement, Reach, Vec3},
    models::Models,
    params::Params,
    tensor::{Tensor, Tensors},
    volume::{self, Rays},
};

pub(super) struct Render {
    reach: Reach,
    /// Spacing at which the field is tabulated.
    step: f32,
    person: Mutex<Option<Arc<Person>>>,
}

/// What stays the same in all chunks.
struct Person {
    state: Tensors,
    /// One row of K coefficients.
    reference: Vec<f32>,
    /// Anchors of the reference.
    anchors: Vec<Vec3>,
    /// Rays of a camera that stands still; `None` when every frame has its own.
    rays: Option<Rays>,
}

impl Render {
    pub(super) fn new(params: &Params) -> Result<Self> {
        Ok(Self {
            reach: contract::reach(params)?,
            step: params.float("step")? as f32,
            person: Mutex::new(None),
        })
    }

    /// The person, prepared by whichever chunk comes first.
    fn person(&self, inputs: &Inputs, models: &Models) -> Result<Arc<Person>> {
        let mut slot = self.person.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(person) = &*slot {
            return Ok(Arc::clone(person));
        }
        let state = volume::prepare(models, inputs.tensors("identity")?)?;
        let layout = models.pack()?.coefficients();
        let row = volume::reference(inputs, layout)?;
        let rays = match inputs.has("pose") {
            true => None,
            false => Some(Rays::cast(models, &state, volume::poses(inputs, layout, row, 1)?[0])?),
        };
        let anchors = anchors(models, vec![row.to_vec()])?.swap_remove(0);
        let person = Arc::new(Person { state, reference: row.to_vec(), anchors, rays });
        *slot = Some(Arc::clone(&person));
        Ok(person)
    }
}

impl MapBody for Render {
    fn chunk(&self, inputs: &Inputs, ctx: &Context<'_>) -> Result<Outputs> {
        let person = self.person(inputs, ctx.models)?;
        let layout = ctx.models.pack()?.coefficients();
        let expressions = volume::rows(inputs.tensors("expression")?, "expression", layout.expressions())?;
        let frames = expressions.len();
        let poses = volume::poses(inputs, layout, &person.reference, frames)?;
        let rows = expressions.map(|expression| {
            let mut row = person.reference.clone();
            layout.set_expression(&mut row, expression)?;
            Ok(row)
        });
        let moved = anchors(ctx.models, rows.collect::<Result<_>>()?)?;
        let (mut features, mut alphas) = (Vec::with_capacity(frames), Vec::with_capacity(frames));
        for (current, pose) in moved.iter().zip(poses) {
            ctx.check_cancelled()?;
            let cast;
            let rays = match &person.rays {
                Some(rays) => rays,
                None => {
                    cast = Rays::cast(ctx.models, &person.state, pose)?;
                    &cast
                }
            };
            let mut points = rays.points().to_vec();
            if let Some(field) = Displacement::between(&person.anchors, current, self.reach)? {
                field.apply(&mut points, self.step);
            }
            let frame = rays.render(ctx.models, &person.state, points)?;
            features.push(frame.features);
            alphas.push(frame.alpha);
        }
        let tensors =
            Tensors::new().with("features", volume::stack(&features)?).with("alpha", volume::stack(&alphas)?);
        Ok(Outputs::from([("features".to_owned(), Value::Tensors(tensors))]))
    }
}

/// Deformation anchors of rows of coefficients.
fn anchors(models: &Models, rows: Vec<Vec<f32>>) -> Result<Vec<Vec<Vec3>>> {
    let (frames, size) = (rows.len(), rows.first().map_or(0, Vec::len));
    let coefficients = Tensor::f32([frames, size], rows.concat())?;
    let outputs = models.run("morphable_model", &Tensors::new().with("coefficients", coefficients))?;
    let vertices = outputs.get("vertices")?;
    let &[found, count, 3] = vertices.shape() else {
        return Err(NodeError::model(format!(
            "role `morphable_model`: expected vertices [n,V,3], found {:?}",
            vertices.shape()
        )));
    };
    if found != frames || count == 0 {
        return Err(NodeError::model(format!(
            "role `morphable_model`: {found} frames of {count} vertices for {frames}"
        )));
    }
    let frame = |flat: &[f32]| flat.as_chunks::<3>().0.to_vec();
    Ok(vertices.as_f32()?.chunks_exact(3 * count).map(frame).collect())
}
