//! `TriplaneGradient`: what the planes would have to change by, given what the features at points would.

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
    ports::{Ports, attribute, count, floats, guarded, size},
    texels::{self, Layout, Texel},
};

const NAME: &str = "TriplaneGradient";
const INPUTS: [&str; 2] = ["points", "gradient"];
/// The most texels along an axis.
const MOST: usize = 1 << 12;
/// Rows of one piece: few enough that they stay in a core's cache, enough that points are not looked through too often. Every texel
/// sums its points in their order, so that results do not depend on it, nor on threads.
const BAND: usize = 32;

/// The operator.
pub(super) struct Gradient;

/// One node of a model.
pub(super) struct GradientKernel {
    radius: f32,
    height: usize,
    width: usize,
    padded: Vec<f32>,
}

impl Operator for Gradient {
    type Kernel<'a> = GradientKernel;

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
        let channels = size(context, 1, 1);
        let [height, width] = ["height", "width"].map(|name| context.attr::<i64>(name).unwrap_or(-1));
        context.set_output(0, &floats(&[1, 3, height, width, channels]))
    }

    fn create_kernel<'a>(&self, kernel: &KernelContext<'a>) -> Result<GradientKernel> {
        guarded(NAME, || {
            Ok(GradientKernel {
                radius: attribute(kernel, NAME, "radius", |x| x > 0.0)?,
                height: count(kernel, NAME, "height", 2..=MOST)?,
                width: count(kernel, NAME, "width", 2..=MOST)?,
                padded: Vec::new(),
            })
        })
    }
}

impl Kernel for GradientKernel {
    fn compute(&mut self, context: &ComputeContext) -> Result<()> {
        guarded(NAME, || self.spread(&Ports { operator: NAME, names: &INPUTS, context }))
    }
}

impl GradientKernel {
    fn spread(&mut self, ports: &Ports<'_>) -> Result<()> {
        let points = ports.input("points")?;
        let points = texels::points(&points)?;
        let gradient = ports.input("gradient")?;
        let [count, channels] = gradient.sizes()?;
        if count != points.len() || !(1..=LANES).contains(&channels) {
            let expected = format!("[{},C] with C from 1 to {LANES}", points.len());
            return Err(gradient.wrong(format!("shape [{count},{channels}], expected {expected}")));
        }
        let layout = Layout { radius: self.radius, height: self.height, width: self.width };
        let (gradient, _) = gradient.filled_up(channels, &mut self.padded)?.as_chunks();
        let mut planes = ports.output(0, [1, 3, self.height, self.width, channels])?;
        let planes = planes.try_extract_tensor_mut::<f32>()?.1;
        let row = self.width * channels;
        let bands = planes.chunks_exact_mut(self.height * row).enumerate().flat_map(|(plane, texels)| {
            let bands = texels.chunks_mut(BAND * row).enumerate();
            bands.map(move |(number, texels)| (plane, number * BAND, Mutex::new(texels)))
        });
        let bands: Vec<_> = bands.collect();
        ports.each(bands.len(), |index| {
            let (plane, first, out) = &bands[index];
            let mut out = out.try_lock().expect("a band is taken once");
            let mut band = vec![[0.0; LANES]; out.len() / channels];
            let reach = layout.reach(*first, band.len() / self.width);
            for (point, gradient) in points.iter().zip(gradient) {
                if reach.contains(&layout.down(*plane, point)) {
                    layout.scatter(*plane, *first, point, gradient, &mut band);
                }
            }
            for (out, texel) in out.chunks_exact_mut(channels).zip(&band) {
                out.copy_from_slice(&texel[..channels]);
            }
        })
    }
}

impl Layout {
    /// Adds `gradient` to the texels that `point` is made of, as far as they are in `band`, rows of `plane` from `first` on.
    fn scatter(&self, plane: usize, first: usize, point: &[f32; 3], gradient: &Texel, band: &mut [Texel]) {
        let [across, down] = self.place(plane, point);
        for (row, weight) in down.both() {
            let Some(row) = row.checked_sub(first).and_then(|row| band.chunks_exact_mut(self.width).nth(row))
            else {
                continue;
            };
            for (to, (_, across)) in row[across.low..][..2].iter_mut().zip(across.both()) {
                let weight = across * weight;
                for (to, from) in to.iter_mut().zip(gradient) {
                    *to += weight * from;
                }
            }
        }
    }
}
