//! Lanes as an array, for processors without the others' instructions.

use super::{LANES, Lanes};

/// Sixteen floats in an array.
#[derive(Clone, Copy)]
pub(crate) struct Portable([f32; LANES]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, with: impl Fn(f32, f32) -> f32) -> Self {
        let mut out = self.0;
        for (a, b) in out.iter_mut().zip(other.0) {
            *a = with(*a, b);
        }
        Self(out)
    }
}

impl Lanes for Portable {
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        Self([x; LANES])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller points to sixteen floats.
        Self(unsafe { from.cast::<[f32; LANES]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller points to room for sixteen floats.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn store_i32(self, to: *mut i32) {
        // SAFETY: the caller points to room for sixteen integers.
        unsafe { to.cast::<[i32; LANES]>().write_unaligned(self.0.map(|x| x as i32)) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }

    #[inline(always)]
    unsafe fn fma(self, factor: Self, term: Self) -> Self {
        // Two roundings: one would be a call of the mathematics library here.
        self.zip(factor, |a, b| a * b).zip(term, |a, b| a + b)
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    unsafe fn floor(self) -> Self {
        Self(self.0.map(|x| {
            let cut = x as i32 as f32;
            if cut > x { cut - 1.0 } else { cut }
        }))
    }

    #[inline(always)]
    unsafe fn exp2(self) -> Self {
        Self(self.0.map(|x| f32::from_bits(((x as i32 + 127) << 23) as u32)))
    }

    #[inline(always)]
    unsafe fn sums<const N: usize>(vectors: [Self; N]) -> [f32; N] {
        vectors.map(|v| {
            let mut parts = [0.0; 4];
            for four in v.0.as_chunks::<4>().0 {
                for (part, x) in parts.iter_mut().zip(four) {
                    *part += x;
                }
            }
            (parts[0] + parts[1]) + (parts[2] + parts[3])
        })
    }

    #[inline(always)]
    unsafe fn within(self, low: Self, high: Self) -> u16 {
        let inside = |i: usize| self.0[i] >= low.0[i] && self.0[i] <= high.0[i];
        (0..LANES).fold(0, |bits, i| bits | u16::from(inside(i)) << i)
    }

    #[inline(always)]
    unsafe fn cell(at: *const f32, row: usize, layer: usize, [x, y, z]: [f32; 3]) -> [f32; 4] {
        // SAFETY: the caller points to the lowest node of a cell.
        let node = |offset: usize| unsafe { at.add(offset).cast::<[f32; 4]>().read_unaligned() };
        let mix = |a: [f32; 4], b: [f32; 4], by: f32| {
            let mut out = a;
            for (a, b) in out.iter_mut().zip(b) {
                *a += by * (b - *a);
            }
            out
        };
        let side = |offset: usize| {
            let low = mix(node(offset), node(offset + row), y);
            let high = mix(node(offset + layer), node(offset + layer + row), y);
            mix(low, high, z)
        };
        mix(side(0), side(4), x)
    }
}
