//! The products of matrices of transformed tiles: `a` has scalars that are broadcast, `b` and `c` have
//! vectors of output channels.
//!
//! The columns of `b` are grouped in panels of [`PANEL`] vectors; a last panel may be narrower.

use pulp::Simd;

/// Number of vectors in a panel.
pub(super) const PANEL: usize = 2;

/// The most rows of the result that are kept in registers.
const ROWS: usize = 6;

/// Calls `$kernel` with the number of rows as a constant.
macro_rules! by_rows {
    ($rows:expr, $kernel:ident::<$simd:ident, $panel:literal>($($argument:expr),*)) => {
        match $rows {
            6 => $kernel::<$simd, 6, $panel>($($argument),*),
            5 => $kernel::<$simd, 5, $panel>($($argument),*),
            4 => $kernel::<$simd, 4, $panel>($($argument),*),
            3 => $kernel::<$simd, 3, $panel>($($argument),*),
            2 => $kernel::<$simd, 2, $panel>($($argument),*),
            _ => $kernel::<$simd, 1, $panel>($($argument),*),
        }
    };
}

/// Parts of `len` rows, of equal sizes up to one row, none with more than [`ROWS`].
fn parts(len: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = len.div_ceil(ROWS);
    (0..count).map(move |part| {
        let (from, to) = (part * len / count, (part + 1) * len / count);
        (from, to - from)
    })
}

/// `c = a · b`, where `a` has rows of `width` numbers, of which the first `k` are used, `b` consists of
/// panels of `k` rows, and `c` has rows of `c_width` vectors, of which the first `columns` are written.
#[inline(always)]
pub(super) fn rows<S: Simd>(
    simd: S,
    [k, columns]: [usize; 2],
    (a, width): (&[f32], usize),
    b: &[S::f32s],
    (c, c_width): (&mut [S::f32s], usize),
) {
    let tiles = a.len() / width;
    for first in (0..columns).step_by(PANEL) {
        let b = &b[first * k..];
        for (from, rows) in parts(tiles) {
            let (a, c) = (&a[from * width..], &mut c[from * c_width + first..]);
            if columns - first >= PANEL {
                by_rows!(rows, dot::<S, 2>(simd, k, (a, width), b, (c, c_width)));
            } else {
                by_rows!(rows, dot::<S, 1>(simd, k, (a, width), b, (c, c_width)));
            }
        }
    }
}

#[inline(always)]
fn dot<S: Simd, const M: usize, const N: usize>(
    simd: S,
    k: usize,
    (a, width): (&[f32], usize),
    b: &[S::f32s],
    (c, c_width): (&mut [S::f32s], usize),
) {
    let mut rows = [&a[..k]; M];
    for i in 1..M {
        rows[i] = &a[i * width..][..k];
    }
    let b = &b.as_chunks::<N>().0[..k];
    let mut sums = [[simd.splat_f32s(0.0); N]; M];
    for l in 0..k {
        let b = b[l];
        for i in 0..M {
            let a = simd.splat_f32s(rows[i][l]);
            for j in 0..N {
                sums[i][j] = simd.mul_add_e_f32s(a, b[j], sums[i][j]);
            }
        }
    }
    for i in 0..M {
        c[i * c_width..][..N].copy_from_slice(&sums[i]);
    }
}

/// `c += aᵀ · b`, where `a` has rows of `width` numbers, of which the first `m` are used, `b` has rows of
/// `b_width` vectors, of which the first `columns` are used, and `c` consists of panels of `m` rows.
#[inline(always)]
pub(super) fn columns<S: Simd>(
    simd: S,
    [m, columns]: [usize; 2],
    (a, width): (&[f32], usize),
    (b, b_width): (&[S::f32s], usize),
    c: &mut [S::f32s],
) {
    for first in (0..columns).step_by(PANEL) {
        for (from, rows) in parts(m) {
            if columns - first >= PANEL {
                let c = &mut c[first * m + from * 2..];
                by_rows!(rows, outer::<S, 2>(simd, (a, width, from), (b, b_width, first), c));
            } else {
                let c = &mut c[first * m + from..];
                by_rows!(rows, outer::<S, 1>(simd, (a, width, from), (b, b_width, first), c));
            }
        }
    }
}

#[inline(always)]
fn outer<S: Simd, const M: usize, const N: usize>(
    simd: S,
    (a, a_width, from): (&[f32], usize, usize),
    (b, b_width, first): (&[S::f32s], usize, usize),
    c: &mut [S::f32s],
) {
    let c = &mut c.as_chunks_mut::<N>().0[..M];
    let mut sums = [[simd.splat_f32s(0.0); N]; M];
    sums.copy_from_slice(c);
    for (a, b) in a.chunks_exact(a_width).zip(b.chunks_exact(b_width)) {
        let (a, b) = (&a[from..from + M], &b[first..first + N]);
        for i in 0..M {
            let a = simd.splat_f32s(a[i]);
            for j in 0..N {
                sums[i][j] = simd.mul_add_e_f32s(a, b[j], sums[i][j]);
            }
        }
    }
    c.copy_from_slice(&sums);
}
