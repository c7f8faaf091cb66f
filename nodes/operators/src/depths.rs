//! `TriplaneDepths`: where along its rays a volume should be sampled.

use ort::Result;

use super::{
    attributes::Attributes,
    kernel::{self, Ray, Scratch, Sink, Task},
    lanes::Lanes,
    operator::{Fused, Known},
    ports::{Ports, Shared},
    scene::{HIDDEN, Marching, Scene},
    volume::{Rays, Volume},
};

/// Rays of one piece.
const PIECE: usize = 64;
/// The most samples of a kind.
const MOST: usize = 64;

/// The sampling constants, attributes of the operator.
#[derive(Clone, Copy, Debug)]
struct Sampling {
    /// Evenly spaced samples, from `near` before the point of a ray that is nearest to the volume's origin to `far` behind it.
    coarse: usize,
    /// Samples where the weight of those is.
    fine: usize,
    near: f32,
    far: f32,
}

/// The operator.
pub(super) struct Depths {
    marching: Marching,
    sampling: Sampling,
    padded: Vec<f32>,
}

impl Fused for Depths {
    const NAME: &'static str = "TriplaneDepths";
    const INPUTS: &'static [&'static str] = &[
        "planes",
        "warp",
        "decode1_weight",
        "decode1_bias",
        "decode2_weight",
        "decode2_bias",
        "occupancy",
        "origins",
        "directions",
    ];

    fn shapes(known: &Known<'_>) -> Vec<Vec<i64>> {
        let (coarse, fine) = (known.count("coarse"), known.count("fine"));
        let samples = if coarse < 0 || fine < 0 { -1 } else { coarse + fine };
        vec![vec![1, known.size("origins", 1), samples]]
    }

    fn new(attributes: &Attributes<'_>) -> Result<Self> {
        let sampling = Sampling {
            coarse: attributes.count("coarse", 2..=MOST)?,
            fine: attributes.count("fine", 0..=MOST)?,
            near: attributes.number("near", |x| x >= 0.0)?,
            far: attributes.number("far", |x| x > 0.0)?,
        };
        Ok(Self { marching: attributes.marching()?, sampling, padded: Vec::new() })
    }

    fn compute(&mut self, ports: &Ports<'_>) -> Result<()> {
        let (origins, directions) = (ports.input("origins")?, ports.input("directions")?);
        let rays = Rays::new(&origins, &directions)?;
        let volume = Volume::new(ports)?;
        let scene = Scene {
            warp: ports.warp(self.marching.radius)?,
            occupancy: ports.occupancy(self.marching.radius)?,
            ..volume.scene(self.marching, &mut self.padded)?
        };
        let samples = self.sampling.coarse + self.sampling.fine;
        let mut depths = ports.output(0, [1, rays.len(), samples])?;
        let task = Search { scene: &scene, rays: &rays, sampling: self.sampling, depths: depths.shared()? };
        ports.run(&task, rays.len().div_ceil(PIECE))
    }
}

struct Search<'a> {
    scene: &'a Scene<'a>,
    rays: &'a Rays<'a>,
    sampling: Sampling,
    depths: Shared<f32>,
}

impl Task for Search<'_> {
    fn blocks(&self) -> usize {
        self.scene.decoder.blocks
    }

    #[inline(always)]
    unsafe fn run<V: Lanes, const B: usize, const H: usize>(&self, index: usize) {
        let Sampling { coarse, fine, near, far } = self.sampling;
        let mut scratch = Scratch::new();
        let mut depths = [0.0; 2 * MOST];
        let mut weights = Weights([0.0; MOST]);
        let width = (far + near) / (coarse - 1) as f32;
        for at in index * PIECE..((index + 1) * PIECE).min(self.rays.len()) {
            // Nothing is taken of empty space.
            weights.0 = [0.0; MOST];
            let origin = self.rays.origins[at];
            let reach = origin.iter().map(|x| x * x).sum::<f32>().sqrt();
            for (step, depth) in depths[..coarse].iter_mut().enumerate() {
                *depth = reach + (step as f32 * width - near);
            }
            let ray = Ray { origin, direction: self.rays.directions[at], depths: &depths[..coarse] };
            // SAFETY: as of this function. Nothing is left out: where a ray is dark, its weights are small, not zero.
            unsafe { kernel::march::<V, B, H>(self.scene, ray, 0.0, &mut scratch, &mut weights) };
            let (from, to) = depths.split_at_mut(coarse);
            importance(&weights.0[..coarse], from, width, &mut to[..fine]);
            let depths = &mut depths[..coarse + fine];
            depths.sort_unstable_by(f32::total_cmp);
            // SAFETY: each piece has rays of its own; the output lives until all pieces are done.
            unsafe { self.depths.write(at * (coarse + fine), depths) };
        }
    }
}

/// How much is seen of each sample.
struct Weights([f32; MOST]);

impl Sink for Weights {
    #[inline(always)]
    unsafe fn take(&mut self, number: usize, light: f32, opacity: f32, _: &[f32; HIDDEN], _: [f32; 3]) {
        self.0[number] = light * opacity;
    }
}

/// Samples where the weight is: the inverse of its cumulative sum at even quantiles, each spread over `width`.
fn importance(weights: &[f32], coarse: &[f32], width: f32, fine: &mut [f32]) {
    let mut cumulative = [0.0; MOST];
    let (mut sum, mut before) = (0.0, 0.0);
    for (weight, cumulative) in weights.iter().zip(&mut cumulative) {
        // No part of a ray is without samples, and what lies behind something dense has half as many at least.
        let weight = weight + 1e-3;
        sum += f32::max(weight, 0.5 * before);
        before = weight;
        *cumulative = sum;
    }
    let mut at = 0;
    let count = fine.len() as f32;
    for (number, depth) in fine.iter_mut().enumerate() {
        let quantile = (number as f32 + 0.5) / count;
        while at < weights.len() - 1 && cumulative[at] / sum < quantile {
            at += 1;
        }
        let low = if at > 0 { cumulative[at - 1] / sum } else { 0.0 };
        let part = ((quantile - low) / (cumulative[at] / sum - low + 1e-8)).clamp(0.0, 1.0);
        *depth = coarse[at] + (part - 0.5) * width;
    }
}
