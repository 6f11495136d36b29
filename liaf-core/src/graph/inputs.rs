//! The inputs of a network: one batch.

use ndarray::{ArrayViewD, Axis, Dimension, Slice};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::kernels::all_finite;
use crate::memory::Buffer;
use crate::real::Real;
use crate::shape::Shape;

/// A batch: for each named input an array `[N, T, item…]` (or `[N, item…]`), and the number of steps of
/// each sample that are not padding.
///
/// ```
/// use liaf_core::graph::Inputs;
/// let frames = ndarray::Array5::<f32>::zeros((4, 10, 2, 32, 32));
/// let batch = Inputs::of("frames", frames.view().into_dyn()).lengths("frames", &[10, 10, 7, 3]);
/// ```
#[derive(Debug, Clone)]
pub struct Inputs<'a, R> {
    arrays: Vec<(String, ArrayViewD<'a, R>)>,
    lengths: Vec<(String, &'a [usize])>,
    /// Index of the first sample.
    first: usize,
}

/// One input and its lengths.
#[derive(Debug, Clone)]
pub(super) struct Input<'a, R> {
    pub data: ArrayViewD<'a, R>,
    pub lengths: Option<&'a [usize]>,
}

impl<'a, R: Real> Inputs<'a, R> {
    /// A batch with one named input.
    pub fn of(name: &str, data: ArrayViewD<'a, R>) -> Self {
        Self::of_nothing().with(name, data)
    }

    /// A batch without inputs.
    pub(crate) fn of_nothing() -> Self {
        Self { arrays: Vec::new(), lengths: Vec::new(), first: 0 }
    }

    /// Adds another input.
    #[must_use]
    pub fn with(mut self, name: &str, data: ArrayViewD<'a, R>) -> Self {
        self.arrays.push((name.into(), data));
        self
    }

    /// States how many steps of each sample of an input are real; the steps after them are padding. The
    /// network returns an error for lengths of an input that it does not have.
    #[must_use]
    pub fn lengths(mut self, name: &str, lengths: &'a [usize]) -> Self {
        self.lengths.retain(|(known, _)| known != name);
        self.lengths.push((name.into(), lengths));
        self
    }

    /// Some of the samples, as a separate batch. Arrays and lengths that are too short are truncated.
    #[must_use]
    pub fn part(&self, samples: std::ops::Range<usize>) -> Self {
        let cut = |len: usize| samples.start.min(len)..samples.end.min(len);
        let array = |(name, data): &(String, ArrayViewD<'a, R>)| {
            let range = cut(data.shape().first().copied().unwrap_or(0));
            let data = match data.ndim() {
                0 => data.clone(),
                _ => data.clone().slice_axis_move(Axis(0), Slice::from(range)),
            };
            (name.clone(), data)
        };
        let length = |(name, all): &(String, &'a [usize])| (name.clone(), &all[cut(all.len())]);
        Self {
            arrays: self.arrays.iter().map(array).collect(),
            lengths: self.lengths.iter().map(length).collect(),
            first: 0,
        }
    }

    /// Numbers the samples from `first` on instead of from 0. Random numbers and the slots of gradients
    /// depend on the number of a sample. If a batch is passed in parts, they are those of the whole
    /// batch if each part is numbered from its offset in the batch.
    #[must_use]
    pub fn numbered_from(self, first: usize) -> Self {
        Self { first, ..self }
    }

    /// Index of the first sample.
    pub(crate) fn first(&self) -> usize {
        self.first
    }

    /// The array of an input.
    pub(crate) fn data(&self, name: &str) -> Option<ArrayViewD<'a, R>> {
        self.arrays.iter().find(|(own, _)| own == name).map(|(_, data)| data.clone())
    }

