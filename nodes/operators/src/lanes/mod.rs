//! Sixteen floats at a time, in whatever registers the machine has.
//!
//! Every method is inlined into a function that carries the target feature ([`run`](super::kernel::run) chooses it), which is
//! why they are unsafe: called without that feature the processor would not know the instruction.

// Counting loops: see `kernel`.
#![allow(clippy::needless_range_loop)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

#[cfg(target_arch = "x86_64")]
pub(super) use self::{avx2::Avx2, avx512::Avx512};
pub(super) use portable::Portable;

/// How many floats a [`Lanes`] holds.
pub(super) const LANES: usize = 16;

/// Sixteen floats.
///
/// # Safety
///
/// The processor must have the instructions of the implementing type. `load`, `store`, `store_i32` and `cell` read or write where
/// they are pointed; nothing needs alignment.
pub(super) trait Lanes: Copy {
    /// `x` in every lane.
    unsafe fn splat(x: f32) -> Self;
    /// Sixteen floats from `from`.
    unsafe fn load(from: *const f32) -> Self;
    /// Sixteen floats to `to`.
    unsafe fn store(self, to: *mut f32);
    /// The lanes, which are whole numbers, as integers to `to`.
    unsafe fn store_i32(self, to: *mut i32);
    /// self + other
    unsafe fn add(self, other: Self) -> Self;
    /// self − other
    unsafe fn sub(self, other: Self) -> Self;
    /// self · other
    unsafe fn mul(self, other: Self) -> Self;
    /// self / other
    unsafe fn div(self, other: Self) -> Self;
    /// self · factor + term
    unsafe fn fma(self, factor: Self, term: Self) -> Self;
    /// The larger of each lane.
    unsafe fn max(self, other: Self) -> Self;
    /// The smaller of each lane.
    unsafe fn min(self, other: Self) -> Self;
    /// The next whole number below.
    unsafe fn floor(self) -> Self;
    /// 2^self of whole lanes in [-126, 127].
    unsafe fn exp2(self) -> Self;
    /// The sums of each vector's lanes.
    unsafe fn sums<const N: usize>(vectors: [Self; N]) -> [f32; N];
    /// Bit i is set where lane i of self is at least that of `low` and at most that of `high`.
    unsafe fn within(self, low: Self, high: Self) -> u16;
    /// The value at `part` (x, y, z in [0,1]) of a cell of a lattice of four-float nodes; `at` is its lowest node, `row` and `layer` the
    /// floats to the next in y and z.
    unsafe fn cell(at: *const f32, row: usize, layer: usize, part: [f32; 3]) -> [f32; 4];
}

/// e^x, to two units in the last place; x is cut to [-87, 87].
#[inline(always)]
pub(super) unsafe fn exp<V: Lanes>(x: V) -> V {
    // SAFETY: the caller has the instructions of `V`.
    unsafe {
        let x = x.max(V::splat(-87.0)).min(V::splat(87.0));
        let whole = x.fma(V::splat(std::f32::consts::LOG2_E), V::splat(0.5)).floor();
        // ln 2 in two parts, so that the rest is exact.
        let rest = whole.fma(V::splat(-0.693_359_4), x);
        let rest = whole.fma(V::splat(2.121_944_4e-4), rest);
        // The Taylor series: |rest| ≤ 0.35, where the next term is 3e-9.
        let mut sum = V::splat(1.0 / 5040.0);
        let factors = [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
        for i in 0..factors.len() {
            sum = sum.fma(rest, V::splat(factors[i]));
        }
        sum.mul(whole.exp2())
    }
}

/// ln(1 + e^x).
#[inline(always)]
pub(super) unsafe fn softplus<V: Lanes>(x: V) -> V {
    // SAFETY: the caller has the instructions of `V`.
    unsafe {
        let zero = V::splat(0.0);
        let small = exp(x.min(zero.sub(x)));
        // ln(1 + y) = 2 artanh(y / (2 + y)), and the argument is at most 1/3.
        let ratio = small.div(small.add(V::splat(2.0)));
        let square = ratio.mul(ratio);
        let mut sum = V::splat(1.0 / 13.0);
        let factors = [1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0, 1.0];
        for i in 0..factors.len() {
            sum = sum.fma(square, V::splat(factors[i]));
        }
        x.max(zero).add(ratio.add(ratio).mul(sum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kernel's own functions against the standard library.
    fn functions<V: Lanes>(worst: f32) {
        for x in (-4000..4000).map(|i| i as f32 * 0.01) {
            let mut out = [[0.0f32; LANES]; 2];
            // SAFETY: only called for instructions that are there.
            unsafe {
                exp(V::splat(x)).store(out[0].as_mut_ptr());
                softplus(V::splat(x)).store(out[1].as_mut_ptr());
            }
            let softplus = f64::from(x).exp().ln_1p();
            for (found, expected) in [(out[0][5], f64::from(x).exp()), (out[1][5], softplus)] {
                let error = (f64::from(found) - expected).abs() / expected;
                assert!(error < f64::from(worst), "{x}: {found}, expected {expected}");
            }
        }
    }

    #[test]
    fn functions_are_exact_enough() {
        functions::<Portable>(1e-6);
        #[cfg(target_arch = "x86_64")]
        for isa in crate::Isa::available() {
            match isa {
                crate::Isa::Avx512 => functions::<Avx512>(1e-6),
                crate::Isa::Avx2 => functions::<Avx2>(1e-6),
                crate::Isa::Portable => {}
            }
        }
    }
}
