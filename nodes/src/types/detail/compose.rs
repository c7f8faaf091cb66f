//! Puts a frame together, row by row.

use rayon::prelude::*;

use super::{
    layers::Layers,
    maps::{COUNT, Cover, EDGE, FLOW, SHOWN, STAYED},
};
use crate::geometry::{
    enlarge::{Enlarge, Part},
    fill::sample,
};

/// One frame of the generator on its way to the finished size.
pub(super) struct Frame<'a> {
    pub(super) layers: &'a Layers,
    /// Colours in [0,255] of the head alone, and how far something is painted; P·P.
    pub(super) rendered: &'a [[f32; 4]],
    pub(super) enlarge: &'a Enlarge,
    /// P.
    pub(super) own: usize,
    /// What is painted, finer, and how that is enlarged.
    pub(super) inside: Option<(Part<'a>, &'a Enlarge)>,
    /// R·R.
    pub(super) maps: &'a [[f32; COUNT]],
    pub(super) cover: &'a Cover,
}

/// Room for what a row is made of.
#[derive(Default)]
struct Scratch {
    narrow: Vec<[f32; 4]>,
    wide: Vec<[f32; 4]>,
    inside: Vec<[f32; 4]>,
    rays: Vec<[f32; COUNT]>,
}

impl Frame<'_> {
    /// Writes the frame's bytes, rows of RGB.
    pub(super) fn compose(&self, out: &mut [u8]) {
        let side = self.layers.side;
        out.par_chunks_mut(3 * side).enumerate().for_each_init(Scratch::default, |scratch, (y, row)| {
            scratch.wide.resize(side, [0.0; 4]);
            scratch.inside.resize(side, [0.0; 4]);
            scratch.rays.resize(self.layers.rays, [0.0; COUNT]);
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

    /// The same arithmetic in wider registers: products and sums are not fused, so every processor gives the same bytes.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    unsafe fn row_avx2(&self, y: usize, out: &mut [u8], scratch: &mut Scratch) {
        self.row(y, out, scratch);
    }

    #[inline(always)]
    fn row(&self, y: usize, out: &mut [u8], scratch: &mut Scratch) {
        let (side, rays) = (self.layers.side, self.layers.rays);
        let whole = Part { pixels: self.rendered, corner: [0, 0], size: [self.own, self.own] };
        self.enlarge.row(&whole, y, &mut scratch.narrow, &mut scratch.wide);
        if let Some((inside, enlarge)) = &self.inside {
            for x in enlarge.row(inside, y, &mut scratch.narrow, &mut scratch.inside) {
                let (pixel, fine) = (&mut scratch.wide[x], &scratch.inside[x]);
                // Where hardly anything is painted, the photo's detail belongs to the frame as it is.
                let share = (2.0 * pixel[3]).clamp(0.0, 1.0);
                for c in 0..3 {
                    pixel[c] += share * (fine[c] - pixel[c]);
                }
            }
        }
        let scale = rays as f32 / side as f32;
        let at = ((y as f32 + 0.5) * scale - 0.5).clamp(0.0, (rays - 1) as f32);
        let (j, f) = (at as usize, at - at.floor());
        let (above, below) =
            (&self.maps[j * rays..][..rays], &self.maps[(j + 1).min(rays - 1) * rays..][..rays]);
        for ((ray, a), b) in scratch.rays.iter_mut().zip(above).zip(below) {
            for k in 0..COUNT {
                ray[k] = a[k] + f * (b[k] - a[k]);
            }
        }
        let first = y * side;
        for (x, pixel) in out.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let at = ((x as f32 + 0.5) * scale - 0.5).clamp(0.0, (rays - 1) as f32);
            let (i, f) = (at as usize, at - at.floor());
            let (left, right) = (&scratch.rays[i], &scratch.rays[(i + 1).min(rays - 1)]);
            let mut ray = [0.0; COUNT];
            for k in 0..COUNT {
                ray[k] = left[k] + f * (right[k] - left[k]);
            }
            *pixel = self.pixel(first + x, x as f32, y as f32, &ray, &scratch.wide[x], 1.0 / scale);
        }
    }

    #[inline(always)]
    fn pixel(&self, at: usize, x: f32, y: f32, ray: &[f32; COUNT], frame: &[f32; 4], scale: f32) -> [u8; 3] {
        let layers = self.layers;
        let (back, missing) = (&layers.back[at], &layers.rest[at]);
        let mut colour = [0.0; 4];
        for c in 0..4 {
            colour[c] = back[c] + ray[STAYED] * missing[c];
        }
        let place = |k: f32| (k + 0.5) * self.cover.side as f32 / layers.side as f32 - 0.5;
        let cover = sample(&self.cover.values, self.cover.side, self.cover.side, place(x), place(y));
        let rendered = cover[0].clamp(0.0, 1.0);
        if rendered > 0.0 || ray[EDGE] > 0.0 {
            let (x, y) = (x + ray[FLOW] * scale, y + ray[FLOW + 1] * scale);
            let front = sample(&layers.front, layers.side, layers.side, x, y);
            let alpha = rendered + ray[EDGE] * (front[3] - rendered);
            let shown = ray[SHOWN] * (1.0 - frame[3].clamp(0.0, 1.0));
            for c in 0..4 {
                colour[c] += alpha * (frame[c] + shown * front[c] - back[c]);
            }
        }
        [0, 1, 2].map(|c| (colour[c] + 0.5) as u8)
    }
}
