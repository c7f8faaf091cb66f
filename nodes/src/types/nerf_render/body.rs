use std::sync::Arc;

use super::{
    contract,
    motion::{Motion, anchors},
    person::{Person, blank, sampled},
};
use crate::{
    artifact::Value,
    body::{Context, Inputs, MapBody, Outputs},
    error::{NodeError, Result},
    geometry::displacement::Reach,
    kept::Kept,
    params::Params,
    tensor::{Tensor, Tensors},
    volume::{self, Camera, Frames, Scene},
};

pub(super) struct Render {
    pub(super) reach: Reach,
    /// Spacing at which the field is tabulated.
    pub(super) step: f32,
    /// Find the head's outline finer than rays.
    pub(super) outline: bool,
    /// Sample all rays as those of the resting head seen from before.
    pub(super) frozen: bool,
    /// Half the side of a label map, in units of the volume.
    pub(super) extent: f32,
    person: Kept<Arc<Person>>,
}

impl Render {
    pub(super) fn new(params: &Params) -> Result<Self> {
        Ok(Self {
            reach: contract::reach(params)?,
            step: params.float("step")? as f32,
            outline: params.bool("outline")?,
            frozen: params.text("sampling")? == "rest",
            extent: params.float("extent")? as f32,
            person: Kept::default(),
        })
    }

    fn person(&self, inputs: &Inputs, ctx: &Context<'_>) -> Result<Arc<Person>> {
        self.person.get(ctx.models, || {
            let person = Arc::new(Person::new(self, inputs, ctx.models)?);
            if inputs.has("parsing") && matches!(person.motion, Motion::Field(_)) {
                ctx.host.warn(
                    "port `parsing`: the pack's role `render` takes no `offsets`, the labels change nothing",
                );
            }
            Ok(person)
        })
    }
}

impl MapBody for Render {
    fn chunk(&self, inputs: &Inputs, ctx: &Context<'_>) -> Result<Outputs> {
        let models = ctx.models;
        let person = self.person(inputs, ctx)?;
        let layout = models.pack()?.coefficients();
        let expressions = volume::rows(inputs.tensors("expression")?, "expression", layout.expressions())?;
        let count = expressions.len();
        let poses = volume::poses(inputs, layout, &person.reference, count)?;
        let rows = expressions.map(|expression| {
            let mut row = person.reference.clone();
            layout.set_expression(&mut row, expression)?;
            Ok(row)
        });
        let moved = anchors(models, rows.collect::<Result<_>>()?)?;
        let mut frames = person.still.as_ref().map(|still| Frames::like(&still.canvas, count));
        let mut edges = vec![];
        for (frame, (current, pose)) in moved.iter().zip(poses).enumerate() {
            ctx.check_cancelled()?;
            let cast;
            let (camera, rays) = match &person.still {
                Some(still) => (&still.camera, &still.rays),
                None => {
                    let camera = Camera::at(models, pose)?;
                    let rays = sampled(&camera, models, &person.state, person.rest.as_ref())?;
                    cast = (camera, rays);
                    (&cast.0, &cast.1)
                }
            };
            let bend = person.motion.bend(models, rays, current)?;
            let frames = frames.get_or_insert_with(|| blank(count, rays.side(), person.photo.is_some()));
            rays.render(models, &person.state, &bend, frames, frame)?;
            if person.outlined {
                let scene = Scene { models, state: &person.state, bend: &bend, camera };
                edges.extend(person.outline(&scene, frames.alpha(frame))?.draw(frames.alpha(frame)));
            }
        }
        let frames =
            frames.ok_or_else(|| NodeError::input("port `expression`: expected at least one frame"))?;
        let mut correspondence = match &person.photo {
            Some(photo) => photo.seen(&frames)?,
            None => Tensors::new(),
        };
        if !edges.is_empty() {
            let side = (edges.len() / count).isqrt();
            correspondence.0.insert("edge".into(), Tensor::u8([count, 1, side, side], edges)?);
        }
        Ok(Outputs::from([
            ("features".to_owned(), Value::Tensors(frames.tensors()?)),
            ("correspondence".to_owned(), Value::Tensors(correspondence)),
        ]))
    }
}
