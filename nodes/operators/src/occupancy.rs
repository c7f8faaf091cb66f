//! `TriplaneOccupancy`: which cells of a volume hold anything.

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
    ports::{Ports, Shared, attribute, count, floats, guarded, marching},
    scene::{HIDDEN, Marching, Scene},
};

const NAME: &str = "TriplaneOccupancy";
const INPUTS: [&str; 6] =
    ["planes", "warp", "decode1_weight", "decode1_bias", "decode2_weight", "decode2_bias"];
/// The most cells along an axis.
const MOST: usize = 128;

/// The operator.
pub(super) struct Occupancy(pub(super) Isa);

/// One node of a model.
pub(super) struct OccupancyKernel {
    isa: Isa,
    marching: Marching,
    /// Cells along an axis.
    side: usize,
    /// Opacity of a unit of length above which a place is not empty.
    opacity: f32,
    padded: Vec<f32>,
}

impl Operator for Occupancy {
    type Kernel<'a> = OccupancyKernel;

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
        let side = context.attr::<i64>("side").unwrap_or(-1);
        context.set_output(0, &floats(&[1, 1, side, side, side]))
    }

    fn create_kernel<'a>(&self, kernel: &KernelContext<'a>) -> Result<OccupancyKernel> {
        guarded(NAME, || {
            let side = count(kernel, NAME, "side", 1..=MOST)?;
            Ok(OccupancyKernel {
                isa: self.0,
                // Every place stands for a unit of length, the last of a row as well.
                marching: Marching { last: 1.0, ..marching(kernel, NAME)? },
                side,
                opacity: attribute(kernel, NAME, "opacity", |x| x > 0.0)?,
                padded: Vec::new(),
            })
        })
    }
}

impl Kernel for OccupancyKernel {
    fn compute(&mut self, context: &ComputeContext) -> Result<()> {
        guarded(NAME, || self.occupancy(&Ports { operator: NAME, names: &INPUTS, context }))
    }
}

impl OccupancyKernel {
    fn occupancy(&mut self, ports: &Ports<'_>) -> Result<()> {
        let decoder = ports.decoder()?;
        let planes = ports.input("planes")?;
        let scene = ports.scene(self.marching, &decoder, &planes, &mut self.padded)?;
        // Corners, middles of edges, faces and cells: two places a cell, and one more.
        let places = 2 * self.side + 1;
        let depths: Vec<f32> = (0..places).map(|place| place as f32).collect();
        let mut opacities = vec![0.0; places * places * places];
        let task = Survey { scene: &scene, depths: &depths, opacities: Shared::new(&mut opacities) };
        ports.run(self.isa, &task, places * places)?;
        let mut cells = ports.output(0, [1, 1, self.side, self.side, self.side])?;
        let places_of = |at: usize| 2 * at..2 * at + 3;
        let found = pool(places, self.side, places_of, |index| opacities[index] > self.opacity);
        // And one cell around, for what is smaller than the places are apart.
        let beside = |at: usize| at.saturating_sub(1)..(at + 2).min(self.side);
        let found = pool(self.side, self.side, beside, |index| found[index]);
        for (cell, found) in cells.try_extract_tensor_mut::<f32>()?.1.iter_mut().zip(found) {
            *cell = f32::from(found);
        }
        Ok(())
    }
}

/// For each of `count`³ cells, whether `holds` is true of any of the places, of a grid of `from`³, in its `range` along each axis.
fn pool(
    from: usize,
    count: usize,
    range: impl Fn(usize) -> std::ops::Range<usize>,
    holds: impl Fn(usize) -> bool,
) -> Vec<bool> {
    let any = |index: usize| {
        let [x, y, z] = [index % count, index / count % count, index / (count * count)].map(&range);
        z.into_iter().any(|z| y.clone().any(|y| x.clone().any(|x| holds((z * from + y) * from + x))))
    };
    (0..count * count * count).map(any).collect()
}

/// Opacities of a unit of length at places of a cube, row by row.
struct Survey<'a> {
    scene: &'a Scene<'a>,
    /// 0, 1, 2, …
    depths: &'a [f32],
    opacities: Shared<f32>,
}

impl Task for Survey<'_> {
    fn blocks(&self) -> usize {
        self.scene.decoder.blocks
    }

    #[inline(always)]
    unsafe fn run<V: Lanes, const B: usize, const H: usize>(&self, index: usize) {
        let (places, radius) = (self.depths.len(), self.scene.marching.radius);
        let step = 2.0 * radius / (places - 1) as f32;
        let at = |place: usize| place as f32 * step - radius;
        let origin = [-radius, at(index % places), at(index / places)];
        let ray = Ray { origin, direction: [step, 0.0, 0.0], depths: self.depths };
        let mut row = Row([0.0; 2 * MOST + 1]);
        // SAFETY: as of this function; each piece has a row of its own.
        unsafe {
            kernel::march::<V, B, H>(self.scene, ray, 0.0, &mut Scratch::new(), &mut row);
            self.opacities.write(index * places, &row.0[..places]);
        }
    }
}

/// The opacities of a row.
struct Row([f32; 2 * MOST + 1]);

impl Sink for Row {
    #[inline(always)]
    unsafe fn take(&mut self, number: usize, _: f32, opacity: f32, _: &[f32; HIDDEN], _: [f32; 3]) {
        self.0[number] = opacity;
    }
}
