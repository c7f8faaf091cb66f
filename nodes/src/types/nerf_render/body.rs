use std::sync::{Arc, Mutex, PoisonError};

use super::contract;
use crate::{
    artifact::Value,
    body::{Context, Inputs, MapBody, Outputs},
    error::{NodeError, Result},
    geometry::{
        deformation::{Deformation, Sight},
        displacement::Reach,
        vector::Vec3,
    },
    models::Models,
    params::Params,
    runtime::Values,
    tensor::{Tensor, Tensors},
    volume::{self, Camera, Frames, Outline, Photo, Rays, Scene, Window},
};

pub(super) struct Render {
    reach: Reach,
    /// Spacing at which the field is tabulated.
    step: f32,
    /// Find the head's outline finer than rays.
    outline: bool,
    person: Mutex<Option<Arc<Person>>>,
}

/// What stays the same in all chunks.
struct Person {
    state: Values,
    /// One row of K coefficients.
    reference: Vec<f32>,
    face: Deformation,
    /// The photo, where the pack says which of its places rays show.
    photo: Option<Photo>,
    /// A camera that stands still; `None` when every frame has its own.
    still: Option<Still>,
}

/// What a camera that stands still sees.
struct Still {
    /// The face at rest.
    canvas: Frames,
    /// Those rays that pass what a face moves.
    rays: Rays,
    /// Which pixels those are.
    fresh: Vec<bool>,
    camera: Camera,
    /// The outline of the face at rest, where it is asked for.
    outline: Option<Outline>,
}

impl Render {
    pub(super) fn new(params: &Params) -> Result<Self> {
        Ok(Self {
            reach: contract::reach(params)?,
            step: params.float("step")? as f32,
            outline: params.bool("outline")?,
            person: Mutex::new(None),
        })
    }

    /// The person, prepared by whichever chunk comes first.
    fn person(&self, inputs: &Inputs, models: &Models) -> Result<Arc<Person>> {
        let mut slot = self.person.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(person) = &*slot {
            return Ok(Arc::clone(person));
        }
        let mut state = volume::prepare(models, inputs.tensors("identity")?)?;
        volume::survey(models, &mut state)?;
        let layout = models.pack()?.coefficients();
        let row = volume::reference(inputs, layout)?;
        let mut faces = anchors(models, volume::extremes(row, models.pack()?)?)?;
        let reference = faces.remove(0);
        let photo = match Photo::known(models)? {
            true => Some(Photo::new(models, &state, layout.pose_of(row)?)?),
            false => None,
        };
        let outlined = self.outline && photo.is_some();
        let cast = match inputs.has("pose") {
            true => None,
            false => {
                let camera = Camera::at(models, volume::poses(inputs, layout, row, 1)?[0])?;
                let rays = camera.bundle(None)?.sample(models, &state)?;
                Some((camera, rays))
            }
        };
        let points = match &cast {
            None => None,
            Some((camera, rays)) => {
                let mut points = rays.points()?;
                if outlined {
                    // An outline is looked for between rays.
                    points.extend(camera.between_rays()?.sample(models, &state)?.points()?);
                }
                Some(points)
            }
        };
        let solid = volume::solid(&state)?;
        let sight = points.as_deref().map(|points| Sight { points, solid });
        let face = Deformation::new(&reference, &faces, self.reach, self.step, sight)?;
        let still = match cast {
            None => None,
            Some((camera, rays)) => {
                let rest = volume::rest(models)?;
                let mut canvas = blank(1, rays.side(), photo.is_some());
                rays.render(models, &state, &rest, &mut canvas, 0)?;
                let rays = rays.reaching(models, |point| face.reaches(point))?;
                let scene = Scene { models, state: &state, bend: &rest, camera: &camera };
                let outline = match outlined {
                    true => Some(Outline::none(rays.side()).find(&scene, canvas.alpha(0), |_| true)?),
                    false => None,
                };
                Some(Still { canvas, fresh: rays.pixels()?, rays, camera, outline })
            }
        };
        let person = Arc::new(Person { state, reference: row.to_vec(), face, photo, still });
        *slot = Some(Arc::clone(&person));
        Ok(person)
    }
}

impl MapBody for Render {
    fn chunk(&self, inputs: &Inputs, ctx: &Context<'_>) -> Result<Outputs> {
        let models = ctx.models;
        let person = self.person(inputs, models)?;
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
            let bend = models.values(&volume::bend(&person.face.bend(current)?)?)?;
            let cast;
            let (camera, rays) = match &person.still {
                Some(still) => (&still.camera, &still.rays),
                None => {
                    let camera = Camera::at(models, pose)?;
                    let rays = camera.bundle(None)?.sample(models, &person.state)?;
                    cast = (camera, rays);
                    (&cast.0, &cast.1)
                }
            };
            let frames = frames.get_or_insert_with(|| blank(count, rays.side(), person.photo.is_some()));
            rays.render(models, &person.state, &bend, frames, frame)?;
            if self.outline && person.photo.is_some() {
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

impl Person {
    /// The outline of a frame of `alpha` [R,R].
    fn outline(&self, scene: &Scene<'_>, alpha: &[f32]) -> Result<Outline> {
        match &self.still {
            Some(Still { outline: Some(outline), fresh, .. }) => outline.find(scene, alpha, |ray| fresh[ray]),
            _ => Outline::none(scene.camera.side()).find(scene, alpha, |_| true),
        }
    }
}

/// Frames to render whole pictures into; with `sourced`, they keep which places of the head are seen.
fn blank(count: usize, side: usize, sourced: bool) -> Frames {
    let frames = Frames::blank(count, side, Window::whole(side));
    if sourced { frames.sourced() } else { frames }
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
