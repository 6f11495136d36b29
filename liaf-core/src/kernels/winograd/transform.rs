//! The transforms of F(2×2, 3×3), each for as many channels as a vector has lanes.

use pulp::Simd;

/// `Bᵀ d`, of an input.
#[inline(always)]
pub(super) fn input<S: Simd>(simd: S, d: [S::f32s; 4]) -> [S::f32s; 4] {
    [
        simd.sub_f32s(d[0], d[2]),
        simd.add_f32s(d[1], d[2]),
        simd.sub_f32s(d[2], d[1]),
        simd.sub_f32s(d[1], d[3]),
    ]
}

/// `Aᵀ m`, to an output.
#[inline(always)]
pub(super) fn output<S: Simd>(simd: S, m: [S::f32s; 4]) -> [S::f32s; 2] {
    [simd.add_f32s(simd.add_f32s(m[0], m[1]), m[2]), simd.sub_f32s(simd.sub_f32s(m[1], m[2]), m[3])]
}

/// `A g`, of the gradient with respect to an output.
#[inline(always)]
pub(super) fn gradient<S: Simd>(simd: S, g: [S::f32s; 2]) -> [S::f32s; 4] {
    [g[0], simd.add_f32s(g[0], g[1]), simd.sub_f32s(g[0], g[1]), simd.neg_f32s(g[1])]
}

/// `G w`, of weights.
#[inline(always)]
pub(super) fn weight<S: Simd>(simd: S, w: [S::f32s; 3]) -> [S::f32s; 4] {
    let half = simd.splat_f32s(0.5);
    let outer = simd.add_f32s(w[0], w[2]);
    let plus = simd.add_f32s(outer, w[1]);
    let minus = simd.sub_f32s(outer, w[1]);
    [w[0], simd.mul_f32s(half, plus), simd.mul_f32s(half, minus), w[2]]
}

/// `Gᵀ u`, to the gradient with respect to weights.
#[inline(always)]
pub(super) fn d_weight<S: Simd>(simd: S, u: [S::f32s; 4]) -> [S::f32s; 3] {
    let half = simd.splat_f32s(0.5);
    let plus = simd.mul_f32s(half, simd.add_f32s(u[1], u[2]));
    let minus = simd.mul_f32s(half, simd.sub_f32s(u[1], u[2]));
    [simd.add_f32s(u[0], plus), minus, simd.add_f32s(plus, u[3])]
}

/// A transform along columns and then along rows.
#[inline(always)]
pub(super) fn both<S: Simd, const N: usize, const M: usize>(
    simd: S,
    x: [[S::f32s; N]; N],
    along: impl Fn(S, [S::f32s; N]) -> [S::f32s; M],
) -> [[S::f32s; M]; M] {
    let zero = simd.splat_f32s(0.0);
    let mut half = [[zero; N]; M];
    for j in 0..N {
        let mut column = [zero; N];
        for i in 0..N {
            column[i] = x[i][j];
        }
        let column = along(simd, column);
        for i in 0..M {
            half[i][j] = column[i];
        }
    }
    let mut whole = [[zero; M]; M];
    for i in 0..M {
        whole[i] = along(simd, half[i]);
    }
    whole
}
