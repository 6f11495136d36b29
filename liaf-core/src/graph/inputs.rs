//! What a network is fed: one batch.

use ndarray::{ArrayViewD, Axis, Dimension, Slice};

use crate::{Error, Real, Result, Shape};

/// A batch: for each named input an array `[N, T, item…]` (or `[N, item…]`), and how many steps of
/// each sample are not padding.
///
/// ```
/// use liaf_core::graph::Inputs;
/// let frames = ndarray::Array5::<f32>::zeros((4, 10, 2, 32, 32));
/// let batch = Inputs::of("frames", frames.view().into_dyn()).lengths("frames", &[10, 10, 7, 3]);
/// ```
#[derive(Debug, Clone)]
pub struct Inputs<'a, R> {
    pub(super) all: Vec<Input<'a, R>>,
}

#[derive(Debug, Clone)]
pub(super) struct Input<'a, R> {
    pub name: String,
    pub data: ArrayViewD<'a, R>,
    pub lengths: Option<&'a [usize]>,
}

impl<'a, R: Real> Inputs<'a, R> {
    /// A batch of one named input.
    pub fn of(name: &str, data: ArrayViewD<'a, R>) -> Self {
        Self::of_nothing().with(name, data)
    }

    /// A batch of no inputs yet.
    pub(crate) fn of_nothing() -> Self {
        Self { all: Vec::new() }
    }

    /// The same with one more input.
    #[must_use]
    pub fn with(mut self, name: &str, data: ArrayViewD<'a, R>) -> Self {
        self.all.push(Input { name: name.into(), data, lengths: None });
        self
    }

    /// Says how many steps of each sample of an input are real; what follows is padding.
    #[must_use]
    pub fn lengths(mut self, name: &str, lengths: &'a [usize]) -> Self {
        self.all
            .iter_mut()
            .filter(|input| input.name == name)
            .for_each(|i| i.lengths = Some(lengths));
        self
    }

    /// Some of the samples. Arrays and lengths that are too short are cut where they end.
    #[must_use]
    pub fn part(&self, samples: std::ops::Range<usize>) -> Self {
        let cut = |len: usize| samples.start.min(len)..samples.end.min(len);
        let part = |input: &Input<'a, R>| {
            let data = input.data.clone();
            let range = cut(data.shape().first().copied().unwrap_or(0));
            let data = if data.ndim() == 0 {
                data
            } else {
                data.slice_axis_move(Axis(0), Slice::from(range))
            };
            let lengths = input.lengths.map(|lengths| &lengths[cut(lengths.len())]);
            Input { name: input.name.clone(), data, lengths }
        };
        Self { all: self.all.iter().map(part).collect() }
    }

    /// The array of an input.
    pub(crate) fn data(&self, name: &str) -> Option<ArrayViewD<'a, R>> {
        self.all.iter().find(|input| input.name == name).map(|input| input.data.clone())
    }

    /// Steps of each sample of an input that are real, where they are said.
    pub(crate) fn real_steps(&self, name: &str) -> Option<&'a [usize]> {
        self.all.iter().find(|input| input.name == name)?.lengths
    }

    /// Names of the inputs.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|input| input.name.as_str())
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.all.first().map_or(0, |input| input.data.shape().first().copied().unwrap_or(0))
    }
}

impl<R: Real> Input<'_, R> {
    /// Steps of sample `n` without padding.
    pub fn steps(&self, n: usize, shape: &Shape) -> usize {
        let all = if shape.timed { self.data.shape()[1] } else { 1 };
        self.lengths.map_or(all, |lengths| lengths[n])
    }

    /// Copies the real steps of sample `n`, one after another.
    pub fn copy(&self, n: usize, shape: &Shape, into: &mut Vec<R>) {
        let len = self.steps(n, shape) * shape.len();
        let sample = self.data.index_axis(Axis(0), n);
        into.clear();
        match sample.as_slice() {
            Some(slice) => into.extend_from_slice(&slice[..len]),
            None => into.extend(sample.iter().take(len)),
        }
    }

    /// Refuses what cannot be worked on.
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
            return Err(Error::data("an empty batch").expected("1 or more samples"));
        }
        if found[0] != samples {
            return Err(Error::shape("inputs of different numbers of samples")
                .expected(samples)
                .found(found[0]));
        }
        if shape.timed && found[1] == 0 {
            return Err(Error::data("a batch without time steps").expected("T of 1 or more"));
        }
        if let Some(lengths) = self.lengths {
            let steps = if shape.timed { found[1] } else { 1 };
            if lengths.len() != samples {
                return Err(Error::data("not one length a sample")
                    .expected(format!("{samples} lengths"))
                    .found(lengths.len()));
            }
            if let Some((n, &length)) =
                lengths.iter().enumerate().find(|&(_, length)| !(1..=steps).contains(length))
            {
                return Err(Error::data(format!("sample {n} has an impossible length"))
                    .expected(format!("1 to {steps}"))
                    .found(length));
            }
        }
        if let Some((at, value)) = self.data.indexed_iter().find(|(_, value)| !value.is_finite()) {
            return Err(Error::data("a number of the batch is not finite")
                .expected("finite numbers")
                .found(format!("{value} at {:?}", at.slice())));
        }
        Ok(())
    }
}
