//! `TriplaneMarchGradient`: what decoder and looked-up features would have to change by, given what the outputs of `TriplaneMarch` would.

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
    Rays, SUMS, Sampled,
    reverse::{Asked, Reverse, Sums},
    samples::Samples,
};

const NAME: &str = "TriplaneMarchGradient";
/// Those of `TriplaneMarch`, then the gradients of its outputs.
const INPUTS: [&str; 11] = {
    let mut names = ["to_features"; 11];
    let mut at = 0;
    while at < super::INPUTS.len() {
        names[at] = super::INPUTS[at];
        at += 1;
    }
    names[10] = "to_sums";
    names
};

/// The operator.
pub(in super::super) struct Backward(pub(in super::super) Isa);

/// One node of a model.
pub(in super::super) struct BackwardKernel {
    isa: Isa,
    marching: Marching,
    padded: Vec<f32>,
}

impl Operator for Backward {
    type Kernel<'a> = BackwardKernel;

    fn name(&self) -> &str {
        NAME
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        INPUTS.map(|_| OperatorInput::required(TensorElementType::Float32))
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [(); 5].map(|()| OperatorOutput::required(TensorElementType::Float32))
    }

    fn infer_shape(&self, context: &mut ShapeInferenceContext) -> Result<()> {
        let size = |input, axis| size(context, input, axis);
        let (hidden, channels, points) = (size(1, 0), size(1, 1), size(5, 0));
        let more = size(3, 0);
        context.set_output(0, &floats(&[points, channels]))?;
        context.set_output(1, &floats(&[hidden, channels]))?;
        context.set_output(2, &floats(&[hidden]))?;
        context.set_output(3, &floats(&[more, hidden]))?;
        context.set_output(4, &floats(&[more]))
    }

    fn create_kernel<'a>(&self, kernel: &KernelContext<'a>) -> Result<BackwardKernel> {
        guarded(NAME, || {
            Ok(BackwardKernel { isa: self.0, marching: marching(kernel, NAME)?, padded: Vec::new() })
        })
    }
}

impl Kernel for BackwardKernel {
    fn compute(&mut self, context: &ComputeContext) -> Result<()> {
        guarded(NAME, || self.reverse(&Ports { operator: NAME, names: &INPUTS, context }))
    }
}

impl BackwardKernel {
    fn reverse(&mut self, ports: &Ports<'_>) -> Result<()> {
        let sampled = Sampled::new(ports)?;
        let rays = sampled.rays()?;
        let decoder = ports.decoder()?;
        let planes = ports.input("planes")?;
        let scene = ports.canonical(self.marching, &decoder, &planes, &mut self.padded)?;
        let (to_features, to_sums) = (ports.input("to_features")?, ports.input("to_sums")?);
        to_features.expect(&[decoder.channels, rays.count])?;
        to_sums.expect(&[SUMS, rays.count])?;
        let mut points = ports.output(0, [rays.points.len(), decoder.channels])?;
        let mut sums = vec![Sums::new(); rays.pieces()];
        let task = Frame {
            reverse: Reverse::new(&scene),
            scene: &scene,
            rays: &rays,
            to_features: to_features.floats()?,
            to_sums: to_sums.floats()?,
            points: Shared::new(points.try_extract_tensor_mut::<f32>()?.1),
            sums: Shared::new(&mut sums),
        };
        ports.run(self.isa, &task, rays.pieces())?;
        let mut all = Sums::new();
        for piece in &sums {
            all.add(piece);
        }
        let hidden = decoder.hidden;
        let outputs = [
            ports.output(1, [hidden, decoder.channels])?,
            ports.output(2, [hidden])?,
            ports.output(3, [decoder.channels + 1, hidden])?,
            ports.output(4, [decoder.channels + 1])?,
        ];
        for (mut output, values) in outputs.into_iter().zip(all.outputs(hidden, decoder.channels)) {
            output.try_extract_tensor_mut::<f32>()?.1.copy_from_slice(&values);
        }
        Ok(())
    }
}

struct Frame<'a> {
    scene: &'a Scene<'a>,
    reverse: Reverse<'a>,
    rays: &'a Rays<'a>,
    to_features: &'a [f32],
    to_sums: &'a [f32],
    points: Shared<f32>,
    sums: Shared<Sums>,
}

impl Task for Frame<'_> {
    fn blocks(&self) -> usize {
        self.scene.decoder.blocks
    }

    #[inline(always)]
    unsafe fn run<V: Lanes, const B: usize, const H: usize>(&self, index: usize) {
        let channels = self.scene.decoder.channels;
        let (count, each) = (self.rays.count, self.rays.samples);
        let mut samples = Samples::new(each);
        let mut found = vec![[0.0; LANES]; each.next_multiple_of(LANES)];
        let mut row = vec![0.0; each * channels];
        let mut sums = Sums::new();
        for at in self.rays.piece(index) {
            let (given, marked) = self.rays.ray(at);
            let mut asked = Asked { features: [0.0; LANES], sums: [0.0; SUMS], depths: given.depths, marked };
            for channel in 0..channels {
                asked.features[channel] = self.to_features[channel * count + at];
            }
            for sum in 0..SUMS {
                asked.sums[sum] = self.to_sums[sum * count + at];
            }
            // SAFETY: as of this function.
            unsafe {
                samples.decode::<V, B, H>(self.scene, given);
                self.reverse.ray::<V, B, H>(&samples, asked, &mut found, &mut sums);
            }
            row.fill(0.0);
            for (row, found) in row.chunks_exact_mut(channels).zip(&found[..samples.count]) {
                row.copy_from_slice(&found[..channels]);
            }
            // SAFETY: each piece has rays of its own; the output lives until all pieces are done.
            unsafe { self.points.write(at * row.len(), &row) };
        }
        // SAFETY: each piece has sums of its own.
        unsafe { self.sums.write(index, &[sums]) };
    }
}
