//! Marching through a volume with its gradient: `TriplaneMarch` and `TriplaneMarchGradient`, for the steps of an inversion.
//!
//! Nothing of the size of rays x samples x hidden units leaves the registers: the gradient decodes every sample again. Only the
//! gradient at the looked-up points, as large as their features, is written, for `TriplaneGradient` to add to the planes.

mod backward;
mod forward;
mod reverse;
mod samples;

pub(super) use self::{backward::Backward, forward::Forward};

use ort::Result;

use self::samples::Given;
use super::{
    ports::{Input, Ports},
    texels,
    volume::Volume,
};

/// What both operators read, in this order.
const INPUTS: [&str; 9] = [
    "planes",
    "decode1_weight",
    "decode1_bias",
    "decode2_weight",
    "decode2_bias",
    "points",
    "depths",
    "empty",
    "marked",
];
/// Rays of one piece. Sums are formed piece by piece and added in their order, so that results do not depend on threads.
const PIECE: usize = 64;
/// Sums of a ray: its alpha, the weighted sum of its depths, and how much of its marked samples is seen.
const SUMS: usize = 3;

/// A volume, and the inputs that say where its rays are sampled.
struct Sampled<'a> {
    volume: Volume<'a>,
    points: Input<'a>,
    depths: Input<'a>,
    empty: Input<'a>,
    marked: Input<'a>,
}

impl<'a> Sampled<'a> {
    fn new(ports: &Ports<'a>) -> Result<Self> {
        Ok(Self {
            volume: Volume::new(ports)?,
            points: ports.input("points")?,
            depths: ports.input("depths")?,
            empty: ports.input("empty")?,
            marked: ports.input("marked")?,
        })
    }

    fn rays(&self) -> Result<Rays<'_>> {
        let [rays, samples] = self.depths.sizes()?;
        if samples == 0 {
            return Err(self.depths.wrong(format!("shape [{rays},0], expected a sample a ray at least")));
        }
        for known in [&self.empty, &self.marked] {
            known.expect(&[rays, samples])?;
        }
        self.points.expect(&[rays * samples, 3])?;
        Ok(Rays {
            count: rays,
            samples,
            points: texels::points(&self.points)?,
            depths: self.depths.floats()?,
            empty: self.empty.floats()?,
            marked: self.marked.floats()?,
        })
    }
}

/// Rays and their samples.
struct Rays<'a> {
    count: usize,
    samples: usize,
    points: &'a [[f32; 3]],
    depths: &'a [f32],
    empty: &'a [f32],
    marked: &'a [f32],
}

impl Rays<'_> {
    /// Ray number `at`.
    fn ray(&self, at: usize) -> (Given<'_>, &[f32]) {
        let range = at * self.samples..(at + 1) * self.samples;
        let given = Given {
            points: &self.points[range.clone()],
            depths: &self.depths[range.clone()],
            empty: &self.empty[range.clone()],
        };
        (given, &self.marked[range])
    }

    /// The numbers of the rays of piece `index`.
    fn piece(&self, index: usize) -> std::ops::Range<usize> {
        index * PIECE..((index + 1) * PIECE).min(self.count)
    }

    /// How many pieces there are.
    fn pieces(&self) -> usize {
        self.count.div_ceil(PIECE)
    }
}
