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
    pub(super) steps: &'a Places,
    /// The rays about which the photo shows all that there is; R·R.
    pub(super) still: &'a [bool],
}

/// Where the pixels of a finished frame lie among rays, and among the places of the head's cover.
pub(super) struct Places {
    pub(super) rays: Steps,
    pub(super) cover: Steps,
}

/// Room for what a row is made of.
#[derive(Default)]
struct Scratch {
    narrow: Vec<f32x4>,
    inside: Vec<f32x4>,
    rays: Vec<f32x4>,
    cover: Vec<f32>,
}

/// Where between two pixels of a line of `from` pixels the pixels of `to` lie.
pub(super) struct Steps(Vec<Step>);

/// The pixel before, the one after, and the share of that.
#[derive(Clone, Copy)]
struct Step {
    before: u32,
    after: u32,
    share: f32,
}

impl Steps {
    pub(super) fn new(from: usize, to: usize) -> Self {
        let (scale, last) = (from as f32 / to as f32, (from - 1) as f32);
        let at = |pixel: usize| {
            let at = ((pixel as f32 + 0.5) * scale - 0.5).clamp(0.0, last);
            let before = at as u32;
            Step { before, after: (before + 1).min(last as u32), share: at - before as f32 }
        };
        Self((0..to).map(at).collect())
    }

    /// The lines of `values`, `from` wide, that line `y` lies between, mixed into `out`.
    #[inline(always)]
    fn mix_lines<T>(&self, y: usize, values: &[T], from: usize, out: &mut Vec<T>)
    where
        T: Copy + Mix,
    {
        let step = self.0[y];
        let line = |at: u32| &values[at as usize * from..][..from];
        out.clear();
        out.extend(line(step.before).iter().zip(line(step.after)).map(|(a, b)| a.mix(*b, step.share)));
    }

    /// Pixel `x` of a line.
    #[inline(always)]
    fn pixel<T: Copy + Mix>(&self, x: usize, line: &[T]) -> T {
        let step = self.0[x];
        line[step.before as usize].mix(line[step.after as usize], step.share)
    }
}

trait Mix {
    /// What lies `share` of the way to `other`.
    fn mix(self, other: Self, share: f32) -> Self;
}

impl Mix for f32 {
    #[inline(always)]
    fn mix(self, other: Self, share: f32) -> Self {
        self + share * (other - self)
    }
}

impl Mix for f32x4 {
    #[inline(always)]
    fn mix(self, other: Self, share: f32) -> Self {
        self + f32x4::splat(share) * (other - self)
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
        self.steps.rays.mix_lines(y, self.maps, rays, &mut scratch.rays);
        self.steps.cover.mix_lines(y, &self.cover.values, self.cover.side, &mut scratch.cover);
        let still = &self.still[y * rays / side * rays..][..rays];
        let line = Line::of(self.layers, y);
        for (cell, still) in still.iter().enumerate() {
            let columns = (cell * side).div_ceil(rays)..((cell + 1) * side).div_ceil(rays);
            if *still {
                let bytes = 3 * columns.start..3 * columns.end;
                out[bytes.clone()].copy_from_slice(&line.photo[bytes]);
                continue;
            }
            for (x, out) in columns.clone().zip(out[3 * columns.start..].as_chunks_mut::<3>().0) {
                let ray = self.steps.rays.pixel(x, &scratch.rays);
                let cover = self.steps.cover.pixel(x, &scratch.cover).clamp(0.0, 1.0);
                let frame = || {
                    let mut frame = self.enlarge.at(&whole, &scratch.narrow, x);
                    if let Some((inside, enlarge)) = &self.inside
                        && painted.contains(&x)
                    {
                        // Where hardly anything is painted, the photo's detail belongs to the frame as it is.
                        let share = (2.0 * frame.to_array()[3]).clamp(0.0, 1.0);
                        let fine = enlarge.at(inside, &scratch.inside, x);
                        frame += f32x4::from([share, share, share, 0.0]) * (fine - frame);
                    }
                    frame
                };
                *out = line.pixel([x, y], ray, cover, frame);
            }
        }
    }
}

/// A row of the layers.
struct Line<'a> {
    layers: &'a Layers,
    photo: &'a [u8],
    back: &'a [[u8; 4]],
    rest: &'a [[i16; 4]],
}

impl<'a> Line<'a> {
    fn of(layers: &'a Layers, y: usize) -> Self {
        let side = layers.side;
        Self {
            layers,
            photo: &layers.photo[y * 3 * side..][..3 * side],
            back: &layers.back[y * side..][..side],
            rest: &layers.rest[y * side..][..side],
        }
    }

    /// A pixel of the frame, from what is known of its `ray`, how far the head covers it, and the generator's frame there.
    #[inline(always)]
    fn pixel(&self, [x, y]: [usize; 2], ray: f32x4, cover: f32, frame: impl FnOnce() -> f32x4) -> [u8; 3] {
        let [right, down, shown, edge] = ray.to_array();
        let moved = right * right + down * down;
        let mut colour = f32x4::ZERO;
        let inner = cover >= 1.0 && edge <= 0.0;
        if !inner {
            colour = f32x4::from(self.back[x].map(f32::from));
        }
        let back = colour;
        if moved < STILL * STILL {
            let stayed = 1.0 - moved.sqrt() / STILL;
            colour += f32x4::splat(stayed / REST_STEPS) * f32x4::from(self.rest[x].map(f32::from));
        }
        if cover > 0.0 || edge > 0.0 {
            let scale = self.layers.side as f32 / self.layers.rays as f32;
            let front = self.layers.front_at(x as f32 + right * scale, y as f32 + down * scale);
            let frame = frame();
            let shown = shown * (1.0 - frame.to_array()[3].clamp(0.0, 1.0));
            let head = frame + f32x4::splat(shown) * front;
            if inner {
                colour += head;
            } else {
                let alpha = cover + edge * (front.to_array()[3] - cover);
                colour += f32x4::splat(alpha) * (head - back);
            }
        }
        let bytes = colour.fast_max(f32x4::ZERO).fast_min(f32x4::splat(255.0)).fast_round_int().to_array();
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
