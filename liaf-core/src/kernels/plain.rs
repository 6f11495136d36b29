//! The kernels according to their definitions, with which the fast ones are compared.

use super::Product;
use crate::real::Real;

pub(super) fn product<R: Real>(p: Product<'_, R>) {
    p.check();
    for i in 0..p.m {
        for j in 0..p.n {
            let mut sum = R::ZERO;
            for l in 0..p.k {
                sum +=
                    p.a.data[i * p.a.rows + l * p.a.cols] * p.b.data[l * p.b.rows + j * p.b.cols];
            }
            let c = &mut p.c[i * p.c_width + j];
            *c = if p.add { *c + sum } else { sum };
        }
    }
}
