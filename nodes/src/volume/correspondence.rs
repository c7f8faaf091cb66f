//! Where in a person's photo lies what a frame shows.
//!
//! A ray's `source` is the place on the resting head that it shows; the camera of the photo's pose sees it somewhere in the photo,
//! or would, if nothing lay before it there.

use super::{Camera, Frames, Pinhole, Window, frames::halves, rest};
use crate::{
    error::Result,
    models::Models,
    runtime::Values,
    tensor::{Tensor, Tensors},
};

/// Alpha below which a ray shows nothing that could be found in the photo.
const FAINT: f32 = 0.01;
/// A place lies behind what the photo shows from this depth on, in units of the volume,
const BEHIND: f32 = 0.02;
/// and is not seen at all this much farther on.
const HIDDEN: f32 = 0.03;
/// Alpha of the head at rest from which the photo shows it there.
const SHOWN: f32 = 0.5;

/// The photo as the renderer knows it: the head at rest, seen by the camera of the reference pose.
pub struct Photo {
    camera: Pinhole,
    /// R.
    side: usize,
    /// Alpha, [R,R].
    alpha: Vec<f32>,
    /// Depth of the surface along the camera's axis, [R,R]; nothing where alpha is nothing.
    depth: Vec<f32>,
}

impl Photo {
    /// Whether the pack's role `render` says where rays come from.
    pub fn known(models: &Models) -> Result<bool> {
        Ok(models.session("render")?.signature().output("source").is_some())
    }

    /// The photo that `state` shows at rest from `pose`, the reference.
    pub fn new(models: &Models, state: &Values, pose: [f32; 6]) -> Result<Self> {
        let camera = Camera::at(models, pose)?;
        let side = camera.side();
        let rays = camera.bundle(None)?.sample(models, state)?;
        let camera = Pinhole::of(&camera)?;
        let mut frames = Frames::blank(1, side, Window::whole(side)).sourced();
        rays.render(models, state, &rest(models)?, &mut frames, 0)?;
        let (alpha, source) = frames.sources(0);
        let area = side * side;
        let depth = (0..area).map(|ray| camera.project(at(source, area, ray)).1 as f32).collect();
        Ok(Self { camera, side, alpha: alpha.to_vec(), depth })
    }

    /// `flow` [n,2,R,R] and `visible` [n,1,R,R] of `frames` of the whole picture, in numbers that half precision holds.
    pub fn seen(&self, frames: &Frames) -> Result<Tensors> {
        let (side, area, count) = (self.side, self.side * self.side, frames.count());
        let (mut flow, mut visible) = (vec![0.0; count * 2 * area], vec![0.0; count * area]);
        let planes = flow.chunks_exact_mut(2 * area).zip(visible.chunks_exact_mut(area));
        for (frame, (flow, visible)) in planes.enumerate() {
            let (alpha, source) = frames.sources(frame);
            let (across, down) = flow.split_at_mut(area);
            for ray in (0..area).filter(|ray| alpha[*ray] >= FAINT) {
                let ([x, y], depth) = self.camera.project(at(source, area, ray));
                across[ray] = (x - (ray % side) as f64 - 0.5) as f32;
                down[ray] = (y - (ray / side) as f64 - 0.5) as f32;
                visible[ray] = self.visible([x as f32, y as f32], depth as f32);
            }
        }
        Ok(Tensors::new()
            .with("flow", Tensor::f32([count, 2, side, side], halves(flow))?)
            .with("visible", Tensor::f32([count, 1, side, side], halves(visible))?))
    }

    /// How far the photo shows what lies at the `place` and `depth` that its camera gives.
    fn visible(&self, place: [f32; 2], depth: f32) -> f32 {
        let most = self.side as f32;
        if place.iter().any(|x| !(0.0..=most).contains(x)) {
            return 0.0;
        }
        let [x, y] = place.map(|x| (x - 0.5).clamp(0.0, most - 1.0));
        let (column, row) = (x as usize, y as usize);
        let (part_x, part_y) = (x - column as f32, y - row as f32);
        let (mut alpha, mut sum) = (0.0, 0.0);
        for (row, share_y) in [(row, 1.0 - part_y), ((row + 1).min(self.side - 1), part_y)] {
            for (column, share_x) in [(column, 1.0 - part_x), ((column + 1).min(self.side - 1), part_x)] {
                let ray = row * self.side + column;
                // What is behind a rim has no depth of its own.
                let weight = share_x * share_y * self.alpha[ray];
                alpha += weight;
                sum += weight * self.depth[ray];
            }
        }
        if alpha < FAINT {
            return 0.0;
        }
        let behind = ((depth - sum / alpha - BEHIND) / HIDDEN).clamp(0.0, 1.0);
        (1.0 - behind) * (alpha / SHOWN).min(1.0)
    }
}

/// The point of ray `ray` in planes [3,`area`].
fn at(planes: &[f32], area: usize, ray: usize) -> [f32; 3] {
    [0, 1, 2].map(|axis| planes[axis * area + ray])
}
