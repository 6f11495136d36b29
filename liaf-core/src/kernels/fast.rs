//! The kernels in their fastest form for this processor.
#![expect(unsafe_code, reason = "the crate gemm takes pointers")]

use gemm::{Parallelism, gemm};

use super::Product;
use crate::real::Real;

pub(super) fn product<R: Real>(p: Product<'_, R>) {
    p.check();
    if p.m == 0 || p.n == 0 {
        return;
    }
    if p.k == 0 {
        return super::plain::product(p);
    }
    let stride = |distance: usize| distance as isize;
    // SAFETY: `check` has shown that every element of the three matrices lies inside its slice; `c`
    // is borrowed mutably, so it overlaps neither factor.
    unsafe {
        gemm(
            p.m,
            p.n,
            p.k,
            p.c.as_mut_ptr(),
            1,
            stride(p.c_width),
            p.add,
            p.a.data.as_ptr(),
            stride(p.a.cols),
            stride(p.a.rows),
            p.b.data.as_ptr(),
            stride(p.b.cols),
            stride(p.b.rows),
            R::ONE,
            R::ONE,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