    /// Number of real steps of each sample of an input, if it was stated.
    pub(crate) fn real_steps(&self, name: &str) -> Option<&'a [usize]> {
        self.lengths.iter().find(|(own, _)| own == name).map(|&(_, lengths)| lengths)
    }

    /// An input and its lengths.
    pub(super) fn input(&self, name: &str) -> Option<Input<'a, R>> {
        Some(Input { data: self.data(name)?, lengths: self.real_steps(name) })
    }

    /// Names of the inputs.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.arrays.iter().map(|(name, _)| name.as_str())
    }

    /// Returns an error for names that are not inputs of the network, and for inputs that are given
    /// twice.
    pub(super) fn check_names<'b>(
        &self,
        known: impl Iterator<Item = &'b String> + Clone,
    ) -> Result<()> {
        let lengths = self.lengths.iter().map(|(name, _)| name.as_str());
        let unknown = |name: &str| !known.clone().any(|known| known == name);
        let named = |what: &str, name: &str| {
            let names: Vec<_> = known.clone().cloned().collect();
            Err(Error::config(what).expected(names.join(", ")).found(name))
        };
        if let Some(name) = self.names().find(|name| unknown(name)) {
            return named("the network has no input with this name", name);
        }
        if let Some(name) = lengths.clone().find(|name| unknown(name)) {
            return named("there are lengths for an input that the network does not have", name);
        }
        let twice = |(i, name): &(usize, &str)| self.names().take(*i).any(|other| other == *name);
        match self.names().enumerate().find(twice) {
            Some((_, name)) => Err(Error::config("an input is given twice").found(name)),
            None => Ok(()),
        }
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.arrays.first().map_or(0, |(_, data)| data.shape().first().copied().unwrap_or(0))
    }
}

impl<R: Real> Input<'_, R> {
    /// Number of steps of sample `n` without padding.
    pub fn steps(&self, n: usize, shape: &Shape) -> usize {
        let all = if shape.timed { self.data.shape()[1] } else { 1 };
        self.lengths.map_or(all, |lengths| lengths[n])
    }

    /// Copies the real steps of sample `n`, one after another.
    pub fn copy(&self, n: usize, shape: &Shape, into: &mut Buffer<R>) {
        let len = self.steps(n, shape) * shape.len();
        into.set_len(len);
        let sample = self.data.index_axis(Axis(0), n);
        match sample.as_slice() {
            Some(slice) => into.copy_from_slice(&slice[..len]),
            None => into.iter_mut().zip(sample.iter()).for_each(|(own, &x)| *own = x),
        }
    }

    /// Returns an error if the batch is invalid or does not fit the network.
    pub fn check(&self, samples: usize, shape: &Shape) -> Result<()> {
        let mut expected: Vec<String> = vec!["N".into()];
        expected.extend(shape.timed.then(|| "T".into()));
        expected.extend(shape.item.iter().map(usize::to_string));
        let found = self.data.shape();
        let axes = 1 + usize::from(shape.timed);
        if found.len() != axes + shape.item.len() || found[axes..] != shape.item[..] {
            return Err(Error::shape("the batch does not fit the network's input")
                .expected(format!("[{}]", expected.join(", ")))
                .found(format!("{found:?}")));
        }
        if found[0] == 0 {
            return Err(Error::data("the batch is empty").expected("1 or more samples"));
        }
        if found[0] != samples {
            return Err(Error::shape("the inputs have different numbers of samples")
                .expected(samples)
                .found(found[0]));
        }
        if shape.timed && found[1] == 0 {
            return Err(Error::data("the batch has no time steps").expected("T of 1 or more"));
        }
        if let Some(lengths) = self.lengths {
            let steps = if shape.timed { found[1] } else { 1 };
            if lengths.len() != samples {
                return Err(Error::data("there must be one length for each sample")
                    .expected(format!("{samples} lengths"))
                    .found(lengths.len()));
            }
            if let Some((n, &length)) =
                lengths.iter().enumerate().find(|&(_, length)| !(1..=steps).contains(length))
            {
                return Err(Error::data(format!("the length of sample {n} is out of range"))
                    .expected(format!("1 to {steps}"))
                    .found(length));
            }
        }
        let finite = (0..samples).into_par_iter().all(|n| {
            let sample = self.data.index_axis(Axis(0), n);
            match sample.as_slice() {
                Some(numbers) => all_finite(numbers),
                None => sample.iter().all(|number| number.is_finite()),
            }
        });
        let mut numbers = self.data.indexed_iter();
        if !finite && let Some((at, value)) = numbers.find(|(_, value)| !value.is_finite()) {
            return Err(Error::data("a number in the batch is not finite")
                .expected("finite numbers")
                .found(format!("{value} at {:?}", at.slice())));
        }
        Ok(())
    }
}
