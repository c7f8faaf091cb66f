//! `TriplaneOccupancy`: which cells of a volume hold anything.

use ort::Result;

use super::{
    attributes::Attributes,
    kernel::{self, Ray, Scratch, Sink, Task},
    lanes::Lanes,
    operator::{Fused, Known},
    ports::{Ports, Shared},
    scene::{HIDDEN, Marching, Scene},
    volume::Volume,
};

/// The most cells along an axis.
const MOST: usize = 128;

/// The operator.
pub(super) struct Occupancy {
    marching: Marching,
    /// Cells along an axis.
    side: usize,
    /// Opacity of a unit of length above which a place is not empty.
    opacity: f32,
    padded: Vec<f32>,
}

impl Fused for Occupancy {
    const NAME: &'static str = "TriplaneOccupancy";
    const INPUTS: &'static [&'static str] =
        &["planes", "warp", "decode1_weight", "decode1_bias", "decode2_weight", "decode2_bias"];

    fn shapes(known: &Known<'_>) -> Vec<Vec<i64>> {
        let side = known.count("side");
        vec![vec![1, 1, side, side, side]]
    }

    fn new(attributes: &Attributes<'_>) -> Result<Self> {
        Ok(Self {
            side: attributes.count("side", 1..=MOST)?,
            // Every place stands for a unit of length, the last of a row as well.
            marching: Marching { last: 1.0, ..attributes.marching()? },
            opacity: attributes.number("opacity", |x| x > 0.0)?,
            padded: Vec::new(),
        })
    }

    fn compute(&mut self, ports: &Ports<'_>) -> Result<()> {
        let volume = Volume::new(ports)?;
        let scene = Scene {
            warp: ports.warp(self.marching.radius)?,
            ..volume.scene(self.marching, &mut self.padded)?
        };
        // Corners, middles of edges, faces and cells: two places a cell, and one more.
        let places = 2 * self.side + 1;
        let depths: Vec<f32> = (0..places).map(|place| place as f32).collect();
        let mut opacities = vec![0.0; places * places * places];
        let task = Survey { scene: &scene, depths: &depths, opacities: Shared::new(&mut opacities) };
        ports.run(&task, places * places)?;
        let mut cells = ports.output(0, [1, 1, self.side, self.side, self.side])?;
        let places_of = |at: usize| 2 * at..2 * at + 3;
        let found = pool(places, self.side, places_of, |index| opacities[index] > self.opacity);
        // And one cell around, for what is smaller than the places are apart.
        let beside = |at: usize| at.saturating_sub(1)..(at + 2).min(self.side);
        let found = pool(self.side, self.side, beside, |index| found[index]);
        for (cell, found) in cells.floats()?.iter_mut().zip(found) {
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
