//! `TriplaneMarch`: features, alpha, depth and marked share of rays.

// Counting loops: see `kernel`.
#![allow(clippy::needless_range_loop)]

use ort::{
    Result,
    operator::{
        ComputeContext, Kernel, KernelContext, Operator, OperatorInput, OperatorOutput, ShapeInferenceContext,
    },
    value::TensorElementType,
};

use super::{
    super::{
        isa::Isa,
        kernel::Task,
        lanes::{LANES, Lanes},
        ports::{Ports, Shared, floats, guarded, marching, size},
        scene::{Marching, Scene},
    },
    INPUTS, PIECE, Rays, SUMS, Sampled,
    samples::Samples,
};

const NAME: &str = "TriplaneMarch";

/// The operator.
pub(in super::super) struct Forward(pub(in super::super) Isa);

/// One node of a model.
pub(in super::super) struct ForwardKernel {
    isa: Isa,
    marching: Marching,
    padded: Vec<f32>,
}

impl Operator for Forward {
    type Kernel<'a> = ForwardKernel;

    fn name(&self) -> &str {
        NAME
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        INPUTS.map(|_| OperatorInput::required(TensorElementType::Float32))
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [(); 2].map(|()| OperatorOutput::required(TensorElementType::Float32))
    }

    fn infer_shape(&self, context: &mut ShapeInferenceContext) -> Result<()> {
        let (channels, rays) = (size(context, 0, 4), size(context, 6, 0));
        context.set_output(0, &floats(&[channels, rays]))?;
        context.set_output(1, &floats(&[SUMS as i64, rays]))
    }

    fn create_kernel<'a>(&self, kernel: &KernelContext<'a>) -> Result<ForwardKernel> {
        guarded(NAME, || {
            Ok(ForwardKernel { isa: self.0, marching: marching(kernel, NAME)?, padded: Vec::new() })
        })
    }
}

impl Kernel for ForwardKernel {
    fn compute(&mut self, context: &ComputeContext) -> Result<()> {
        guarded(NAME, || self.march(&Ports { operator: NAME, names: &INPUTS, context }))
    }
}

impl ForwardKernel {
    fn march(&mut self, ports: &Ports<'_>) -> Result<()> {
        let sampled = Sampled::new(ports)?;
        let rays = sampled.rays()?;
        let decoder = ports.decoder()?;
        let planes = ports.input("planes")?;
        let scene = ports.canonical(self.marching, &decoder, &planes, &mut self.padded)?;
        let mut features = ports.output(0, [decoder.channels, rays.count])?;
        let mut sums = ports.output(1, [SUMS, rays.count])?;
        let task = Frame {
            scene: &scene,
            rays: &rays,
            features: Shared::new(features.try_extract_tensor_mut::<f32>()?.1),
            sums: Shared::new(sums.try_extract_tensor_mut::<f32>()?.1),
        };
        ports.run(self.isa, &task, rays.pieces())
    }
}

struct Frame<'a> {
    scene: &'a Scene<'a>,
    rays: &'a Rays<'a>,
    features: Shared<f32>,
    sums: Shared<f32>,
}

impl Task for Frame<'_> {
    fn blocks(&self) -> usize {
        self.scene.decoder.blocks
    }

    #[inline(always)]
    unsafe fn run<V: Lanes, const B: usize, const H: usize>(&self, index: usize) {
        let piece = self.rays.piece(index);
        let decoder = self.scene.decoder;
        let mut samples = Samples::new(self.rays.samples);
        let mut colours = [[0.0; PIECE]; LANES];
        let mut sums = [[0.0; PIECE]; SUMS];
        for at in piece.clone() {
            let (given, marked) = self.rays.ray(at);
            let mut seen = [0.0; SUMS];
            // SAFETY: as of this function; the decoder's arrays have whole vectors.
            let colour = unsafe {
                samples.decode::<V, B, H>(self.scene, given);
                let mut units = [V::splat(0.0); H];
                for sample in 0..samples.count {
                    let weight = samples.weight[sample];
                    seen[0] += weight;
                    seen[1] += weight * given.depths[sample];
                    seen[2] += weight * marked[sample];
                    for block in 0..H {
                        let hidden = V::load(samples.hidden[sample].as_ptr().add(LANES * block));
                        units[block] = V::splat(weight).fma(hidden, units[block]);
                    }
                }
                decoder.colour(units, seen[0])
            };
            for channel in 0..decoder.channels {
                colours[channel][at - piece.start] = colour[channel];
            }
            for sum in 0..SUMS {
                sums[sum][at - piece.start] = seen[sum];
            }
        }
        // SAFETY: each piece has rays of its own; the outputs live until all pieces are done.
        unsafe {
            for (channel, row) in colours.iter().enumerate().take(decoder.channels) {
                self.features.write(channel * self.rays.count + piece.start, &row[..piece.len()]);
            }
            for (sum, row) in sums.iter().enumerate() {
                self.sums.write(sum * self.rays.count + piece.start, &row[..piece.len()]);
            }
        }
    }
}
