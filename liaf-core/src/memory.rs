//! Memory that is reused from pass to pass: what layers save for the backward pass, and working memory.

use crate::real::Real;

/// What a layer saves in the forward pass of one sample for the backward pass. The memory is reused
/// between batches.
#[derive(Debug, Default, Clone)]
pub struct Saved<R> {
    /// Numbers: membrane potentials, gates and so on.
    pub real: Vec<Vec<R>>,
    /// Indices: those of the maxima of a pooling and so on.
    pub index: Vec<u32>,
}

impl<R: Real> Saved<R> {
    /// Buffer number `i`, with `len` numbers; its contents are unspecified.
    pub fn buffer(&mut self, i: usize, len: usize) -> &mut Vec<R> {
        if self.real.len() <= i {
            self.real.resize_with(i + 1, Vec::new);
        }
        let buffer = &mut self.real[i];
        buffer.resize(len, R::ZERO);
        buffer
    }

    /// Buffer number `i` as the forward pass left it; empty if it was not used.
    pub fn get(&self, i: usize) -> &[R] {
        self.real.get(i).map_or(&[], Vec::as_slice)
    }
}

/// How many numbers a layer needs for one sample in addition to its inputs, its output and its state:
/// an upper bound, which does not overflow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// Numbers that stay in [`Saved`].
    pub saved: usize,
    /// Numbers taken from [`Scratch`] at the same time.
    pub scratch: usize,
}

impl Room {
    /// Room for `saved` and `scratch` numbers, each of them a sum of products.
    pub fn new(saved: &[&[usize]], scratch: &[&[usize]]) -> Self {
        Self { saved: sum(saved), scratch: sum(scratch) }
    }
}

/// The sum of the products of the numbers in each part; the largest number if that overflows.
fn sum(parts: &[&[usize]]) -> usize {
    let product = |part: &&[usize]| part.iter().fold(1, |all: usize, &n| all.saturating_mul(n));
    parts.iter().map(product).fold(0, usize::saturating_add)
}

/// Working memory of one thread: buffers that are taken and returned.
#[derive(Debug, Default)]
pub struct Scratch<R> {
    free: Vec<Vec<R>>,
}

impl<R: Real> Scratch<R> {
    /// A buffer of `len` numbers; its contents are unspecified.
    pub fn take(&mut self, len: usize) -> Vec<R> {
        let mut buffer = self.free.pop().unwrap_or_default();
        buffer.resize(len, R::ZERO);
        buffer
    }

    /// A buffer of `len` zeros.
    pub fn zeros(&mut self, len: usize) -> Vec<R> {
        let mut buffer = self.free.pop().unwrap_or_default();
        buffer.clear();
        buffer.resize(len, R::ZERO);
        buffer
    }

    /// Number of numbers that the buffers can hold.
    pub fn len(&self) -> usize {
        self.free.iter().map(Vec::capacity).sum()
    }

    /// Returns a buffer.
    pub fn put(&mut self, buffer: Vec<R>) {
        self.free.push(buffer);
    }

    /// Returns buffers.
    pub fn put_all(&mut self, buffers: impl IntoIterator<Item = Vec<R>>) {
        self.free.extend(buffers);
    }
}
