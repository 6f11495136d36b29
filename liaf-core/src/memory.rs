//! Memory that is reused from pass to pass: what layers save for the backward pass, and working memory.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use smallvec::SmallVec;

use crate::real::Real;

/// Numbers in memory that is used for one thing after another. A buffer that becomes shorter keeps its memory as
/// it is, so that nothing needs to be written when it becomes as long as before.
#[derive(Debug, Default, Clone)]
pub struct Buffer<R> {
    /// The numbers, and what is left of longer ones.
    memory: Vec<R>,
    len: usize,
}

impl<R: Real> Buffer<R> {
    /// Sets the number of numbers; their values are unspecified.
    pub fn set_len(&mut self, len: usize) {
        if self.memory.capacity() < len {
            // Growing it would copy numbers that nobody needs.
            self.memory = Vec::with_capacity(len);
        }
        if self.memory.len() < len {
            self.memory.resize(len, R::ZERO);
        }
        self.len = len;
    }
}

impl<R> Buffer<R> {
    /// Number of numbers for which there is memory.
    pub fn capacity(&self) -> usize {
        self.memory.capacity()
    }
}

impl<R> Deref for Buffer<R> {
    type Target = [R];

    fn deref(&self) -> &[R] {
        &self.memory[..self.len]
    }
}

impl<R> DerefMut for Buffer<R> {
    fn deref_mut(&mut self) -> &mut [R] {
        &mut self.memory[..self.len]
    }
}

impl<'a, R> IntoIterator for &'a Buffer<R> {
    type Item = &'a R;
    type IntoIter = std::slice::Iter<'a, R>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, R> IntoIterator for &'a mut Buffer<R> {
    type Item = &'a mut R;
    type IntoIter = std::slice::IterMut<'a, R>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

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
#[derive(Debug)]
pub struct Scratch<R> {
    free: Vec<Buffer<R>>,
    /// Memory for the parts of a layer that other threads run, which all threads of a pass share.
    spare: Spare<R>,
}

/// The working memory that nobody uses now.
type Spare<R> = Arc<Mutex<Vec<Scratch<R>>>>;

/// A copy has the same memory for parts, and no buffers yet.
impl<R> Clone for Scratch<R> {
    fn clone(&self) -> Self {
        Self { free: Vec::new(), spare: Arc::clone(&self.spare) }
    }
}

impl<R> Default for Scratch<R> {
    fn default() -> Self {
        Self { free: Vec::new(), spare: Spare::default() }
    }
}

impl<R: Real> Scratch<R> {
    /// Calls `run` for every part of a layer with its index, on all threads that have no other work.
    pub fn each<T: Send>(
        &mut self,
        parts: impl ExactSizeIterator<Item = T>,
        run: impl Fn(usize, T, &mut Self) + Sync,
    ) {
        if parts.len() == 1 || rayon::current_num_threads() == 1 {
            return parts.enumerate().for_each(|(i, part)| run(i, part, self));
        }
        // Two parts, as in a single step, are not worth an allocation.
        let mut parts: SmallVec<[Option<T>; 2]> = parts.map(Some).collect();
        let lock = || self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        parts.par_iter_mut().enumerate().with_max_len(1).for_each(|(i, part)| {
            let Some(part) = part.take() else { return };
            let mut own = lock().pop().unwrap_or_default();
            run(i, part, &mut own);
            lock().push(own);
        });
    }

    /// Number of numbers in the memory for parts of layers.
    pub fn spare_len(&self) -> usize {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.iter().map(Self::len).sum()
    }

    /// A buffer of `len` numbers; its contents are unspecified.
    pub fn take(&mut self, len: usize) -> Buffer<R> {
        let mut buffer = self.free.pop().unwrap_or_default();
        buffer.set_len(len);
        buffer
    }

    /// A buffer of `len` zeros.
    pub fn zeros(&mut self, len: usize) -> Buffer<R> {
        let mut buffer = self.take(len);
        buffer.fill(R::ZERO);
        buffer
    }

    /// Number of numbers that the buffers can hold.
    pub fn len(&self) -> usize {
        self.free.iter().map(Buffer::capacity).sum()
    }

    /// Returns a buffer.
    pub fn put(&mut self, buffer: Buffer<R>) {
        self.free.push(buffer);
    }

    /// Returns buffers.
    pub fn put_all(&mut self, buffers: impl IntoIterator<Item = Buffer<R>>) {
        self.free.extend(buffers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_grows_back_to_its_length_is_not_written() {
        let mut scratch = Scratch::<f32>::default();
        let mut buffer = scratch.take(4);
        buffer.copy_from_slice(&[1.0, 2.0, 3.0, 4.0]);
        scratch.put(buffer);
        let short = scratch.take(2);
        assert_eq!(short[..], [1.0, 2.0]);
        scratch.put(short);
        assert_eq!(scratch.take(4)[..], [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(scratch.zeros(3)[..], [0.0; 3]);
    }
}
