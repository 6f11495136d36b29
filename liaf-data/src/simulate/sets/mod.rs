//! Data sets that are generated: samples with labels, without any file.
//!
//! A [`GeneratedSet`] has a number of samples of each class, in turn: sample `i` is of class `i % classes`. A
//! sample is a function of the seed of the set and of its index alone, so that samples may be made in any order
//! and on any threads.
//!
//! ```
//! use liaf_data::simulate::sets;
//!
//! # fn main() -> liaf_data::Result<()> {
//! let set = sets::directions(7, 20);
//! assert_eq!(set.class_names(), ["right", "left", "up", "down", "turn"]);
//! assert_eq!(set.len(), 100);
//! for sample in set.iter().take(3) {
//!     let sample = sample?;
//!     println!("{}: {} events", set.class_names()[sample.label], sample.events.len());
//! }
//! # Ok(())
//! # }
//! ```

mod digits;
mod directions;
mod gestures;
mod shapes;
mod texture;
mod write;

use std::sync::Arc;

pub use write::SetProgress;

use super::load::Digits;
use super::model::PixelModel;
use super::picture::Picture;
use crate::error::{Error, Result};
use crate::filter::random::Random;
use crate::model::{EventBatch, SensorSize};

/// A sample of a generated set.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// Its events, sorted by time, from 0 µs on.
    pub events: EventBatch,
    /// Its class: an index of [`GeneratedSet::class_names`].
    pub label: usize,
    /// The size of the sensor.
    pub sensor: SensorSize,
}

/// A kind of set, of which there is one table row for each.
#[derive(Debug)]
struct Recipe {
    pub name: &'static str,
    pub classes: &'static [&'static str],
    /// Duration of every sample, in µs.
    pub duration_us: i64,
    /// Makes the events of a sample.
    pub make: fn(&Draw<'_>) -> Result<EventBatch>,
}

/// What a sample is made of.
#[derive(Debug, Clone, Copy)]
struct Draw<'a> {
    /// Its class.
    pub label: usize,
    /// The random numbers of this sample. Samples of all classes with one number have the same ones.
    pub random: Random,
    pub sensor: SensorSize,
    pub model: PixelModel,
    /// The picture of a set of pictures, and its enlargement.
    pub picture: Option<(&'a Picture, f64)>,
}

impl Draw<'_> {
    /// A random number of this range; `k` tells the numbers of a sample apart.
    pub fn between(&self, k: u64, from: f64, to: f64) -> f64 {
        from + (to - from) * self.random.unit(k, 0)
    }

    /// The shorter side of the sensor, in pixels.
    pub fn side(&self) -> f64 {
        f64::from(self.sensor.width.min(self.sensor.height))
    }

    /// The pixels of a sensor, whose noise is another one for each `k`.
    pub fn model(&self, k: u64) -> PixelModel {
        self.model.seed(self.random.bits(k, 1))
    }
}

/// The recipes of the sets that need no images.
static RECIPES: &[&Recipe] = &[&shapes::SHAPES, &directions::DIRECTIONS, &gestures::GESTURES];

/// A set whose samples are computed when they are asked for.
#[derive(Debug, Clone)]
pub struct GeneratedSet {
    recipe: &'static Recipe,
    seed: u64,
    per_class: usize,
    sensor: SensorSize,
    model: PixelModel,
    digits: Option<(Arc<Digits>, f64)>,
}

/// Five outlines of textured shapes: `disc`, `square`, `triangle`, `ring` and `cross`. A shape crosses the sensor
/// in a random direction, for 100 ms.
///
/// One frame is enough to tell the class.
pub fn shapes(seed: u64, per_class: usize) -> GeneratedSet {
    GeneratedSet::new(&shapes::SHAPES, seed, per_class)
}

/// Five motions of a textured shape: `right`, `left`, `up`, `down` and `turn`, which is clockwise, for 100 ms.
///
/// The sign of the contrast is random, so that the direction is not told by which side of the shape has ON events.
pub fn directions(seed: u64, per_class: usize) -> GeneratedSet {
    GeneratedSet::new(&directions::DIRECTIONS, seed, per_class)
}

/// Eleven gestures: eleven orders of the same four motions of a textured shape, which takes 800 ms.
///
/// The motions are to the right and back, down and back, a turn and back, and growing and shrinking, 200 ms each:
/// their borders are on borders of windows of every duration that divides 200 ms. The sign of the contrast is
/// random. Samples of all classes with one number (`i / 11`) are the same four recordings in different orders,
/// event by event, so that neither a frame nor the sum of all frames tells the class. Each motion is
/// first, second, third and last in two or three classes.
pub fn gestures(seed: u64, per_class: usize) -> GeneratedSet {
    GeneratedSet::new(&gestures::GESTURES, seed, per_class)
}

