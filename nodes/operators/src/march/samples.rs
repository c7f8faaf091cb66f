//! The samples of one ray at given canonical points: what the planes hold there, how it decodes and how much of each is seen.

// Counting loops: see `kernel`.
#![allow(clippy::needless_range_loop)]

use super::super::{
    kernel::{self, GROUP, Scratch},
    lanes::{self, LANES, Lanes},
    scene::{HIDDEN, Scene},
};

/// Where a ray is sampled, and what is known of its samples.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    /// Canonical points.
    pub(super) points: &'a [[f32; 3]],
    /// Their ascending depths.
    pub(super) depths: &'a [f32],
    /// Over one half where nothing is.
    pub(super) empty: &'a [f32],
}

/// The decoded samples of a ray.
pub(super) struct Samples {
    scratch: Scratch,
    /// Those that are seen at all; the ray may end before its last sample.
    pub(super) count: usize,
    /// Sums of what the planes hold.
    pub(super) mixed: Vec<[f32; LANES]>,
    /// Hidden units after the rectifier.
    pub(super) hidden: Vec<[f32; HIDDEN]>,
    /// How much of a sample is seen.
    pub(super) weight: Vec<f32>,
    /// The transmittance behind a sample.
    pub(super) behind: Vec<f32>,
    /// By how much a sample's thickness grows with its density.
    pub(super) steepness: Vec<f32>,
}

impl Samples {
    /// Room for rays of `most` samples.
    pub(super) fn new(most: usize) -> Self {
        let room = most.next_multiple_of(LANES);
        Self {
            scratch: Scratch::new(),
            count: 0,
            mixed: vec![[0.0; LANES]; room],
            hidden: vec![[0.0; HIDDEN]; room],
            weight: vec![0.0; room],
            behind: vec![0.0; room],
            steepness: vec![0.0; room],
        }
    }

    /// Decodes a ray; it ends where the transmittance falls below the scene's `stop`.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `V`, and the scene's decoder has `H` blocks.
    #[inline(always)]
    pub(super) unsafe fn decode<V: Lanes, const B: usize, const H: usize>(
        &mut self,
        scene: &Scene<'_>,
        given: Given<'_>,
    ) {
        let total = given.depths.len();
        let marching = &scene.marching;
        let mut light = 1.0;
        self.count = 0;
        while self.count < total {
            let first = self.count;
            if first.is_multiple_of(LANES) {
                let mut point = [[0.0; LANES]; 3];
                for lane in 0..LANES {
                    let from = given.points[(first + lane).min(total - 1)];
                    for axis in 0..3 {
                        point[axis][lane] = from[axis];
                    }
                }
                // SAFETY: as of this function; the pointers are to arrays of sixteen.
                unsafe {
                    let point = point.map(|axis| V::load(axis.as_ptr()));
                    kernel::locate(scene, point, &mut self.scratch);
                }
            }
            let size = (total - first).min(GROUP);
            let mut slot = 0;
            while slot < size {
                let mut block = [0; B];
                for sample in 0..B {
                    // Where a block has room left, the last one again.
                    block[sample] = first % LANES + (slot + sample).min(size - 1);
                }
                // SAFETY: as of this function; blocks divide groups.
                unsafe { kernel::decode::<V, B, H>(scene, block, slot, &mut self.scratch) };
                slot += B;
            }
            let mut step = [0.0; LANES];
            for slot in 0..size {
                let at = first + slot;
                let next =
                    if at + 1 < total { given.depths[at + 1] - given.depths[at] } else { marching.last };
                step[slot] = if given.empty[at] > 0.5 { 0.0 } else { next };
            }
            let (mut left, mut steepness) = ([0.0; LANES], [0.0; LANES]);
            // SAFETY: as of this function; the pointers are to arrays of sixteen.
            unsafe {
                let density = V::load(self.scratch.density.as_ptr()).sub(V::splat(marching.shift));
                let step = V::load(step.as_ptr());
                let thickness = lanes::softplus(density).mul(V::splat(-marching.density));
                lanes::exp(thickness.mul(step)).store(left.as_mut_ptr());
                let one = V::splat(1.0);
                let below = lanes::exp(V::splat(0.0).sub(density));
                step.mul(V::splat(marching.density)).div(one.add(below)).store(steepness.as_mut_ptr());
            }
            for slot in 0..size {
                let at = first + slot;
                self.weight[at] = light * (1.0 - left[slot]);
                light *= left[slot];
                self.behind[at] = light;
                self.steepness[at] = steepness[slot];
            }
            self.mixed[first..first + size].copy_from_slice(&self.scratch.mixed[..size]);
            self.hidden[first..first + size].copy_from_slice(&self.scratch.hidden[..size]);
            self.count += size;
            if light < marching.stop {
                return;
            }
        }
    }
}
