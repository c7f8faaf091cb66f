//! `TriplaneRender`: rays, bent, through a volume, before a background.

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
    isa::Isa,
    kernel::{self, Ray, Scratch, Sink, Task},
    lanes::{LANES, Lanes},
    ports::{Ports, Rays, Shared, floats, guarded, marching, size},
    scene::{HIDDEN, Marching, Scene},
};

const NAME: &str = "TriplaneRender";
const INPUTS: [&str; 16] = [
    "planes",
    "warp",
    "decode1_weight",
    "decode1_bias",
    "decode2_weight",
    "decode2_bias",
    "occupancy",
    "background",
    "origins",
    "directions",
    "depths",
    "pixels",
    "motion",
    "motion_box",
    "detail",
    "detail_box",
];
/// Alpha below which `source` fades to zero, so that nothing is divided by nothing.
const FAINT: f32 = 1e-4;
/// Rays of one piece.
const PIECE: usize = 64;

/// The operator.
pub(super) struct Render(pub(super) Isa);

/// One node of a model.
pub(super) struct RenderKernel {
    isa: Isa,
    marching: Marching,
    padded: Vec<f32>,
}

impl Operator for Render {
    type Kernel<'a> = RenderKernel;

    fn name(&self) -> &str {
        NAME
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        INPUTS.map(|name| {
            OperatorInput::required(match name {
                "pixels" => TensorElementType::Int64,
                _ => TensorElementType::Float32,
            })
        })
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        let (required, optional) = (OperatorOutput::required, OperatorOutput::optional);
        [required, required, optional].map(|output| output(TensorElementType::Float32))
    }

    fn infer_shape(&self, context: &mut ShapeInferenceContext) -> Result<()> {
        let size = |input, axis| size(context, input, axis);
        let (channels, rays) = (size(0, 4), size(8, 1));
        for (output, channels) in [(0, channels), (1, 1)] {
            context.set_output(output, &floats(&[1, channels, rays]))?;
        }
        // Fails where a model does not ask for it.
        let _ = context.set_output(2, &floats(&[1, 3, rays]));
        Ok(())
    }

    fn create_kernel<'a>(&self, kernel: &KernelContext<'a>) -> Result<RenderKernel> {
        guarded(NAME, || {
            Ok(RenderKernel { isa: self.0, marching: marching(kernel, NAME)?, padded: Vec::new() })
        })
    }
}

impl Kernel for RenderKernel {
    fn compute(&mut self, context: &ComputeContext) -> Result<()> {
        guarded(NAME, || self.render(&Ports { operator: NAME, names: &INPUTS, context }))
    }
}

impl RenderKernel {
    fn render(&mut self, ports: &Ports<'_>) -> Result<()> {
        let (origins, directions) = (ports.input("origins")?, ports.input("directions")?);
        let rays = Rays::new(&origins, &directions)?;
        let depths = ports.input("depths")?;
        let [_, _, samples] = depths.sizes()?;
        depths.expect(&[1, rays.len(), samples.max(1)])?;
        let decoder = ports.decoder()?;
        let planes = ports.input("planes")?;
        let bends = [ports.lattice("motion", "motion_box")?, ports.lattice("detail", "detail_box")?];
        let scene = Scene {
            occupancy: ports.occupancy(self.marching.radius)?,
            bends: bends.into_iter().flatten().collect(),
            ..ports.scene(self.marching, &decoder, &planes, &mut self.padded)?
        };
        let background = ports.input("background")?;
        let [_, _, height, width] = background.sizes()?;
        background.expect(&[1, decoder.channels, height, width])?;
        let pixels = ports.input("pixels")?;
        pixels.expect(&[rays.len()])?;
        let area = height * width;
        if let Some(pixel) = pixels.integers()?.iter().find(|pixel| !(0..area as i64).contains(*pixel)) {
            return Err(pixels.wrong(format!("{pixel} is no pixel of a background of {area}")));
        }
        let output = |index, channels| ports.output(index, [1, channels, rays.len()]);
        let (mut features, mut alpha) = (output(0, decoder.channels)?, output(1, 1)?);
        let mut source = ports.wanted(2, [1, 3, rays.len()])?;
        let task = Frame {
            scene: &scene,
            rays: &rays,
            depths: depths.floats()?,
            samples,
            background: background.floats()?,
            area,
            pixels: pixels.integers()?,
            features: Shared::new(features.try_extract_tensor_mut::<f32>()?.1),
            alpha: Shared::new(alpha.try_extract_tensor_mut::<f32>()?.1),
            source: match &mut source {
                Some(source) => Some(Shared::new(source.try_extract_tensor_mut::<f32>()?.1)),
                None => None,
            },
        };
        ports.run(self.isa, &task, rays.len().div_ceil(PIECE))
    }
}

