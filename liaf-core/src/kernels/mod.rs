//! The loops that take most of the time: a table of functions over slices and shapes, fast and plain.
//!
//! Layers call them only through [`Kernels`], so that another back end is another table. None of them
//! uses more than one thread: samples are processed in parallel instead.

mod activate;
mod columns;
mod conv;
mod conv_f32;
mod conv_fast;
mod conv_few;
mod conv_plain;
mod fast;
mod neuron;
mod pack;
mod plain;
mod pool;
mod winograd;

pub use activate::{Activated, ActivatedBack};
pub use conv::{Begin, Conv, ConvForward, ConvInputs, ConvWeights, Window};
pub use neuron::{Columns, Emit, Membrane, NeuronBackward, NeuronForward, Rows};
pub use pool::{Halve, HalveBack, Largest};
pub(crate) use pool::{all_finite, sum};

use std::any::Any;
use std::fmt;

use crate::real::Real;

/// A matrix in a slice: element (i, j) is at index `i * rows + j * cols`.
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
    /// A matrix whose rows of `width` numbers are contiguous.
    pub fn rows(data: &'a [R], width: usize) -> Self {
        Self { data, rows: width, cols: 1 }
    }

    /// The transpose of a matrix whose rows of `width` numbers are contiguous.
    pub fn transposed(data: &'a [R], width: usize) -> Self {
        Self { data, rows: 1, cols: width }
    }

    /// Length of the slice that an m × n matrix of this layout needs; `None` if no slice can be that
    /// long.
    fn span(&self, m: usize, n: usize) -> Option<usize> {
        let (Some(last_row), Some(last_col)) = (m.checked_sub(1), n.checked_sub(1)) else {
            return Some(0);
        };
        let (down, right) = (last_row.checked_mul(self.rows)?, last_col.checked_mul(self.cols)?);
        down.checked_add(right)?.checked_add(1)
    }

    /// Whether every element of an m × n matrix is inside the slice, and its distances are such that a
    /// pointer can be moved by them.
    fn holds(&self, m: usize, n: usize) -> bool {
        let distances = isize::try_from(self.rows).is_ok() && isize::try_from(self.cols).is_ok();
        distances && self.span(m, n).is_some_and(|span| span <= self.data.len())
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
    /// Checks that the slices contain the matrices. The unsafe code of the fast product relies on this,
    /// so that all arithmetic is checked.
    ///
    /// # Panics
    /// If a slice is too short for its matrix, which is a bug in a layer.
    fn check(&self) {
        assert!(self.a.holds(self.m, self.k), "left factor is too short");
        assert!(self.b.holds(self.k, self.n), "right factor is too short");
        let c = Matrix::rows(&*self.c, self.c_width);
        assert!(self.c_width >= self.n && c.holds(self.m, self.n), "result is too short");
    }
}

/// The table of kernels.
pub struct Kernels<R: 'static> {
    /// Name of the table, for reports.
    pub name: &'static str,
    /// A matrix product on one thread.
    pub product: fn(Product<'_, R>),
    /// A convolution.
    pub conv: fn(ConvForward<'_, R>),
    /// Its gradient with respect to the weights.
    pub conv_weights: fn(ConvWeights<'_, R>),
    /// Its gradient with respect to the input.
    pub conv_inputs: fn(ConvInputs<'_, R>),
    /// The most numbers that the kernels of a convolution take from their work memory, for a number of
    /// steps.
    pub conv_room: fn(&Conv, usize) -> usize,
    /// The common neuron over time.
    pub neuron_forward: fn(NeuronForward<'_, R>),
    /// The backward pass of the common neuron.
    pub neuron_backward: fn(NeuronBackward<'_, R>),
    /// An activation function.
    pub activate: fn(Activated<'_, R>),
    /// Its backward pass.
    pub activate_back: fn(ActivatedBack<'_, R>),
    /// Means of adjacent windows of 2×2.
    pub halve: fn(Halve<'_, R>),
    /// Its backward pass.
    pub halve_back: fn(HalveBack<'_, R>),
    /// Maxima of adjacent windows of 2×2.
    pub largest: fn(Largest<'_, R>),
}

impl<R> fmt::Debug for Kernels<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kernels({})", self.name)
    }
}

impl<R: Real> Kernels<R> {
    const FAST: Self = Self {
        name: "fast",
        product: fast::product,
        conv: conv_fast::forward,
        conv_weights: conv_fast::weights,
        conv_inputs: conv_fast::inputs,
        conv_room: conv_fast::room::<R>,
        neuron_forward: neuron::forward,
        neuron_backward: neuron::backward,
        activate: activate::forward,
        activate_back: activate::backward,
        halve: pool::halve,
        halve_back: pool::halve_back,
        largest: pool::largest,
    };
    const PLAIN: Self = Self {
        name: "plain",
        product: plain::product,
        conv: conv_plain::forward,
        conv_weights: conv_plain::weights,
        conv_inputs: conv_plain::inputs,
        conv_room: |_, _| 0,
        neuron_forward: neuron::plain_forward,
        neuron_backward: neuron::plain_backward,
        activate: activate::plain_forward,
        activate_back: activate::plain_backward,
        halve: pool::halve,
        halve_back: pool::halve_back,
        largest: pool::largest,
    };

    /// The fast kernels. Some loops are compiled for several processors, which needs a concrete type. The
    /// tables of `f32` and `f64` are therefore found by their type.
    pub fn fast() -> &'static Self {
        let tables: [&'static dyn Any; 2] = [&FAST_F32, &FAST_F64];
        tables.into_iter().find_map(|table| table.downcast_ref()).unwrap_or(&Self::FAST)
    }

    /// The plain kernels, with which the fast ones are compared in tests.
    pub fn plain() -> &'static Self {
        &Self::PLAIN
    }
}

static FAST_F32: Kernels<f32> = Kernels {
    conv: conv_f32::forward,
    conv_weights: conv_f32::weights,
    conv_inputs: conv_f32::inputs,
    conv_room: conv_f32::room,
    neuron_forward: neuron::forward_f32,
    neuron_backward: neuron::backward_f32,
    activate: activate::forward_f32,
    activate_back: activate::backward_f32,
    halve: pool::halve_f32,
    halve_back: pool::halve_back_f32,
    largest: pool::largest_f32,
    ..Kernels::FAST
};
static FAST_F64: Kernels<f64> = Kernels {
    neuron_forward: neuron::forward_f64,
    neuron_backward: neuron::backward_f64,
    activate: activate::forward_f64,
    activate_back: activate::backward_f64,
    halve: pool::halve_f64,
    halve_back: pool::halve_back_f64,
    largest: pool::largest_f64,
    ..Kernels::FAST
};

#[cfg(test)]
mod conv_speed;
#[cfg(test)]
mod conv_tests;
#[cfg(test)]
mod tests;
