//! Memory that is kept from pass to pass: what layers save for the way back, and work buffers.

use crate::real::Real;

/// What a layer keeps of the forward pass for the way back, for one sample. The memory is kept
/// between batches.
#[derive(Debug, Default, Clone)]
pub struct Saved<R> {
    /// Numbers: membrane potentials, gates, …
    pub real: Vec<Vec<R>>,
    /// Indices: maxima of a pooling, …
    pub index: Vec<u32>,
}

impl<R: Real> Saved<R> {
    /// Buffer number `i`, of `len` numbers; what is in it is not defined.
    pub fn buffer(&mut self, i: usize, len: usize) -> &mut Vec<R> {
        if self.real.len() <= i {
            self.real.resize_with(i + 1, Vec::new);
        }
        let buffer = &mut self.real[i];
        buffer.resize(len, R::ZERO);
        buffer
    }

    /// Buffer number `i` as the forward pass left it; empty if it left none.
    pub fn get(&self, i: usize) -> &[R] {
        self.real.get(i).map_or(&[], Vec::as_slice)
    }
}

/// Work memory of one thread: buffers that are taken and put back.
#[derive(Debug, Default)]
pub struct Scratch<R> {
    free: Vec<Vec<R>>,
}

impl<R: Real> Scratch<R> {
    /// A buffer of `len` numbers; what is in it is not defined.
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

    /// Gives a buffer back.
    pub fn put(&mut self, buffer: Vec<R>) {
        self.free.push(buffer);
    }

    /// Gives buffers back.
    pub fn put_all(&mut self, buffers: impl IntoIterator<Item = Vec<R>>) {
        self.free.extend(buffers);
    }
}
