//! Simulated recordings: sets that are computed, of shapes or of pictures of digits.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use liaf_data::frames::{
    Binner, Dtype, Frame, FrameOptions, SampleRecipe, TimePoint, WindowRule, parse_duration,
};
use liaf_data::simulate::load::Digits;
use liaf_data::simulate::sets::{GeneratedSet, mnist_dvs, named};
use liaf_data::{Error, Limits, SensorSize};
use ndarray::Array5;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Data, Kind, Known, Loading, Source, located, steps_of};
use crate::error::Result;
use crate::experiment::document::Document;
use crate::samples::{Examples, FrameArray};

/// A set of the [simulator](liaf_data::simulate), and how frames are made of its events.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Simulation {
    /// Name of the set: `shapes`, `directions`, `gestures`, or `mnist-dvs`, whose digits are in `dir`.
    set: String,
    /// The folder of MNIST, or a file of digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dir: Option<PathBuf>,
    /// How large the digits are: 4, 8 or 16. Default 16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digit_scale: Option<u32>,
    #[serde(default = "one")]
    seed: u64,
    /// Number of samples of each class for training.
    train: usize,
    /// Number of samples of each class for test.
    test: usize,
    /// Size of the sensor. Default: 32x32, and 128x128 for digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<String>,
    /// The size to which frames are scaled down. Default: that of the sensor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resize: Option<String>,
    /// Duration of a window.
    window: String,
}

fn one() -> u64 {
    1
}

/// The name of the set of digits.
const DIGITS: &str = "mnist-dvs";

/// Most memory of the frames of one set.
const MOST: u64 = 4 << 30;

impl Kind for Simulation {
    const NAME: &str = "simulation";

    fn locate(&mut self, document: &Document) {
        if let Some(dir) = &mut self.dir {
            *dir = located(document, &["data", "dir"], dir);
        }
    }
}

impl Source for Simulation {
    fn known(&self) -> Result<Known> {
        let set = self.set_of(Digits::default(), 0)?;
        let resize = self.resize.as_deref().map(str::parse).transpose()?;
        let steps = self.steps(&set)?;
        Ok(Known { steps: Some(steps), size: Some(resize.unwrap_or(set.sensor_size())) })
    }

    fn load(&self, loading: &Loading<'_>) -> Result<Data> {
        let set = self.set()?;
        let (steps, window) = (self.steps(&set)?, parse_duration(&self.window)?);
        // Samples of all classes with one number share their shape, so that the border is between numbers.
        let border = self.train * set.class_names().len();
        let options = FrameOptions {
            windows: WindowRule::Time { us: window, overlap: 0 },
            dtype: Dtype::U8,
            size: self.resize.as_deref().map(str::parse).transpose()?,
            ..FrameOptions::default()
        };
        let made = |first: usize, last: usize| -> Result<Arc<dyn Examples>> {
            Ok(Arc::new(frames(&set, first..last, &options, steps, loading)?))
        };
        let (train, test) = (made(0, border)?, made(border, set.len())?);
        Ok(Data { train, validation: None, test, remarks: Vec::new() })
    }
}

impl Simulation {
    /// The samples, none of which is made yet.
    fn set(&self) -> Result<GeneratedSet> {
        let digits = match (&self.dir, self.set == DIGITS) {
            (Some(dir), true) => Digits::read(dir, &Limits::default())?,
            (None, true) => {
                let error = Error::caller("the set needs pictures of digits");
                return Err(error.expected("`dir`, a folder with the files of MNIST").into());
            }
            _ => Digits::default(),
        };
        self.set_of(digits, self.train.saturating_add(self.test))
    }

    /// Number of steps of a sample.
    fn steps(&self, set: &GeneratedSet) -> Result<usize> {
        let window = parse_duration(&self.window)?;
        steps_of(set.duration_us(), window).ok_or_else(|| {
            let error = Error::caller("the duration of a sample is not a multiple of the window");
            let error = error.expected(format!("a part of {} µs", set.duration_us()));
            error.found(format!("{window} µs")).into()
        })
    }

    /// The set with so many samples of each class, of these digits if it has digits.
    fn set_of(&self, digits: Digits, per_class: usize) -> Result<GeneratedSet> {
        let set = match (&self.dir, self.set == DIGITS) {
            (_, true) => {
                mnist_dvs(digits, self.digit_scale.unwrap_or(16), self.seed, Some(per_class))?
            }
            (None, false) if self.digit_scale.is_none() => named(&self.set, self.seed, per_class)?,
            (_, false) => {
                let error = Error::caller("only the set mnist-dvs has `dir` and `digit_scale`");
                return Err(error.found(&self.set).into());
            }
        };
        let sensor: Option<SensorSize> = self.size.as_deref().map(str::parse).transpose()?;
        let own = set.sensor_size();
        Ok(set.sensor(sensor.unwrap_or(own)))
    }
}

/// The frames of some samples, `[N, T, 2, H, W]`.
fn frames(
    set: &GeneratedSet,
    samples: std::ops::Range<usize>,
    options: &FrameOptions,
    steps: usize,
    loading: &Loading<'_>,
) -> Result<FrameArray> {
    let sensor = set.sensor_size();
    let size = options.size.unwrap_or(sensor);
    let (height, width) = (usize::from(size.height), usize::from(size.width));
    let frame = 2 * height * width;
    let cells = samples.len().saturating_mul(steps).saturating_mul(frame);
    if (cells as u64).saturating_mul(4) > MOST {
        let error = Error::new(liaf_data::ErrorKind::Limit, "the simulated frames are too large");
        return Err(error.expected(format!("at most {MOST} bytes")).found(cells).into());
    }
    let recipe = SampleRecipe {
        steps: Some(steps),
        classes: set.class_names().iter().map(ToString::to_string).collect(),
        sensor: Some(sensor),
        ..SampleRecipe::new(options.into())
    };
    let mut options = options.clone();
    options.selection.from = Some(TimePoint::Absolute(0));
    options.selection.to = Some(TimePoint::Absolute(set.duration_us()));
    let mut numbers = vec![0.0_f32; cells];
    let (total, done) = (samples.len(), AtomicUsize::new(0));
    let make = |(at, cells): (usize, &mut [f32])| -> liaf_data::Result<usize> {
        if !(loading.tell)(done.fetch_add(1, Ordering::Relaxed), total) {
            return Err(Error::new(liaf_data::ErrorKind::Cancelled, "the simulation was stopped"));
        }
        let sample = set.sample(samples.start + at)?;
        let mut places = cells.chunks_exact_mut(frame);
        let mut sink = |frame: &Frame| {
            if let Some(place) = places.next() {
                frame.cells.fill(place);
            }
            Ok(())
        };
        let mut binner = Binner::new(&options, sensor, None)?;
        binner.push(&sample.events, &mut sink)?;
        binner.finish(&mut sink)?;
        Ok(sample.label)
    };
    let one = (steps * frame).max(1);
    let labels: liaf_data::Result<Vec<usize>> =
        numbers.par_chunks_mut(one).enumerate().map(make).collect();
    let frames = Array5::from_shape_vec((total, steps, 2, height, width), numbers)
        .map_err(|error| Error::caller("the simulated frames have no shape").found(error))?;
    Ok(FrameArray::new(frames, labels?, recipe.classes.clone())?.made_by(recipe))
}
