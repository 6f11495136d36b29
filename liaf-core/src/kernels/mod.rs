//! The loops that take the time: one table of functions over slices and shapes, fast and plain.
//!
//! A layer reaches them through [`Kernels`] only, so another back end is another table. None of
//! them uses more than one thread: samples are what runs in parallel.

mod fast;
mod plain;

use std::fmt;

/// A matrix in a slice: element (i, j) stands at `i * rows + j * cols`.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a, R> {
    /// The numbers.
    pub data: &'a [R],
    /// Distance between rows.
    pub rows: usize,
    /// Distance between columns.
    pub cols: usize,
}

impl<'a, R> Matrix<'a, R> {
    /// A matrix whose rows of `width` numbers follow each other.
    pub fn rows(data: &'a [R], width: usize) -> Self {
        Self { data, rows: width, cols: 1 }
    }

    /// The transpose of a matrix whose rows of `width` numbers follow each other.
    pub fn transposed(data: &'a [R], width: usize) -> Self {
        Self { data, rows: 1, cols: width }
    }

    /// Numbers that an m × n matrix of this layout reaches over.
    fn span(&self, m: usize, n: usize) -> usize {
        if m == 0 || n == 0 { 0 } else { (m - 1) * self.rows + (n - 1) * self.cols + 1 }
    }
}

/// One matrix product: `c[m × n] = a[m × k] · b[k × n]`, or added to `c`.
#[derive(Debug)]
pub struct Product<'a, R> {
    /// Rows of `a` and `c`.
    pub m: usize,
    /// Columns of `b` and `c`.
    pub n: usize,
    /// Columns of `a`, rows of `b`.
    pub k: usize,
    /// Left factor.
    pub a: Matrix<'a, R>,
    /// Right factor.
    pub b: Matrix<'a, R>,
    /// Result, rows of `c_width` numbers.
    pub c: &'a mut [R],
    /// Distance between rows of `c`, at least `n`.
    pub c_width: usize,
    /// Whether the product is added to what is in `c`.
    pub add: bool,
}

impl<R> Product<'_, R> {
    /// # Panics
    /// If a slice is too short for its matrix: a mistake in a layer.
    fn check(&self) {
        assert!(self.a.data.len() >= self.a.span(self.m, self.k), "left factor is too short");
        assert!(self.b.data.len() >= self.b.span(self.k, self.n), "right factor is too short");
        let span = if self.m == 0 { 0 } else { (self.m - 1) * self.c_width + self.n };
        assert!(self.c_width >= self.n && self.c.len() >= span, "result is too short");
    }
}

/// The table.
pub struct Kernels<R: 'static> {
    /// Its name, for reports.
    pub name: &'static str,
    /// A matrix product on one thread.
    pub product: fn(Product<'_, R>),
}

impl<R> fmt::Debug for Kernels<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kernels({})", self.name)
    }
}

pub(crate) static FAST_F32: Kernels<f32> = Kernels { name: "fast", product: fast::product };
pub(crate) static FAST_F64: Kernels<f64> = Kernels { name: "fast", product: fast::product };
pub(crate) static PLAIN_F32: Kernels<f32> = Kernels { name: "plain", product: plain::product };
pub(crate) static PLAIN_F64: Kernels<f64> = Kernels { name: "plain", product: plain::product };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Real;
    use crate::rng::Key;

    /// Random matrices of odd sizes, in every layout, written and added.
    fn compare<R: Real>(tolerance: f64) {
        for (case, (m, n, k)) in [
            (1, 1, 1),
            (3, 5, 7),
            (16, 16, 16),
            (17, 1, 33),
            (1, 40, 9),
            (64, 31, 130),
            (0, 3, 2),
            (4, 4, 0),
        ]
        .into_iter()
        .enumerate()
        {
            let key = Key::new(case as u64);
            let (mut a, mut b) = (vec![R::ZERO; m * k], vec![R::ZERO; k * n]);
            key.child(0).fill_normal(&mut a, 0.0, 1.0);
            key.child(1).fill_normal(&mut b, 0.0, 1.0);
            for layout in 0..8 {
                let a =
                    if layout & 1 == 0 { Matrix::rows(&a, k) } else { Matrix::transposed(&a, m) };
                let b =
                    if layout & 2 == 0 { Matrix::rows(&b, n) } else { Matrix::transposed(&b, k) };
                let run = |kernels: &Kernels<R>| {
                    let mut c = vec![R::ONE; m * (n + 2)];
                    let c_width = n + 2;
                    (kernels.product)(Product {
                        m,
                        n,
                        k,
                        a,
                        b,
                        c: &mut c,
                        c_width,
                        add: layout & 4 != 0,
                    });
                    c
                };
                for (fast, plain) in run(R::fast()).into_iter().zip(run(R::plain())) {
                    let error = (fast - plain).f64().abs();
                    assert!(
                        error <= tolerance * (k as f64 + 1.0),
                        "{m} {n} {k} layout {layout}: {error}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_fast_product_is_the_plain_product() {
        compare::<f64>(1e-14);
        compare::<f32>(2e-6);
    }
}
