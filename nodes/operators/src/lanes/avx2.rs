//! Lanes in two registers of AVX2 with FMA.

use std::arch::x86_64::*;

use super::Lanes;

/// Sixteen floats in two registers.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256, __m256);

// SAFETY of all blocks: callers have AVX2 and FMA, and point to as many floats as the trait says.
impl Lanes for Avx2 {
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        let x = unsafe { _mm256_set1_ps(x) };
        Self(x, x)
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        unsafe { Self(_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe {
            _mm256_storeu_ps(to, self.0);
            _mm256_storeu_ps(to.add(8), self.1);
        }
    }

    #[inline(always)]
    unsafe fn store_i32(self, to: *mut i32) {
        unsafe {
            _mm256_storeu_si256(to.cast(), _mm256_cvttps_epi32(self.0));
            _mm256_storeu_si256(to.add(8).cast(), _mm256_cvttps_epi32(self.1));
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        unsafe { Self(_mm256_add_ps(self.0, other.0), _mm256_add_ps(self.1, other.1)) }
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        unsafe { Self(_mm256_sub_ps(self.0, other.0), _mm256_sub_ps(self.1, other.1)) }
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        unsafe { Self(_mm256_mul_ps(self.0, other.0), _mm256_mul_ps(self.1, other.1)) }
    }

    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        unsafe { Self(_mm256_div_ps(self.0, other.0), _mm256_div_ps(self.1, other.1)) }
    }

    #[inline(always)]
    unsafe fn fma(self, factor: Self, term: Self) -> Self {
        unsafe { Self(_mm256_fmadd_ps(self.0, factor.0, term.0), _mm256_fmadd_ps(self.1, factor.1, term.1)) }
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        unsafe { Self(_mm256_max_ps(self.0, other.0), _mm256_max_ps(self.1, other.1)) }
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        unsafe { Self(_mm256_min_ps(self.0, other.0), _mm256_min_ps(self.1, other.1)) }
    }

    #[inline(always)]
    unsafe fn floor(self) -> Self {
        unsafe { Self(_mm256_floor_ps(self.0), _mm256_floor_ps(self.1)) }
    }

    #[inline(always)]
    unsafe fn exp2(self) -> Self {
        unsafe { Self(exp2(self.0), exp2(self.1)) }
    }

    #[inline(always)]
    unsafe fn sums<const N: usize>(vectors: [Self; N]) -> [f32; N] {
        let mut out = [0.0; N];
        for i in 0..N {
            out[i] = unsafe { sum(_mm256_add_ps(vectors[i].0, vectors[i].1)) };
        }
        out
    }

    #[inline(always)]
    unsafe fn within(self, low: Self, high: Self) -> u16 {
        unsafe { within(self.0, low.0, high.0) | within(self.1, low.1, high.1) << 8 }
    }

    #[inline(always)]
    unsafe fn cell(at: *const f32, row: usize, layer: usize, part: [f32; 3]) -> [f32; 4] {
        unsafe { cell(at, row, layer, part) }
    }
}

/// 2^x of whole x.
#[inline(always)]
unsafe fn exp2(x: __m256) -> __m256 {
    unsafe {
        let exponent = _mm256_add_epi32(_mm256_cvttps_epi32(x), _mm256_set1_epi32(127));
        _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
    }
}

/// [`Lanes::within`] of one register.
#[inline(always)]
unsafe fn within(x: __m256, low: __m256, high: __m256) -> u16 {
    unsafe {
        let above = _mm256_cmp_ps::<_CMP_GE_OQ>(x, low);
        _mm256_movemask_ps(_mm256_and_ps(above, _mm256_cmp_ps::<_CMP_LE_OQ>(x, high))) as u16
    }
}

/// [`Lanes::cell`] with 256-bit registers: a register holds two nodes that are neighbours in x.
#[inline(always)]
pub(super) unsafe fn cell(at: *const f32, row: usize, layer: usize, [x, y, z]: [f32; 3]) -> [f32; 4] {
    unsafe {
        let (y, z) = (_mm256_set1_ps(y), _mm256_set1_ps(z));
        let low = mix(_mm256_loadu_ps(at), _mm256_loadu_ps(at.add(row)), y);
        let high = mix(_mm256_loadu_ps(at.add(layer)), _mm256_loadu_ps(at.add(layer + row)), y);
        let both = mix(low, high, z);
        let (left, right) = (_mm256_castps256_ps128(both), _mm256_extractf128_ps::<1>(both));
        let out = _mm_fmadd_ps(_mm_sub_ps(right, left), _mm_set1_ps(x), left);
        let mut floats = [0.0; 4];
        _mm_storeu_ps(floats.as_mut_ptr(), out);
        floats
    }
}

/// a + by·(b − a).
#[inline(always)]
unsafe fn mix(a: __m256, b: __m256, by: __m256) -> __m256 {
    unsafe { _mm256_fmadd_ps(_mm256_sub_ps(b, a), by, a) }
}

/// The sum of eight floats.
#[inline(always)]
pub(super) unsafe fn sum(eight: __m256) -> f32 {
    unsafe {
        let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
    }
}