/// Digits that move in front of a sensor of 128x128 for 2 s, as those of MNIST-DVS did on a screen
/// ([Serrano-Gotarredona and Linares-Barranco, 2015]); a sample is of the class of its digit.
///
/// `scale` is 4, 8 or 16, as in the names of its folders: here a picture of 28x28 becomes 28, 56 or 112 pixels
/// large. The path is a figure of eight, which is not that of the recordings. Sample `i` is picture `i / 10` of
/// its class; `per_class` may be less than there are.
///
/// [Serrano-Gotarredona and Linares-Barranco, 2015]: https://doi.org/10.3389/fnins.2015.00481
///
/// # Errors
/// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the scale is another, or a class has fewer pictures than
/// `per_class`, which is all of the smallest class for `None`.
pub fn mnist_dvs(
    digits: impl Into<Arc<Digits>>,
    scale: u32,
    seed: u64,
    per_class: Option<usize>,
) -> Result<GeneratedSet> {
    let digits = digits.into();
    let enlarged = match scale {
        4 | 8 | 16 => f64::from(scale) / 4.0,
        _ => {
            let error = Error::caller("there is no such scale of MNIST-DVS");
            return Err(error.expected("4, 8 or 16").found(scale));
        }
    };
    let per_class = per_class.unwrap_or(digits.least());
    digits.check_each(per_class)?;
    let set = GeneratedSet::new(&digits::MNIST_DVS, seed, per_class);
    Ok(GeneratedSet { digits: Some((digits, enlarged)), sensor: SensorSize::new(128, 128), ..set })
}

/// The set of this name: `shapes`, `directions` or `gestures`.
///
/// # Errors
/// [`ErrorKind::Caller`](crate::ErrorKind::Caller) that lists the names.
pub fn named(name: &str, seed: u64, per_class: usize) -> Result<GeneratedSet> {
    let recipe = RECIPES.iter().find(|recipe| recipe.name == name).ok_or_else(|| {
        Error::caller("there is no generated set of this name")
            .expected(crate::names::one_of(&names()))
            .found(format!("{name:?}"))
    })?;
    Ok(GeneratedSet::new(recipe, seed, per_class))
}

/// The names of all sets that need no images.
pub fn names() -> Vec<&'static str> {
    RECIPES.iter().map(|recipe| recipe.name).collect()
}

impl GeneratedSet {
    fn new(recipe: &'static Recipe, seed: u64, per_class: usize) -> Self {
        let sensor = SensorSize::new(32, 32);
        Self { recipe, seed, per_class, sensor, model: PixelModel::default(), digits: None }
    }

    /// The set with another size of the sensor. The default is 32x32; shapes and motions grow with the shorter
    /// side.
    #[must_use]
    pub fn sensor(self, sensor: SensorSize) -> Self {
        Self { sensor, ..self }
    }

    /// The set with another model of the pixels, whose seed is replaced by one for each sample.
    #[must_use]
    pub fn model(self, model: PixelModel) -> Self {
        Self { model, ..self }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.recipe.name
    }

    /// The size of the sensor.
    pub fn sensor_size(&self) -> SensorSize {
        self.sensor
    }

    /// Names of the classes, by label.
    pub fn class_names(&self) -> &'static [&'static str] {
        self.recipe.classes
    }

    /// Duration of every sample in µs.
    pub fn duration_us(&self) -> i64 {
        self.recipe.duration_us
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.per_class.saturating_mul(self.recipe.classes.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The class of sample `i`.
    pub fn label(&self, i: usize) -> usize {
        i % self.recipe.classes.len()
    }

    /// Makes sample `i`.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if there is no such sample, the model has numbers that are
    /// out of range, or the sensor has sides of less than 8 pixels.
    pub fn sample(&self, i: usize) -> Result<Sample> {
        if i >= self.len() {
            return Err(Error::caller("there is no such sample")
                .expected(format!("an index below {}", self.len()))
                .found(i));
        }
        if self.sensor.width.min(self.sensor.height) < 8 {
            return Err(Error::caller("the sensor is too small for a shape")
                .expected("8x8 or more")
                .found(self.sensor));
        }
        let label = self.label(i);
        let number = (i / self.recipe.classes.len()) as u64;
        let random = Random::new(self.seed, SAMPLES).child(number);
        let picture = self.digits.as_ref().and_then(|(digits, scale)| {
            Some((digits.by_class[label].get(i / self.recipe.classes.len())?, *scale))
        });
        let draw = Draw { label, random, sensor: self.sensor, model: self.model, picture };
        Ok(Sample { events: (self.recipe.make)(&draw)?, label, sensor: self.sensor })
    }

    /// Makes all samples, one after another.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Result<Sample>> + '_ {
        (0..self.len()).map(|i| self.sample(i))
    }
}

/// What the random numbers of a seed are for.
const SAMPLES: u64 = 103;

#[cfg(test)]
mod tests;
