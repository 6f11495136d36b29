//! Samples in one array.

use liaf_core::{Inputs, Real};
use liaf_data::Error;
use ndarray::{Array5, ArrayView5, Axis, s};

use super::Sample;
use crate::error::Result;

/// Samples in one array `[N, T, C, H, W]`, with the number of frames of each. Samples that are shorter
/// than the longest one are padded with zeros, which a network ignores.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch<R = f32> {
    array: Array5<R>,
    lengths: Vec<usize>,
}

impl<R: Real> Batch<R> {
    /// Puts samples into one array.
    ///
    /// ```
    /// use liaf::samples::{Batch, Sample};
    /// use ndarray::Array4;
    /// let samples = [3, 5].map(|steps| Sample::new(Array4::<f32>::ones((steps, 2, 8, 8))));
    /// let batch = Batch::of(&samples)?;
    /// assert_eq!(batch.view().dim(), (2, 5, 2, 8, 8));
    /// assert_eq!(batch.lengths(), [3, 5]);
    /// # Ok::<(), liaf::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if there are no samples, or if their frames do
    /// not all have the same shape.
    pub fn of(samples: &[Sample<R>]) -> Result<Self> {
        let Some(first) = samples.first() else {
            return Err(Error::caller("a batch must have at least one sample")
                .expected("1 or more")
                .into());
        };
        let (_, channels, height, width) = first.frames.dim();
        let lengths: Vec<usize> = samples.iter().map(|sample| sample.frames.dim().0).collect();
        let steps = lengths.iter().copied().max().unwrap_or(0);
        let mut array = Array5::from_elem((samples.len(), steps, channels, height, width), R::ZERO);
        for ((sample, &length), mut room) in
            samples.iter().zip(&lengths).zip(array.outer_iter_mut())
        {
            let frames = &sample.frames;
            if frames.shape()[1..] != first.frames.shape()[1..] {
                return Err(Error::caller("the frames of the samples have different shapes")
                    .expected(format!("{:?}", &first.frames.shape()[1..]))
                    .found(format!("{:?}", &frames.shape()[1..]))
                    .into());
            }
            room.slice_mut(s![..length, .., .., ..]).assign(frames);
        }
        Ok(Self { array, lengths })
    }

    /// Puts all samples of an iterator, such as [`Samples`](super::Samples), into one array.
    ///
    /// # Errors
    /// As [`of`](Self::of), and the first error of the iterator.
    pub fn collect(samples: impl IntoIterator<Item = Result<Sample<R>>>) -> Result<Self> {
        let samples: Vec<_> = samples.into_iter().collect::<Result<_>>()?;
        Self::of(&samples)
    }

    /// The batch as the input of a network that has this name: that of the table in TOML
    /// (`[inputs.frames]`), or `input` if the network begins with
    /// [`NetworkConfig::sequential`](crate::NetworkConfig::sequential).
    pub fn inputs(&self, name: &str) -> Inputs<'_, R> {
        let inputs = Inputs::of(name, self.array.view().into_dyn());
        let steps = self.array.len_of(Axis(1));
        match self.lengths.iter().all(|&length| length == steps) {
            true => inputs,
            false => inputs.lengths(name, &self.lengths),
        }
    }

    /// The array, `[N, T, C, H, W]`.
    pub fn view(&self) -> ArrayView5<'_, R> {
        self.array.view()
    }

    /// Returns the array, `[N, T, C, H, W]`, without copying it.
    pub fn into_array(self) -> Array5<R> {
        self.array
    }

    /// Number of frames of each sample without the zeros after them.
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// Number of samples N.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }
}

/// The samples of an array `[N, T, C, H, W]`, all of T frames.
impl<R: Real> From<Array5<R>> for Batch<R> {
    fn from(array: Array5<R>) -> Self {
        let (samples, steps, ..) = array.dim();
        Self { array, lengths: vec![steps; samples] }
    }
}
