//! `TriplaneMarchGradient`: what decoder and looked-up features would have to change by, given what the outputs of `TriplaneMarch` would.

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
    Rays, SUMS, Sampled,
    reverse::{Asked, Reverse, Sums},
    samples::Samples,
};

/// What is read: as `TriplaneMarch`, then the gradients of its outputs.
const GIVEN: [&str; 11] = {
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
pub(in super::super) struct Backward {
    marching: Marching,
    padded: Vec<f32>,
}

impl Fused for Backward {
    const NAME: &'static str = "TriplaneMarchGradient";
    const INPUTS: &'static [&'static str] = &GIVEN;
    const OUTPUTS: usize = 5;

    fn shapes(known: &Known<'_>) -> Vec<Vec<i64>> {
        let [hidden, channels] = [0, 1].map(|axis| known.size("decode1_weight", axis));
        let (points, more) = (known.size("points", 0), known.size("decode2_weight", 0));
        vec![vec![points, channels], vec![hidden, channels], vec![hidden], vec![more, hidden], vec![more]]
    }

    fn new(attributes: &Attributes<'_>) -> Result<Self> {
        Ok(Self { marching: attributes.marching()?, padded: Vec::new() })
    }

    fn compute(&mut self, ports: &Ports<'_>) -> Result<()> {
        let sampled = Sampled::new(ports)?;
        let (rays, scene) = (sampled.rays()?, sampled.volume.scene(self.marching, &mut self.padded)?);
        let decoder = scene.decoder;
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
            points: points.shared()?,
            sums: Shared::new(&mut sums),
        };
        ports.run(&task, rays.pieces())?;
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
            output.floats()?.copy_from_slice(&values);
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
