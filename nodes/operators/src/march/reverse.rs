//! The chain rule along one ray.
//!
//! With h a sample's hidden units, w its weight, T the transmittance behind it and t its thickness: features are W2·Σ w·h + b2·Σ w, so
//! that what a weight is worth, g, takes one product with W2ᵀ·(gradient of the features) a ray. Further ∂L/∂t = g·T − Σ g·w of the samples
//! behind, as w = T of before·(1 − e^−t).

// Counting loops: see `kernel`.
#![allow(clippy::needless_range_loop)]

use super::{
    super::{
        lanes::{LANES, Lanes},
        scene::{Decoder, HIDDEN, Scene},
    },
    SUMS,
    samples::Samples,
};

/// The gradient of what a ray gives.
pub(super) struct Asked<'a> {
    pub(super) features: [f32; LANES],
    pub(super) sums: [f32; SUMS],
    pub(super) depths: &'a [f32],
    pub(super) marked: &'a [f32],
}

/// The gradient of the decoder, filled up to whole vectors.
#[derive(Clone, Copy)]
pub(super) struct Sums {
    /// W1 by channel.
    first: [[f32; HIDDEN]; LANES],
    first_bias: [f32; HIDDEN],
    /// The row of W2 that gives the density, and its bias.
    density: [f32; HIDDEN],
    density_bias: f32,
    /// The other rows of W2, and their biases.
    features: [[f32; HIDDEN]; LANES],
    feature_bias: [f32; LANES],
}

impl Sums {
    pub(super) const fn new() -> Self {
        Self {
            first: [[0.0; HIDDEN]; LANES],
            first_bias: [0.0; HIDDEN],
            density: [0.0; HIDDEN],
            density_bias: 0.0,
            features: [[0.0; HIDDEN]; LANES],
            feature_bias: [0.0; LANES],
        }
    }

    /// Adds those of other rays.
    pub(super) fn add(&mut self, other: &Self) {
        fn each(to: &mut [f32], from: &[f32]) {
            for (to, from) in to.iter_mut().zip(from) {
                *to += from;
            }
        }
        each(self.first.as_flattened_mut(), other.first.as_flattened());
        each(&mut self.first_bias, &other.first_bias);
        each(&mut self.density, &other.density);
        self.density_bias += other.density_bias;
        each(self.features.as_flattened_mut(), other.features.as_flattened());
        each(&mut self.feature_bias, &other.feature_bias);
    }

    /// W1 [`hidden`,`channels`], b1, W2 [1+`channels`,`hidden`], b2.
    pub(super) fn outputs(&self, hidden: usize, channels: usize) -> [Vec<f32>; 4] {
        let first = (0..hidden).flat_map(|unit| self.first[..channels].iter().map(move |row| row[unit]));
        let features = self.features[..channels].iter().flat_map(|row| &row[..hidden]);
        [
            first.collect(),
            self.first_bias[..hidden].to_vec(),
            self.density[..hidden].iter().chain(features).copied().collect(),
            std::iter::once(self.density_bias).chain(self.feature_bias[..channels].iter().copied()).collect(),
        ]
    }
}

/// A decoder as the chain rule reads it.
pub(super) struct Reverse<'a> {
    decoder: &'a Decoder,
    slope: f32,
    /// W1 by hidden unit: [16·blocks, 16].
    first: Vec<[f32; LANES]>,
    /// The rows of W2 that give features: [16, 16·blocks].
    features: Vec<[f32; HIDDEN]>,
}

impl<'a> Reverse<'a> {
    pub(super) fn new(scene: &'a Scene<'_>) -> Self {
        let decoder = scene.decoder;
        let units = decoder.blocks * LANES;
        let mut first = vec![[0.0; LANES]; units];
        let mut features = vec![[0.0; HIDDEN]; LANES];
        for unit in 0..units {
            for channel in 0..LANES {
                first[unit][channel] = decoder.first[channel * units + unit];
                features[channel][unit] = decoder.features[unit * LANES + channel];
            }
        }
        Self { decoder, slope: scene.marching.slope, first, features }
    }

