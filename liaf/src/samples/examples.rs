//! Training examples: samples with a class each, from any source.

use std::sync::Arc;

use liaf_core::{Inputs, Shape};
use liaf_data::Error;
use liaf_data::frames::SampleRecipe;
use ndarray::{Array5, ArrayD, Axis};

use crate::error::Result;

/// Samples that a network can learn from: of a tensor file, of a text, or of your own making.
///
/// A data set of one's own needs the first five methods:
///
/// ```
/// use liaf::core::Shape;
/// use liaf::samples::{Collated, Examples, Input};
/// use ndarray::Array5;
///
/// /// Events on the left, or on the right.
/// struct Sides { labels: Vec<usize>, classes: Vec<String> }
///
/// impl Examples for Sides {
///     fn labels(&self) -> &[usize] { &self.labels }
///     fn classes(&self) -> &[String] { &self.classes }
///     fn inputs(&self) -> Vec<Input> {
///         vec![Input { name: "frames".into(), shape: Shape::timed([1, 4, 4]), steps: 5 }]
///     }
///     fn steps(&self, _number: usize) -> usize { 5 }
///     fn collate(&self, numbers: &[usize]) -> liaf::Result<Collated> {
///         let side = |n: usize, x: usize| x / 2 == self.labels[numbers[n]];
///         let frames = Array5::from_shape_fn((numbers.len(), 5, 1, 4, 4), |(n, _, _, _, x)| {
///             f32::from(u8::from(side(n, x)))
///         });
///         let labels = numbers.iter().map(|&number| self.labels[number]).collect();
///         Ok(Collated::new(labels).with("frames", frames.into_dyn(), None))
///     }
/// }
///
/// let sides = Sides { labels: vec![0, 1, 1], classes: vec!["left".into(), "right".into()] };
/// let batch = sides.collate(&[2, 0])?;
/// assert_eq!((batch.labels(), batch.len()), (&[1, 0][..], 2));
/// # Ok::<(), liaf::Error>(())
/// ```
pub trait Examples: Send + Sync {
    /// The class of each sample, an index of [`classes`](Self::classes).
    fn labels(&self) -> &[usize];

    /// Names of the classes.
    fn classes(&self) -> &[String];

    /// What a sample consists of.
    fn inputs(&self) -> Vec<Input>;

    /// Number of steps of a sample without padding, by which samples of similar length are put into the
    /// same batch.
    fn steps(&self, number: usize) -> usize;

    /// These samples as one batch, in this order.
    ///
    /// # Errors
    /// If there is no such sample, or if one cannot be read.
    fn collate(&self, numbers: &[usize]) -> Result<Collated>;

    /// Number of samples.
    fn len(&self) -> usize {
        self.labels().len()
    }

    /// Whether there are no samples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the classes are the words of a language, most of which are the class of no sample.
    fn classes_are_words(&self) -> bool {
        false
    }

    /// How the frames of the samples are made from a recording, if they are. Checkpoints say it, so that
    /// recordings can be classified.
    fn recipe(&self) -> Option<SampleRecipe> {
        None
    }

    /// Memory that the samples take, in bytes.
    fn bytes(&self) -> u64 {
        0
    }
}

/// An input of a network for which samples have data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its name. If samples and network have one input each, their names need not agree.
    pub name: String,
    /// The shape of an item.
    pub shape: Shape,
    /// Number of steps of the longest sample.
    pub steps: usize,
}

/// Samples as one batch: an array `[N, T, item…]` for each input, and the labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Collated {
    labels: Vec<usize>,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
struct Part {
    name: String,
    array: ArrayD<f32>,
    /// Number of steps of each sample without padding; `None` if all have the same.
    lengths: Option<Vec<usize>>,
}

impl Collated {
    /// A batch of samples of these classes, without data.
    pub fn new(labels: Vec<usize>) -> Self {
        Self { labels, parts: Vec::new() }
    }

    /// Adds an input `[N, T, item…]`, and the numbers of steps that are not padding, if they differ.
    #[must_use]
    pub fn with(mut self, name: &str, array: ArrayD<f32>, lengths: Option<Vec<usize>>) -> Self {
        self.parts.push(Part { name: name.into(), array, lengths });
        self
    }

    /// The class of each sample.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The array of an input, `[N, T, item…]`.
    pub fn array(&self, name: &str) -> Option<&ArrayD<f32>> {
        self.parts.iter().find(|part| part.name == name).map(|part| &part.array)
    }

    /// The arrays of all inputs, to be changed.
    pub fn arrays_mut(&mut self) -> impl Iterator<Item = &mut ArrayD<f32>> {
        self.parts.iter_mut().map(|part| &mut part.array)
    }

    /// The arrays of all inputs, to be changed, each with its numbers of steps without padding, if any is padded.
    pub fn sequences_mut(&mut self) -> impl Iterator<Item = (&mut ArrayD<f32>, Option<&[usize]>)> {
        self.parts.iter_mut().map(|part| (&mut part.array, part.lengths.as_deref()))
    }

    /// Number of steps of each sample of an input without padding; `None` if none is padded.
    pub fn lengths(&self, name: &str) -> Option<&[usize]> {
        self.parts.iter().find(|part| part.name == name)?.lengths.as_deref()
    }

