//! `TriplaneDepths`: where along its rays a volume should be sampled.

use ort::{
    Result,
    operator::{
        ComputeContext, Kernel, KernelContext, Operator, OperatorInput, OperatorOutput, ShapeInferenceContext,
    },
    value::TensorElementType,
};

use super::{
    isa::Isa,
    kernel::{self, Ray, Scratch, Sink, Task},
    lanes::Lanes,
    ports::{Ports, Rays, Shared, attribute, count, floats, guarded, marching, size},
    scene::{HIDDEN, Marching, Scene},
};

const NAME: &str = "TriplaneDepths";
const INPUTS: [&str; 9] = [
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
/// Rays of one piece.
const PIECE: usize = 64;
/// The most samples of a kind.
const MOST: usize = 64;

/// The operator.
pub(super) struct Depths(pub(super) Isa);

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

/// One node of a model.
pub(super) struct DepthsKernel {
    isa: Isa,
    marching: Marching,
    sampling: Sampling,
    padded: Vec<f32>,
}

impl Operator for Depths {
    type Kernel<'a> = DepthsKernel;

    fn name(&self) -> &str {
        NAME
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        INPUTS.map(|_| OperatorInput::required(TensorElementType::Float32))
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(TensorElementType::Float32)]
    }

    fn infer_shape(&self, context: &mut ShapeInferenceContext) -> Result<()> {
        let samples = context.attr::<i64>("coarse").unwrap_or(0) + context.attr::<i64>("fine").unwrap_or(0);
        let rays = size(context, 7, 1);
        context.set_output(0, &floats(&[1, rays, samples]))
    }

    fn create_kernel<'a>(&self, kernel: &KernelContext<'a>) -> Result<DepthsKernel> {
        guarded(NAME, || {
            let sampling = Sampling {
                coarse: count(kernel, NAME, "coarse", 2..=MOST)?,
                fine: count(kernel, NAME, "fine", 0..=MOST)?,
                near: attribute(kernel, NAME, "near", |x| x >= 0.0)?,
                far: attribute(kernel, NAME, "far", |x| x > 0.0)?,
            };
            Ok(DepthsKernel { isa: self.0, marching: marching(kernel, NAME)?, sampling, padded: Vec::new() })
        })
    }
}

impl Kernel for DepthsKernel {
    fn compute(&mut self, context: &ComputeContext) -> Result<()> {
        guarded(NAME, || self.sample(&Ports { operator: NAME, names: &INPUTS, context }))
    }
}

impl DepthsKernel {
    fn sample(&mut self, ports: &Ports<'_>) -> Result<()> {
        let (origins, directions) = (ports.input("origins")?, ports.input("directions")?);
        let rays = Rays::new(&origins, &directions)?;
        let decoder = ports.decoder()?;
        let planes = ports.input("planes")?;
        let scene = Scene {
            occupancy: ports.occupancy(self.marching.radius)?,
            ..ports.scene(self.marching, &decoder, &planes, &mut self.padded)?
        };
        let samples = self.sampling.coarse + self.sampling.fine;
        let mut depths = ports.output(0, [1, rays.len(), samples])?;
        let task = Search {
            scene: &scene,
            rays: &rays,
            sampling: self.sampling,
            depths: Shared::new(depths.try_extract_tensor_mut::<f32>()?.1),
        };
        ports.run(self.isa, &task, rays.len().div_ceil(PIECE))
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
