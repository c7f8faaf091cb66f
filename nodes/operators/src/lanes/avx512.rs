//! Lanes in one register of AVX-512.

use std::arch::x86_64::*;

use super::{
    Lanes,
    avx2::{self, sum},
};

/// Sixteen floats in one register.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(__m512);

// SAFETY of all blocks: callers have AVX-512 F, AVX2 and FMA, and point to as many floats as the trait says.
impl Lanes for Avx512 {
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        Self(unsafe { _mm512_set1_ps(x) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        Self(unsafe { _mm512_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { _mm512_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_i32(self, to: *mut i32) {
        unsafe { _mm512_storeu_epi32(to, _mm512_cvttps_epi32(self.0)) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(unsafe { _mm512_add_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        Self(unsafe { _mm512_sub_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        Self(unsafe { _mm512_mul_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        Self(unsafe { _mm512_div_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn fma(self, factor: Self, term: Self) -> Self {
        Self(unsafe { _mm512_fmadd_ps(self.0, factor.0, term.0) })
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        Self(unsafe { _mm512_max_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        Self(unsafe { _mm512_min_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn floor(self) -> Self {
        Self(unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEG_INF }>(self.0) })
    }

    #[inline(always)]
    unsafe fn exp2(self) -> Self {
        unsafe {
            let exponent = _mm512_add_epi32(_mm512_cvttps_epi32(self.0), _mm512_set1_epi32(127));
            Self(_mm512_castsi512_ps(_mm512_slli_epi32::<23>(exponent)))
        }
    }

    #[inline(always)]
    unsafe fn sums<const N: usize>(vectors: [Self; N]) -> [f32; N] {
        let mut out = [0.0; N];
        for i in 0..N {
            out[i] = unsafe { sum(halves(vectors[i].0)) };
        }
        out
    }

    #[inline(always)]
    unsafe fn within(self, low: Self, high: Self) -> u16 {
        unsafe {
            _mm512_cmp_ps_mask::<_CMP_GE_OQ>(self.0, low.0) & _mm512_cmp_ps_mask::<_CMP_LE_OQ>(self.0, high.0)
        }
    }

    #[inline(always)]
    unsafe fn cell(at: *const f32, row: usize, layer: usize, part: [f32; 3]) -> [f32; 4] {
        unsafe { avx2::cell(at, row, layer, part) }
    }
}

/// The sum of both halves: the order in which AVX2 adds.
#[inline(always)]
unsafe fn halves(x: __m512) -> __m256 {
    unsafe {
        let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(x)));
        _mm256_add_ps(_mm512_castps512_ps256(x), high)
    }
}
