//! `TriplaneRender`: rays, bent, through a volume, before a background.

// Counting loops: see `kernel`.
#![allow(clippy::needless_range_loop)]

use ort::Result;

use super::{
    attributes::Attributes,
    kernel::{self, Ray, Scratch, Sink, Task},
    lanes::{LANES, Lanes},
    operator::{Fused, Known},
    ports::{Output, Ports, Shared},
    scene::{HIDDEN, Marching, Scene},
    volume::{Rays, Volume},
};

/// Alpha below which `source` fades to zero, so that nothing is divided by nothing.
const FAINT: f32 = 1e-4;
/// Rays of one piece.
const PIECE: usize = 64;

/// The operator.
pub(super) struct Render {
    marching: Marching,
    padded: Vec<f32>,
}

impl Fused for Render {
    const NAME: &'static str = "TriplaneRender";
    const INPUTS: &'static [&'static str] = &[
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
    const INTEGERS: &'static [&'static str] = &["pixels"];
    const OUTPUTS: usize = 2;
    const OPTIONAL: usize = 1;

    fn shapes(known: &Known<'_>) -> Vec<Vec<i64>> {
        let (channels, rays) = (known.size("planes", 4), known.size("origins", 1));
        [channels, 1, 3].map(|channels| vec![1, channels, rays]).to_vec()
    }

    fn new(attributes: &Attributes<'_>) -> Result<Self> {
        Ok(Self { marching: attributes.marching()?, padded: Vec::new() })
    }

    fn compute(&mut self, ports: &Ports<'_>) -> Result<()> {
        let (origins, directions) = (ports.input("origins")?, ports.input("directions")?);
        let rays = Rays::new(&origins, &directions)?;
        let depths = ports.input("depths")?;
        let [_, _, samples] = depths.sizes()?;
        depths.expect(&[1, rays.len(), samples.max(1)])?;
        let volume = Volume::new(ports)?;
        let bends = [ports.lattice("motion", "motion_box")?, ports.lattice("detail", "detail_box")?];
        let scene = Scene {
            warp: ports.warp(self.marching.radius)?,
            occupancy: ports.occupancy(self.marching.radius)?,
            bends: bends.into_iter().flatten().collect(),
            ..volume.scene(self.marching, &mut self.padded)?
        };
        let channels = scene.decoder.channels;
        let background = ports.input("background")?;
        let [_, _, height, width] = background.sizes()?;
        background.expect(&[1, channels, height, width])?;
        let pixels = ports.input("pixels")?;
        pixels.expect(&[rays.len()])?;
        let area = height * width;
        if let Some(pixel) = pixels.integers()?.iter().find(|pixel| !(0..area as i64).contains(*pixel)) {
            return Err(pixels.wrong(format!("{pixel} is no pixel of a background of {area}")));
        }
        let output = |index, channels| ports.output(index, [1, channels, rays.len()]);
        let (mut features, mut alpha) = (output(0, channels)?, output(1, 1)?);
        let mut source = ports.wanted(2, [1, 3, rays.len()])?;
        let task = Frame {
            scene: &scene,
            rays: &rays,
            depths: depths.floats()?,
            samples,
            background: background.floats()?,
            area,
            pixels: pixels.integers()?,
            features: features.shared()?,
            alpha: alpha.shared()?,
            source: source.as_mut().map(Output::shared).transpose()?,
        };
        ports.run(&task, rays.len().div_ceil(PIECE))
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
