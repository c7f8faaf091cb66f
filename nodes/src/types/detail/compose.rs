//! Puts a frame together, row by row.

use rayon::prelude::*;
use wide::f32x4;

use super::{
    layers::{Layers, REST_STEPS},
    maps::Cover,
};
use crate::geometry::enlarge::{Enlarge, Part};

/// Rays that the head's edge may move before what the layers do not show of the photo is left out.
const STILL: f32 = 1.5;

/// One frame of the generator on its way to the finished size.
pub(super) struct Frame<'a> {
    pub(super) layers: &'a Layers,
    /// Colours in [0,255] of the head alone, and how far something is painted; P·P.
    pub(super) rendered: &'a [f32x4],
    pub(super) enlarge: &'a Enlarge,
    /// P.
    pub(super) own: usize,
    /// What is painted, finer, and how that is enlarged.
    pub(super) inside: Option<(Part<'a>, &'a Enlarge)>,
    /// R·R, as [`super::maps::Rays::maps`] gives them.
    pub(super) maps: &'a [f32x4],
    pub(super) cover: &'a Cover,
    /// The rays about which the photo shows all that there is; R·R.
    pub(super) still: &'a [bool],
}

/// Room for what a row is made of.
#[derive(Default)]
struct Scratch {
    narrow: Vec<f32x4>,
    inside: Vec<f32x4>,
    rays: Vec<f32x4>,
    cover: Vec<f32>,
}

/// Where between two pixels of a line of `from` pixels the pixel `at` of `to` lies.
struct Step {
    scale: f32,
    last: f32,
}

impl Step {
    fn new(from: usize, to: usize) -> Self {
        Self { scale: from as f32 / to as f32, last: (from - 1) as f32 }
    }

    /// The pixel before, the one after, and the share of that.
    #[inline(always)]
    fn at(&self, pixel: usize) -> (usize, usize, f32) {
        let at = ((pixel as f32 + 0.5) * self.scale - 0.5).max(0.0).min(self.last);
        let before = at as u32 as usize;
        (before, (before + 1).min(self.last as usize), at - before as f32)
    }
}