    /// Adds to `sums` what the decoder, and puts into `found` what the features at the ray's samples would have to change by.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of `V`, and the decoder has `H` blocks.
    #[inline(always)]
    pub(super) unsafe fn ray<V: Lanes, const B: usize, const H: usize>(
        &self,
        samples: &Samples,
        asked: Asked<'_>,
        found: &mut [[f32; LANES]],
        sums: &mut Sums,
    ) {
        // SAFETY: as of this function; all arrays have whole vectors, and `HIDDEN` has room for `H` of them.
        unsafe {
            let mut wanted = [V::splat(0.0); H];
            let mut constant = asked.sums[0];
            for channel in 0..LANES {
                let by = V::splat(asked.features[channel]);
                for block in 0..H {
                    wanted[block] = by.fma(load(&self.features[channel], block), wanted[block]);
                }
                constant += asked.features[channel] * self.decoder.feature_bias[channel];
            }
            let mut seen = [V::splat(0.0); H];
            let mut dense = [V::splat(0.0); H];
            let (mut alpha, mut behind) = (0.0, 0.0);
            let mut last = samples.count;
            while last > 0 {
                let start = (last - 1) / B * B;
                let mut worth = [V::splat(0.0); B];
                for sample in 0..B {
                    let at = (start + sample).min(last - 1);
                    for block in 0..H {
                        worth[sample] = wanted[block].fma(load(&samples.hidden[at], block), worth[sample]);
                    }
                }
                let worth = V::sums(worth);
                // Of those that fill the block up nothing is left: weight and density change by nothing.
                let (mut weights, mut densities) = ([0.0; B], [0.0; B]);
                for sample in (0..last - start).rev() {
                    let at = start + sample;
                    let worth = worth[sample]
                        + constant
                        + asked.sums[1] * asked.depths[at]
                        + asked.sums[2] * asked.marked[at];
                    let thickness = worth * samples.behind[at] - behind;
                    behind += worth * samples.weight[at];
                    weights[sample] = samples.weight[at];
                    densities[sample] = thickness * samples.steepness[at];
                    alpha += weights[sample];
                    sums.density_bias += densities[sample];
                }
                let mut units = [[0.0; HIDDEN]; B];
                for block in 0..H {
                    let density = V::load(self.decoder.density.as_ptr().add(LANES * block));
                    let mut bias = load::<V>(&sums.first_bias, block);
                    // From the last to the first, as all sums along a ray: so that blocks of any size add in one order.
                    for sample in (0..B).rev() {
                        let hidden = load::<V>(&samples.hidden[(start + sample).min(last - 1)], block);
                        let (weight, steep) = (V::splat(weights[sample]), V::splat(densities[sample]));
                        seen[block] = weight.fma(hidden, seen[block]);
                        dense[block] = steep.fma(hidden, dense[block]);
                        // 1 above zero, else the slope.
                        let slope = hidden.mul(V::splat(1e30)).min(V::splat(1.0)).max(V::splat(self.slope));
                        let unit = steep.fma(density, weight.mul(wanted[block])).mul(slope);
                        unit.store(units[sample].as_mut_ptr().add(LANES * block));
                        bias = bias.add(unit);
                    }
                    bias.store(sums.first_bias.as_mut_ptr().add(LANES * block));
                }
                self.to_features::<V, B, H>(&units, &mut found[start..]);
                self.to_first::<V, B, H>(&units, &samples.mixed[start..], &mut sums.first);
                last = start;
            }
            for block in 0..H {
                load::<V>(&sums.density, block)
                    .add(dense[block])
                    .store(sums.density.as_mut_ptr().add(LANES * block));
            }
            for channel in 0..LANES {
                let by = V::splat(asked.features[channel]);
                for block in 0..H {
                    let sum = by.fma(seen[block], load(&sums.features[channel], block));
                    sum.store(sums.features[channel].as_mut_ptr().add(LANES * block));
                }
                sums.feature_bias[channel] += asked.features[channel] * alpha;
            }
        }
    }

    /// W1ᵀ times the gradients of the hidden units.
    #[inline(always)]
    unsafe fn to_features<V: Lanes, const B: usize, const H: usize>(
        &self,
        units: &[[f32; HIDDEN]; B],
        found: &mut [[f32; LANES]],
    ) {
        // SAFETY: as of `ray`.
        unsafe {
            let mut changes = [V::splat(0.0); B];
            for unit in 0..H * LANES {
                let row = V::load(self.first[unit].as_ptr());
                for sample in 0..B {
                    changes[sample] = V::splat(units[sample][unit]).fma(row, changes[sample]);
                }
            }
            for sample in 0..B {
                changes[sample].store(found[sample].as_mut_ptr());
            }
        }
    }

    /// Adds the products of the gradients of the hidden units and the features to those of W1.
    #[inline(always)]
    unsafe fn to_first<V: Lanes, const B: usize, const H: usize>(
        &self,
        units: &[[f32; HIDDEN]; B],
        mixed: &[[f32; LANES]],
        first: &mut [[f32; HIDDEN]; LANES],
    ) {
        // SAFETY: as of `ray`.
        unsafe {
            for channel in 0..self.decoder.channels {
                for block in 0..H {
                    let mut sum = load::<V>(&first[channel], block);
                    for sample in (0..B).rev() {
                        let by = V::splat(mixed[sample][channel]);
                        sum = by.fma(load(&units[sample], block), sum);
                    }
                    sum.store(first[channel].as_mut_ptr().add(LANES * block));
                }
            }
        }
    }
}

/// Vector number `block` of a row.
#[inline(always)]
unsafe fn load<V: Lanes>(row: &[f32; HIDDEN], block: usize) -> V {
    // SAFETY: the caller has the instructions of `V`, and `block` is one of the row's.
    unsafe { V::load(row.as_ptr().add(LANES * block)) }
}