struct Frame<'a> {
    scene: &'a Scene<'a>,
    rays: &'a Rays<'a>,
    depths: &'a [f32],
    samples: usize,
    background: &'a [f32],
    area: usize,
    pixels: &'a [i64],
    features: Shared<f32>,
    alpha: Shared<f32>,
    /// `None`: not asked for.
    source: Option<Shared<f32>>,
}

impl Task for Frame<'_> {
    fn blocks(&self) -> usize {
        self.scene.decoder.blocks
    }

    #[inline(always)]
    unsafe fn run<V: Lanes, const B: usize, const H: usize>(&self, index: usize) {
        let (first, end) = (index * PIECE, ((index + 1) * PIECE).min(self.rays.len()));
        let channels = self.scene.decoder.channels;
        let mut scratch = Scratch::new();
        let mut colours = [[0.0; PIECE]; LANES];
        let mut alphas = [0.0; PIECE];
        let mut sources = [[0.0; PIECE]; 3];
        for at in first..end {
            let ray = Ray {
                origin: self.rays.origins[at],
                direction: self.rays.directions[at],
                depths: &self.depths[at * self.samples..(at + 1) * self.samples],
            };
            // SAFETY: as of this function.
            let (mut colour, alpha, place) = unsafe { self.ray::<V, B, H>(ray, &mut scratch) };
            let pixel = self.pixels[at] as usize;
            for (channel, value) in colour.iter_mut().enumerate().take(channels) {
                *value += (1.0 - alpha) * self.background[channel * self.area + pixel];
                colours[channel][at - first] = *value;
            }
            alphas[at - first] = alpha;
            for (row, sum) in sources.iter_mut().zip(place) {
                row[at - first] = sum / alpha.max(FAINT);
            }
        }
        // SAFETY: each piece has rays of its own; the outputs live until all pieces are done.
        unsafe {
            for (channel, row) in colours.iter().enumerate().take(channels) {
                self.features.write(channel * self.rays.len() + first, &row[..end - first]);
            }
            self.alpha.write(first, &alphas[..end - first]);
            for (axis, row) in sources.iter().enumerate() {
                if let Some(source) = &self.source {
                    source.write(axis * self.rays.len() + first, &row[..end - first]);
                }
            }
        }
    }
}

impl Frame<'_> {
    /// Features before the background, alpha, and the weighted sum of the bent samples.
    #[inline(always)]
    unsafe fn ray<V: Lanes, const B: usize, const H: usize>(
        &self,
        ray: Ray<'_>,
        scratch: &mut Scratch,
    ) -> ([f32; LANES], f32, [f32; 3]) {
        let decoder = self.scene.decoder;
        // SAFETY: as of this function.
        unsafe {
            let mut seen = Seen { sum: [V::splat(0.0); H], alpha: 0.0, place: [0.0; 3] };
            kernel::march::<V, B, H>(self.scene, ray, self.scene.marching.stop, scratch, &mut seen);
            (decoder.colour(seen.sum, seen.alpha), seen.alpha, seen.place)
        }
    }
}

/// The hidden vectors and the places of a ray's samples, weighted by how much of each is seen, and the sum of the weights.
struct Seen<V, const H: usize> {
    sum: [V; H],
    alpha: f32,
    place: [f32; 3],
}

impl<V: Lanes, const H: usize> Sink for Seen<V, H> {
    #[inline(always)]
    unsafe fn take(&mut self, _: usize, light: f32, opacity: f32, hidden: &[f32; HIDDEN], bent: [f32; 3]) {
        let weight = light * opacity;
        self.alpha += weight;
        for (sum, bent) in self.place.iter_mut().zip(bent) {
            *sum += weight * bent;
        }
        // SAFETY: as of this function; the vector has room for `H` blocks.
        unsafe {
            let weight = V::splat(weight);
            for block in 0..H {
                let units = V::load(hidden.as_ptr().add(LANES * block));
                self.sum[block] = weight.fma(units, self.sum[block]);
            }
        }
    }
}
