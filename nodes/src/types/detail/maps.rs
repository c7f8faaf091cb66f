//! What of a frame is known a ray: where its surface is in the photo, how far the photo shows it, and how much the head covers.

use wide::f32x4;

use super::layers::{Layers, smooth};
use crate::geometry::fill::{fill, sample};

/// Averaged alpha is made this much steeper: at the finished size an edge is as wide as what was averaged otherwise.
const STEEP: f32 = 2.5;
/// Alpha from which rays hang together.
const SOLID: f32 = 0.3;
/// Rays beyond what hangs together with the head that are still a rim of it.
const RIM: usize = 2;

/// A frame's bytes are cut to whole numbers, and the rendering at rest is not.
const ROUNDING: f32 = 1.5;
/// Rays that a surface must move to be seen to.
const UNMOVED: f32 = 0.02;
/// A mask below this paints nothing.
const UNPAINTED: f32 = 0.004;
/// Alpha below this is nothing.
const FAINT: f32 = 0.004;
/// Rays about a pixel that it is made of.
const AROUND: usize = 2;

/// How much of each place the head covers, `side` x `side`; to be cut to [0,1].
pub(super) struct Cover {
    pub(super) values: Vec<f32>,
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
    /// How much of each place the head covers: from `edge` u8 [4R,4R], or where there is none from the rays' alpha. Specks beside the
    /// head are left out.
    pub(super) fn cover(&self, edge: Option<&[u8]>, rays: usize) -> Cover {
        let (mut values, side): (Vec<[f32; 1]>, _) = match edge {
            // Finer than a pixel of the finished frame is not needed, and averages are smooth.
            Some(edge) => {
                let wide = edge.len().isqrt();
                let side = wide / 2;
                let mean = |at: usize| {
                    let corner = at / side * 2 * wide + at % side * 2;
                    let four = [corner, corner + 1, corner + wide, corner + wide + 1];
                    [four.iter().map(|at| f32::from(edge[*at])).sum::<f32>() / (4.0 * 255.0)]
                };
                ((0..side * side).map(mean).collect(), side)
            }
            None => (self.alpha.iter().map(|a| [*a]).collect(), rays),
        };
        smooth(&mut values, side);
        if side > rays {
            smooth(&mut values, side);
        }
        let head = self.head(rays);
        let steep = |(at, [value]): (usize, [f32; 1])| {
            let ray = at / side * rays / side * rays + at % side * rays / side;
            if head[ray] { (value - 0.5) * STEEP + 0.5 } else { 0.0 }
        };
        Cover { values: values.into_iter().enumerate().map(steep).collect(), side }
    }

    /// The largest part of the rays that hangs together, with its rim.
    fn head(&self, rays: usize) -> Vec<bool> {
        let mut part = vec![0_u32; rays * rays];
        let (mut largest, mut most, mut number) = (0, 0, 0);
        let mut stack = vec![];
        for start in 0..rays * rays {
            if part[start] != 0 || self.alpha[start] <= SOLID {
                continue;
            }
            number += 1;
            let mut count = 0;
            part[start] = number;
            stack.push(start);
            while let Some(at) = stack.pop() {
                count += 1;
                let (x, y) = (at % rays, at / rays);
                let beside = [
                    (x > 0).then(|| at - 1),
                    (x + 1 < rays).then(|| at + 1),
                    (y > 0).then(|| at - rays),
                    (y + 1 < rays).then(|| at + rays),
                ];
                for next in beside.into_iter().flatten() {
                    if part[next] == 0 && self.alpha[next] > SOLID {
                        part[next] = number;
                        stack.push(next);
                    }
                }
            }
            if count > most {
                (largest, most) = (number, count);
            }
        }
        let near = |at: usize| {
            let range = |k: usize| k.saturating_sub(RIM)..(k + RIM + 1).min(rays);
            range(at / rays).any(|y| range(at % rays).any(|x| part[y * rays + x] == largest))
        };
        (0..rays * rays).map(|at| most > 0 && near(at)).collect()
    }

    /// The rays about which the frame is as at rest, or nothing but background: there the photo shows all that there is. `frame` is P·P.
    pub(super) fn still(&self, frame: &[[f32; 4]], layers: &Layers) -> Vec<bool> {
        let (rays, own) = (layers.rays, layers.own);
        let area = rays * rays;
        let as_at_rest = |at: usize| {
            let range = |k: usize| k * own / rays..((k + 1) * own / rays).max(k * own / rays + 1);
            range(at / rays).all(|y| {
                range(at % rays).all(|x| {
                    let (now, rest) = (&frame[y * own + x], &layers.rendered[y * own + x]);
                    now[3] < UNPAINTED && (0..3).all(|c| (now[c] - rest[c]).abs() <= ROUNDING)
                })
            })
        };
        let quiet: Vec<bool> = (0..area)
            .map(|at| {
                let moved = self.flow[at].abs().max(self.flow[area + at].abs());
                (layers.empty[at] && self.alpha[at] < FAINT) || (moved < UNMOVED && as_at_rest(at))
            })
            .collect();
        let near = |k: usize| k.saturating_sub(AROUND)..(k + AROUND + 1).min(rays);
        (0..area).map(|at| near(at / rays).all(|y| near(at % rays).all(|x| quiet[y * rays + x]))).collect()
    }

    /// Four numbers a ray: where in the photo the surface is, less the own place, in rays, x and y; how far the photo's detail is to be
    /// added; how far the head's edge is the photo's.
    pub(super) fn maps(&self, layers: &Layers) -> Vec<f32x4> {
        let rays = layers.rays;
        let area = rays * rays;
        // Where a surface is known; beyond the head's edge it goes on as beside.
        let known: Vec<f32> = (0..area).map(|at| ((self.alpha[at] - 0.5) / 0.4).clamp(0.0, 1.0)).collect();
        let mut flow: Vec<[f32; 3]> =
            (0..area).map(|at| [self.flow[at], self.flow[area + at], self.visible[at]]).collect();
        fill(&mut flow, &known, rays, rays);
        smooth(&mut flow, rays);
        let numbers = |at: usize| {
            let [x, y, visible] = flow[at];
            let here = [at % rays, at / rays].map(|k| k as f32);
            let edge = sample(&layers.edge, rays, rays, here[0] + x, here[1] + y)[0];
            f32x4::from([x, y, visible, edge * visible])
        };
        (0..area).map(numbers).collect()
    }
}
