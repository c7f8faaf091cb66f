//! What of a frame is known a ray: where its surface is in the photo, and how far the photo shows it.

use super::layers::{Layers, smooth};
use crate::geometry::fill::{fill, sample};

/// Rays that the head's edge may move before what the layers do not show of the photo is left out.
const STILL: f32 = 1.5;

/// Numbers of a ray, as [`super::compose`] takes them.
pub(super) const COUNT: usize = 8;
/// Numbers: where in the photo the surface is, less the own place, in rays, x and y.
pub(super) const FLOW: usize = 0;
/// How far the photo's detail is to be added.
pub(super) const SHOWN: usize = 2;
/// How far the head's edge is the photo's.
pub(super) const EDGE: usize = 3;
/// How far the head is where it is at rest.
pub(super) const STAYED: usize = 4;

/// Alpha of averaged rays is made this much steeper: at the finished size an edge is as wide as a ray otherwise.
const STEEP: f32 = 2.5;

/// How much of each place the head covers, `side` x `side`; to be cut to [0,1].
pub(super) struct Cover {
    pub(super) values: Vec<[f32; 1]>,
    pub(super) side: usize,
}

/// A frame's rays, R·R.
pub(super) struct Rays<'a> {
    pub(super) alpha: &'a [f32],
    /// `flow` [2,R,R].
    pub(super) flow: &'a [f32],
    /// `visible` [R,R].
    pub(super) visible: &'a [f32],
}

impl Rays<'_> {
    /// How much of each place the head covers: from `edge` u8 [4R,4R], or where there is none from the rays' alpha.
    pub(super) fn cover(&self, edge: Option<&[u8]>, rays: usize) -> Cover {
        match edge {
            Some(edge) => Cover {
                values: edge.iter().map(|value| [f32::from(*value) / 255.0]).collect(),
                side: edge.len().isqrt(),
            },
            None => {
                let mut values: Vec<[f32; 1]> = self.alpha.iter().map(|a| [*a]).collect();
                smooth(&mut values, rays);
                for [value] in &mut values {
                    *value = (*value - 0.5) * STEEP + 0.5;
                }
                Cover { values, side: rays }
            }
        }
    }

    /// The numbers of every ray.
    pub(super) fn maps(&self, layers: &Layers) -> Vec<[f32; COUNT]> {
        let rays = layers.rays;
        let area = rays * rays;
        // Where a surface is known; beyond the head's edge it goes on as beside.
        let known: Vec<f32> = (0..area).map(|at| ((self.alpha[at] - 0.5) / 0.4).clamp(0.0, 1.0)).collect();
        let mut flow: Vec<[f32; 3]> =
            (0..area).map(|at| [self.flow[at], self.flow[area + at], self.visible[at]]).collect();
        fill(&mut flow, &known, rays, rays);
        smooth(&mut flow, rays);
        (0..area)
            .map(|at| {
                let [x, y, visible] = flow[at];
                let here = [at % rays, at / rays].map(|k| k as f32);
                let edge = sample(&layers.edge, rays, rays, here[0] + x, here[1] + y)[0];
                let mut numbers = [0.0; COUNT];
                numbers[FLOW] = x;
                numbers[FLOW + 1] = y;
                numbers[SHOWN] = visible;
                numbers[EDGE] = edge * visible;
                numbers[STAYED] = (1.0 - x.hypot(y) / STILL).max(0.0);
                numbers
            })
            .collect()
    }
}
