//! What of a person stays the same in all frames.

use super::{
    body::Render,
    motion::{self, Motion},
};
use crate::{
    body::Inputs,
    error::{NodeError, Result},
    models::Models,
    runtime::Values,
    volume::{self, Camera, Frames, Outline, Photo, Rays, Scene, Window},
};

/// A person, prepared.
pub(super) struct Person {
    pub(super) state: Values,
    /// One row of K coefficients.
    pub(super) reference: Vec<f32>,
    pub(super) motion: Motion,
    /// The photo, where the pack says which of its places rays show.
    pub(super) photo: Option<Photo>,
    /// Whether outlines are found.
    pub(super) outlined: bool,
    /// The rays of the resting head seen from before, where all are sampled as those.
    pub(super) rest: Option<Rays>,
    /// A camera that stands still; `None` when every frame has its own.
    pub(super) still: Option<Still>,
}

/// What a camera that stands still sees.
pub(super) struct Still {
    /// The face at rest.
    pub(super) canvas: Frames,
    /// Those rays that pass what a face moves.
    pub(super) rays: Rays,
    /// Which pixels those are.
    fresh: Vec<bool>,
    pub(super) camera: Camera,
    /// The outline of the face at rest, where it is asked for.
    outline: Option<Outline>,
}

impl Person {
    pub(super) fn new(render: &Render, inputs: &Inputs, models: &Models) -> Result<Self> {
        let mut state = volume::prepare(models, inputs.tensors("identity")?)?;
        volume::survey(models, &mut state)?;
        let layout = models.pack()?.coefficients();
        let reference = volume::reference(inputs, layout)?;
        let by_sample = volume::by_sample(models)?;
        let photo = match Photo::known(models)? {
            true => Some(Photo::new(models, &state, layout.pose_of(reference)?)?),
            false => None,
        };
        // Between rays there are no samples whose vertices are known.
        let outlined = render.outline && photo.is_some() && !by_sample;
        let rest = match render.frozen {
            true => Some(Rays::cast(models, &state, volume::FRONT)?),
            false => None,
        };
        let cast = match inputs.has("pose") {
            true => None,
            false => {
                let camera = Camera::at(models, volume::poses(inputs, layout, reference, 1)?[0])?;
                let rays = sampled(&camera, models, &state, rest.as_ref())?;
                Some((camera, rays))
            }
        };
        let motion = if by_sample {
            let still = still_points(render, inputs, models)?;
            let rays = rest.as_ref().or(cast.as_ref().map(|(_, rays)| rays));
            Motion::samples(models, reference, &still, rays)?
        } else {
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
            let field = (render.reach, render.step);
            Motion::field(models, reference, field, points.as_deref(), volume::solid(&state)?)?
        };
        let still = match cast {
            None => None,
            Some((camera, rays)) => {
                let mut canvas = blank(1, rays.side(), photo.is_some());
                let bend = volume::rest(models)?;
                rays.render(models, &state, &bend, &mut canvas, 0)?;
                let rays = match &motion {
                    Motion::Field(face) => rays.reaching(models, |point| face.reaches(point))?,
                    Motion::Samples { .. } => rays,
                };
                let scene = Scene { models, state: &state, bend: &bend, camera: &camera };
                let outline = match outlined {
                    true => Some(Outline::none(rays.side()).find(&scene, canvas.alpha(0), |_| true)?),
                    false => None,
                };
                Some(Still { canvas, fresh: rays.pixels()?, rays, camera, outline })
            }
        };
        let reference = reference.to_vec();
        Ok(Self { state, reference, motion, photo, outlined, rest, still })
    }

    /// The outline of a frame of `alpha` [R,R].
    pub(super) fn outline(&self, scene: &Scene<'_>, alpha: &[f32]) -> Result<Outline> {
        match &self.still {
            Some(Still { outline: Some(outline), fresh, .. }) => outline.find(scene, alpha, |ray| fresh[ray]),
            _ => Outline::none(scene.camera.side()).find(scene, alpha, |_| true),
        }
    }
}

/// All rays of a camera, sampled as those at `rest` or where the volume asks for it.
pub(super) fn sampled(camera: &Camera, models: &Models, state: &Values, rest: Option<&Rays>) -> Result<Rays> {
    let bundle = camera.bundle(None)?;
    match rest {
        Some(rest) => bundle.sample_as(models, rest),
        None => bundle.sample(models, state),
    }
}

/// The points that never move.
fn still_points(render: &Render, inputs: &Inputs, models: &Models) -> Result<Vec<[f32; 2]>> {
    if !inputs.has("parsing") {
        return Ok(vec![]);
    }
    let pack = models.pack()?;
    let parsing = pack.parsing().ok_or_else(|| {
        NodeError::model(format!("pack {}: `parsing` is missing in pack.yaml", pack.name()))
            .hint("the format is described in docs/packs.md")
    })?;
    motion::torso(inputs.tensors("parsing")?, parsing, render.extent)
}

/// Frames to render whole pictures into; with `sourced`, they keep which places of the head are seen.
pub(super) fn blank(count: usize, side: usize, sourced: bool) -> Frames {
    let frames = Frames::blank(count, side, Window::whole(side));
    if sourced { frames.sourced() } else { frames }
}
