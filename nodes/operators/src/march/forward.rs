//! `TriplaneMarch`: features, alpha, depth and marked share of rays.

// Counting loops: see `kernel`.
#![allow(clippy::needless_range_loop)]

use ort::Result;

use super::{
    super::{
        attributes::Attributes,
        kernel::Task,
        lanes::{LANES, Lanes},
        operator::{Fused, Known},
        ports::{Ports, Shared},
        scene::{Marching, Scene},
    },
    INPUTS, PIECE, Rays, SUMS, Sampled,
    samples::Samples,
};

/// The operator.
pub(in super::super) struct Forward {
    marching: Marching,
    padded: Vec<f32>,
}

impl Fused for Forward {
    const NAME: &'static str = "TriplaneMarch";
    const INPUTS: &'static [&'static str] = &INPUTS;
    const OUTPUTS: usize = 2;

    fn shapes(known: &Known<'_>) -> Vec<Vec<i64>> {
        let rays = known.size("depths", 0);
        [known.size("planes", 4), SUMS as i64].map(|rows| vec![rows, rays]).to_vec()
    }

    fn new(attributes: &Attributes<'_>) -> Result<Self> {
        Ok(Self { marching: attributes.marching()?, padded: Vec::new() })
    }

    fn compute(&mut self, ports: &Ports<'_>) -> Result<()> {
        let sampled = Sampled::new(ports)?;
        let (rays, scene) = (sampled.rays()?, sampled.volume.scene(self.marching, &mut self.padded)?);
        let mut features = ports.output(0, [scene.decoder.channels, rays.count])?;
        let mut sums = ports.output(1, [SUMS, rays.count])?;
        let task = Frame { scene: &scene, rays: &rays, features: features.shared()?, sums: sums.shared()? };
        ports.run(&task, rays.pieces())
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