impl Frame<'_> {
    /// Writes the frame's bytes, rows of RGB.
    pub(super) fn compose(&self, out: &mut [u8]) {
        let side = self.layers.side;
        out.par_chunks_mut(3 * side).enumerate().for_each_init(Scratch::default, |scratch, (y, row)| {
            self.dispatch(y, row, scratch);
        });
    }

    fn dispatch(&self, y: usize, out: &mut [u8], scratch: &mut Scratch) {
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has the feature.
            return unsafe { self.row_avx2(y, out, scratch) };
        }
        self.row(y, out, scratch);
    }

    /// The same arithmetic with better instructions: products and sums are not fused, so every processor gives the same bytes.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    unsafe fn row_avx2(&self, y: usize, out: &mut [u8], scratch: &mut Scratch) {
        self.row(y, out, scratch);
    }

    #[inline(always)]
    fn row(&self, y: usize, out: &mut [u8], scratch: &mut Scratch) {
        let (side, rays) = (self.layers.side, self.layers.rays);
        let whole = Part { pixels: self.rendered, corner: [0, 0], size: [self.own, self.own] };
        self.enlarge.row(&whole, y, &mut scratch.narrow);
        let painted = match &self.inside {
            Some((inside, enlarge)) => enlarge.row(inside, y, &mut scratch.inside),
            None => 0..0,
        };
        let (above, below, share) = Step::new(rays, side).at(y);
        let pairs = self.maps[above * rays..][..rays].iter().zip(&self.maps[below * rays..][..rays]);
        scratch.rays.clear();
        scratch.rays.extend(pairs.map(|(a, b)| *a + f32x4::splat(share) * (*b - *a)));
        let (cover, wide) = (&self.cover.values, self.cover.side);
        let (above, below, share) = Step::new(wide, side).at(y);
        let pairs = cover[above * wide..][..wide].iter().zip(&cover[below * wide..][..wide]);
        scratch.cover.clear();
        scratch.cover.extend(pairs.map(|(a, b)| a + share * (b - a)));
        let (ray_step, cover_step) = (Step::new(rays, side), Step::new(wide, side));
        let still = &self.still[y * rays / side * rays..][..rays];
        let photo = &self.layers.photo[y * 3 * side..][..3 * side];
        for (cell, still) in still.iter().enumerate() {
            let columns = (cell * side).div_ceil(rays)..((cell + 1) * side).div_ceil(rays);
            if *still {
                let bytes = 3 * columns.start..3 * columns.end;
                out[bytes.clone()].copy_from_slice(&photo[bytes]);
                continue;
            }
            for x in columns {
                let (left, right, share) = ray_step.at(x);
                let ray =
                    scratch.rays[left] + f32x4::splat(share) * (scratch.rays[right] - scratch.rays[left]);
                let (left, right, share) = cover_step.at(x);
                let cover = scratch.cover[left] + share * (scratch.cover[right] - scratch.cover[left]);
                let mut frame = self.enlarge.at(&whole, &scratch.narrow, x);
                if let Some((inside, enlarge)) = &self.inside
                    && painted.contains(&x)
                {
                    // Where hardly anything is painted, the photo's detail belongs to the frame as it is.
                    let share = (2.0 * frame.to_array()[3]).clamp(0.0, 1.0);
                    let fine = enlarge.at(inside, &scratch.inside, x);
                    frame += f32x4::from([share, share, share, 0.0]) * (fine - frame);
                }
                let pixel = self.pixel([x, y], ray, cover.clamp(0.0, 1.0), frame);
                out[3 * x..3 * x + 3].copy_from_slice(&pixel);
            }
        }
    }

    #[inline(always)]
    fn pixel(&self, [x, y]: [usize; 2], ray: f32x4, cover: f32, frame: f32x4) -> [u8; 3] {
        let layers = self.layers;
        let at = y * layers.side + x;
        let [right, down, shown, edge] = ray.to_array();
        let stayed = (1.0 - (right * right + down * down).sqrt() / STILL).max(0.0);
        let back = f32x4::from(layers.back[at].map(f32::from));
        let rest = f32x4::from(layers.rest[at].map(f32::from));
        let mut colour = back + f32x4::splat(stayed / REST_STEPS) * rest;
        if cover > 0.0 || edge > 0.0 {
            let scale = layers.side as f32 / layers.rays as f32;
            let front = layers.front_at(x as f32 + right * scale, y as f32 + down * scale);
            let alpha = cover + edge * (front.to_array()[3] - cover);
            let shown = shown * (1.0 - frame.to_array()[3].clamp(0.0, 1.0));
            colour += f32x4::splat(alpha) * (frame + f32x4::splat(shown) * front - back);
        }
        let bytes = colour.max(f32x4::ZERO).min(f32x4::splat(255.0)).round_int().to_array();
        [bytes[0] as u8, bytes[1] as u8, bytes[2] as u8]
    }
}

impl Layers {
    /// `front` between pixels, held beyond its edges.
    #[inline(always)]
    fn front_at(&self, x: f32, y: f32) -> f32x4 {
        let last = (self.side - 1) as f32;
        let (x, y) = (x.max(0.0).min(last), y.max(0.0).min(last));
        let (column, row) = (x as u32 as usize, y as u32 as usize);
        let (across, down) = (f32x4::splat(x - column as f32), f32x4::splat(y - row as f32));
        let (next, below) =
            (usize::from(column + 1 < self.side), if row + 1 < self.side { self.side } else { 0 });
        let at = row * self.side + column;
        let front = &self.front;
        let top = front[at] + across * (front[at + next] - front[at]);
        let bottom = front[at + below] + across * (front[at + below + next] - front[at + below]);
        top + down * (bottom - top)
    }
}