    /// The batch as inputs of a network. With `only`, a single input has this name.
    pub fn inputs(&self, only: Option<&str>) -> Option<Inputs<'_, f32>> {
        let name = |part: &Part| match (only, self.parts.len()) {
            (Some(name), 1) => name.to_owned(),
            _ => part.name.clone(),
        };
        let (first, rest) = self.parts.split_first()?;
        let mut all = Inputs::of(&name(first), first.array.view());
        all = rest.iter().fold(all, |all, part| all.with(&name(part), part.array.view()));
        for part in &self.parts {
            if let Some(lengths) = &part.lengths {
                all = all.lengths(&name(part), lengths);
            }
        }
        Some(all)
    }
}

/// Samples in memory, all with the same number of frames.
///
/// ```
/// use liaf::samples::{Examples, FrameArray};
/// let frames = ndarray::Array5::<f32>::zeros((4, 10, 2, 8, 8));
/// let set = FrameArray::new(frames, vec![0, 1, 0, 1], vec!["left".into(), "right".into()])?;
/// assert_eq!(set.collate(&[3, 1])?.array("frames").map(|a| a.shape().to_vec()), Some(vec![2, 10, 2, 8, 8]));
/// # Ok::<(), liaf::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FrameArray {
    frames: Array5<f32>,
    labels: Vec<usize>,
    classes: Vec<String>,
    recipe: Option<SampleRecipe>,
}

impl FrameArray {
    /// Samples `[N, T, C, H, W]` with a class each.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if there is not one label for each sample, or if
    /// one is not the index of a class.
    pub fn new(frames: Array5<f32>, labels: Vec<usize>, classes: Vec<String>) -> Result<Self> {
        if labels.len() != frames.len_of(Axis(0)) {
            let error = Error::caller("there must be one label for each sample");
            return Err(error.expected(frames.len_of(Axis(0))).found(labels.len()).into());
        }
        if let Some(label) = labels.iter().find(|&&label| label >= classes.len()) {
            let error = Error::caller("a label is not the index of a class");
            return Err(error.expected(format!("below {}", classes.len())).found(label).into());
        }
        Ok(Self { frames, labels, classes, recipe: None })
    }

    /// States how the frames are made from a recording.
    #[must_use]
    pub fn made_by(self, recipe: SampleRecipe) -> Self {
        Self { recipe: Some(recipe), ..self }
    }
}

impl Examples for FrameArray {
    fn labels(&self) -> &[usize] {
        &self.labels
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn inputs(&self) -> Vec<Input> {
        let &[_, steps, c, h, w] = self.frames.shape() else { return Vec::new() };
        vec![Input { name: FRAMES.into(), shape: Shape::timed([c, h, w]), steps }]
    }

    fn steps(&self, _number: usize) -> usize {
        self.frames.len_of(Axis(1))
    }

    fn collate(&self, numbers: &[usize]) -> Result<Collated> {
        check_numbers(numbers, self.len())?;
        let labels = numbers.iter().map(|&number| self.labels[number]).collect();
        let frames = self.frames.select(Axis(0), numbers);
        Ok(Collated::new(labels).with(FRAMES, frames.into_dyn(), None))
    }

    fn recipe(&self) -> Option<SampleRecipe> {
        self.recipe.clone()
    }

    fn bytes(&self) -> u64 {
        size_of::<f32>() as u64 * self.frames.len() as u64
    }
}

/// The name of the input of samples of frames.
pub(crate) const FRAMES: &str = "frames";

/// Returns an error if one of these is not the number of a sample.
pub(crate) fn check_numbers(numbers: &[usize], samples: usize) -> Result<()> {
    match numbers.iter().find(|&&number| number >= samples) {
        None => Ok(()),
        Some(number) => {
            let error = Error::caller("there is no such sample");
            Err(error.expected(format!("below {samples}")).found(number).into())
        }
    }
}

/// Some of the samples of a set.
#[derive(Clone)]
pub struct Subset {
    of: Arc<dyn Examples>,
    numbers: Vec<usize>,
    labels: Vec<usize>,
}

impl Subset {
    /// The samples with these numbers, in this order.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if there is no such sample.
    pub fn new(of: Arc<dyn Examples>, numbers: Vec<usize>) -> Result<Self> {
        check_numbers(&numbers, of.len())?;
        let labels = numbers.iter().map(|&number| of.labels()[number]).collect();
        Ok(Self { of, numbers, labels })
    }
}

impl std::fmt::Debug for Subset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subset").field("numbers", &self.numbers).finish_non_exhaustive()
    }
}

impl Examples for Subset {
    fn labels(&self) -> &[usize] {
        &self.labels
    }

    fn classes(&self) -> &[String] {
        self.of.classes()
    }

    fn inputs(&self) -> Vec<Input> {
        self.of.inputs()
    }

    fn steps(&self, number: usize) -> usize {
        self.numbers.get(number).map_or(0, |&number| self.of.steps(number))
    }

    fn collate(&self, numbers: &[usize]) -> Result<Collated> {
        check_numbers(numbers, self.len())?;
        let numbers: Vec<_> = numbers.iter().map(|&number| self.numbers[number]).collect();
        self.of.collate(&numbers)
    }

    fn classes_are_words(&self) -> bool {
        self.of.classes_are_words()
    }

    fn recipe(&self) -> Option<SampleRecipe> {
        self.of.recipe()
    }

    fn bytes(&self) -> u64 {
        self.of.bytes()
    }
}
