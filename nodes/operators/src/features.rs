//! `TriplaneFeatures`: what the planes hold at points.

use std::sync::Mutex;

use ort::{
    Result,
    operator::{
        ComputeContext, Kernel, KernelContext, Operator, OperatorInput, OperatorOutput, ShapeInferenceContext,
    },
    value::TensorElementType,
};

use super::{
    lanes::LANES,
    ports::{Ports, attribute, floats, guarded, size},
    texels::{self, Layout, Texel},
};

const NAME: &str = "TriplaneFeatures";
const INPUTS: [&str; 2] = ["planes", "points"];
/// Points of one piece.
const PIECE: usize = 4096;

/// The operator.
pub(super) struct Features;

/// One node of a model.
pub(super) struct FeaturesKernel {
    radius: f32,
    padded: Vec<f32>,
}

impl Operator for Features {
    type Kernel<'a> = FeaturesKernel;

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
        let sizes = [size(context, 1, 0), size(context, 0, 4)];
        context.set_output(0, &floats(&sizes))
    }

    fn create_kernel<'a>(&self, kernel: &KernelContext<'a>) -> Result<FeaturesKernel> {
        guarded(NAME, || {
            let radius = attribute(kernel, NAME, "radius", |x| x > 0.0)?;
            Ok(FeaturesKernel { radius, padded: Vec::new() })
        })
    }
}

impl Kernel for FeaturesKernel {
    fn compute(&mut self, context: &ComputeContext) -> Result<()> {
        guarded(NAME, || self.look_up(&Ports { operator: NAME, names: &INPUTS, context }))
    }
}

impl FeaturesKernel {
    fn look_up(&mut self, ports: &Ports<'_>) -> Result<()> {
        let planes = ports.input("planes")?;
        let [.., channels] = planes.sizes::<5>()?;
        if !(1..=LANES).contains(&channels) {
            return Err(planes.wrong(format!("{channels} channels, expected 1 to {LANES}")));
        }
        let planes = planes.planes(channels, &mut self.padded)?;
        let layout = Layout { radius: self.radius, height: planes.height, width: planes.width };
        let (texels, _) = planes.texels.as_chunks();
        let points = ports.input("points")?;
        let points = texels::points(&points)?;
        let mut features = ports.output(0, [points.len(), channels])?;
        let features = features.try_extract_tensor_mut::<f32>()?.1;
        let pieces: Vec<_> =
            points.chunks(PIECE).zip(features.chunks_mut(PIECE * channels).map(Mutex::new)).collect();
        ports.each(pieces.len(), |index| {
            let (points, features) = &pieces[index];
            let mut features = features.try_lock().expect("a piece is taken once");
            for (point, features) in points.iter().zip(features.chunks_exact_mut(channels)) {
                features.copy_from_slice(&layout.gather(texels, point)[..channels]);
            }
        })
    }
}

impl Layout {
    /// The sum of what the planes hold at `point`.
    fn gather(&self, texels: &[Texel], point: &[f32; 3]) -> Texel {
        let mut sum = [0.0; LANES];
        for (plane, texels) in texels.chunks_exact(self.height * self.width).enumerate() {
            let [across, down] = self.place(plane, point);
            for (row, weight) in down.both() {
                let texels = &texels[row * self.width + across.low..][..2];
                for (texel, (_, across)) in texels.iter().zip(across.both()) {
                    let weight = across * weight;
                    for (sum, value) in sum.iter_mut().zip(texel) {
                        *sum += weight * value;
                    }
                }
            }
        }
        sum
    }
}
