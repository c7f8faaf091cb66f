use std::sync::Arc;

use super::{fine::Fine, mask};
use crate::{
    artifact::Value,
    body::{Context, Inputs, MapBody, Outputs},
    error::{NodeError, Result},
    kept::Kept,
    models::Models,
    params::Params,
    runtime::Values,
    tensor::{Tensor, Tensors},
    types::{levels::Levels, scaling::Scaling},
    volume::{self, Bundle, Camera, Frames, Rays, Window},
};

/// Frames whose states are made at once: learned planes are read once for all of them.
const BATCH: usize = 8;

pub(super) struct Paint {
    /// Grow the model's contour by so many pixels; `None`: parse the rendering.
    contour: Option<f32>,
    /// Paint eyes whose lids move, with the model's contour.
    eyes: bool,
    /// Paint at twice the pitch as well, with the model's contour.
    fine: bool,
    /// What of the rendering is parsed.
    levels: Levels,
    /// How it is brought to the parsing network's size.
    scaling: Scaling,
    /// Sample all rays as those of the resting head seen from before.
    frozen: bool,
    person: Kept<Arc<Person>>,
}

/// What stays the same in all chunks.
struct Person {
    identity: Tensors,
    state: Values,
    rest: Values,
    /// The rays of the resting head seen from before, where all are sampled as those.
    rays: Option<Rays>,
}

impl Paint {
    pub(super) fn new(params: &Params) -> Result<Self> {
        let contour = match params.text("mask")? {
            "contour" => Some(params.float("grow")? as f32),
            _ => None,
        };
        let frozen = params.text("sampling")? == "rest";
        Ok(Self {
            contour,
            eyes: params.bool("eyes")?,
            // Rays between rays have no depths of their own then.
            fine: params.bool("fine")? && !frozen,
            levels: Levels::of(params)?,
            scaling: Scaling::of(params)?,
            frozen,
            person: Kept::default(),
        })
    }

    fn person(&self, inputs: &Inputs, models: &Models) -> Result<Arc<Person>> {
        self.person.get(models, || {
            let identity = inputs.tensors("identity")?.clone();
            let state = volume::prepare(models, &identity)?;
            let rays = match self.frozen {
                true => Some(Rays::cast(models, &state, volume::FRONT)?),
                false => None,
            };
            Ok(Arc::new(Person { identity, state, rest: volume::rest(models)?, rays }))
        })
    }
}

impl Person {
    /// The person's states with these codes, for the volume alone; with `finish` for the up-sampler as well.
    fn moved(&self, models: &Models, codes: &[Tensor], finish: bool) -> Result<Vec<Values>> {
        if finish || !models.pack()?.has("lipaint_state") {
            let one = |code: &Tensor| {
                let mut identity = self.identity.clone();
                identity.0.insert("w".into(), code.clone());
                volume::prepare(models, &identity)
            };
            return codes.iter().map(one).collect();
        }
        let mut state = self.state.clone();
        state.extend(models.values(&Tensors::new().with("w", volume::stack(codes)?))?);
        let rows = models.run_values("lipaint_state", &state)?.rows()?;
        let whole = |row| {
            let mut state = self.state.clone();
            state.extend(row);
            state
        };
        Ok(rows.into_iter().map(whole).collect())
    }
}

impl MapBody for Paint {
    fn chunk(&self, inputs: &Inputs, ctx: &Context<'_>) -> Result<Outputs> {
        let models = ctx.models;
        let person = self.person(inputs, models)?;
        let layout = models.pack()?.coefficients();
        let reference = volume::reference(inputs, layout)?;
        let expression = inputs.tensors("expression")?;
        let count = volume::rows(expression, "expression", layout.expressions())?.len();
        let poses = volume::poses(inputs, layout, reference, count)?;
        let rest = layout.expression_of(reference)?;
        let codes = codes(models, &person.identity, rest, expression.get("expression")?)?;
        let painted = match self.contour {
            Some(grow) => Some(mask::contours(models, reference, expression, &poses, grow, self.eyes)?),
            None => None,
        };
        let windows = painted.iter().flatten().map(|painted| painted.window);
        let window = windows.reduce(Window::union);
        let (mut frames, mut masks): (Option<Frames>, _) = (None, vec![]);
        let mut fine = Fine::default();
        let mut states = vec![].into_iter();
        let mut cast: Option<((_, _), Camera, Bundle)> = None;
        for (frame, pose) in poses.into_iter().enumerate() {
            ctx.check_cancelled()?;
            if frame % BATCH == 0 {
                let batch = &codes[frame..count.min(frame + BATCH)];
                states = person.moved(models, batch, painted.is_none())?.into_iter();
            }
            let state = states.next().ok_or_else(|| {
                NodeError::model(format!("role `lipaint_state`: no state for frame {frame} of the chunk"))
            })?;
            let part = painted.as_ref().map(|painted| painted[frame].window);
            let (_, camera, bundle) = match &cast {
                Some(cast) if cast.0 == (pose, part) => cast,
                _ => {
                    let camera = Camera::at(models, pose)?;
                    let bundle = camera.bundle(part)?;
                    cast.insert(((pose, part), camera, bundle))
                }
            };
            let rays = match &person.rays {
                Some(rest) => bundle.sample_as(models, rest)?,
                None => bundle.sample(models, &state)?,
            };
            let side = rays.side();
            let frames = frames
                .get_or_insert_with(|| Frames::blank(count, side, window.unwrap_or(Window::whole(side))));
            rays.render(models, &state, &person.rest, frames, frame)?;
            masks.push(match &painted {
                None => mask::parsed(
                    models,
                    volume::upsample(models, &state, frames.features(frame)?)?,
                    self.levels,
                    self.scaling,
                )?,
                Some(painted) => {
                    let mask = &painted[frame].mask;
                    if self.fine {
                        fine.push((models, &state, &person.rest), camera, (frames, frame), mask)?;
                    }
                    mask.clone()
                }
            });
        }
        let frames =
            frames.ok_or_else(|| NodeError::input("port `expression`: expected at least one frame"))?;
        let mask = Tensors::new().with("mask", volume::stack(&masks)?);
        let mut features = frames.tensors()?;
        if self.fine && self.contour.is_some() {
            features.0.insert("fine".into(), fine.tensor()?);
        }
        Ok(Outputs::from([
            ("features".to_owned(), Value::Tensors(features)),
            ("mask".to_owned(), Value::Tensors(mask)),
        ]))
    }
}

/// The code w [1,L,D] of every frame.
fn codes(models: &Models, identity: &Tensors, reference: &[f32], expression: &Tensor) -> Result<Vec<Tensor>> {
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
