//! Simulated recordings: sets that are computed, so that nothing need be downloaded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use liaf_data::frames::{
    Binner, Dtype, Frame, FrameOptions, SampleRecipe, TimePoint, WindowRule, parse_duration,
};
use liaf_data::simulate::sets::{GeneratedSet, named};
use liaf_data::{Error, SensorSize};
use ndarray::Array5;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Data, Kind, Loading, Source};
use crate::error::Result;
use crate::experiment::document::Document;
use crate::samples::{Examples, FrameArray};

/// A set of the [simulator](liaf_data::simulate), and how frames are made of its events.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Simulation {
    /// Name of the set: `shapes`, `directions` or `gestures`.
    set: String,
    #[serde(default = "one")]
    seed: u64,
    /// Number of samples of each class for training.
    train: usize,
    /// Number of samples of each class for test.
    test: usize,
    /// Size of the sensor.
    #[serde(default = "sensor")]
    size: String,
    /// Duration of a window.
    window: String,
}

fn one() -> u64 {
    1
}

fn sensor() -> String {
    "32x32".into()
}

/// Most memory of the frames of one set.
const MOST: u64 = 4 << 30;

impl Kind for Simulation {
    const NAME: &str = "simulation";

    fn locate(&mut self, _document: &Document) {}
}

impl Source for Simulation {
    fn load(&self, loading: &Loading<'_>) -> Result<Data> {
        let sensor: SensorSize = self.size.parse()?;
        let per_class = self.train.saturating_add(self.test);
        let set = named(&self.set, self.seed, per_class)?.sensor(sensor);
        let window = parse_duration(&self.window)?;
        if window <= 0 || set.duration_us() % window != 0 {
            return Err(Error::caller("the duration of a sample is not a multiple of the window")
                .expected(format!("a part of {} µs", set.duration_us()))
                .found(format!("{window} µs"))
                .into());
        }
        let steps = usize::try_from(set.duration_us() / window).unwrap_or(usize::MAX);
        // Samples of all classes with one number share their shape, so that the border is between numbers.
        let border = self.train * set.class_names().len();
        let made = |first: usize, last: usize| -> Result<Arc<dyn Examples>> {
            Ok(Arc::new(frames(&set, first..last, window, steps, loading)?))
        };
        let (train, test) = (made(0, border)?, made(border, set.len())?);
        Ok(Data { train, validation: None, test, remarks: Vec::new() })
    }
}

/// The frames of some samples, `[N, T, 2, H, W]`.
fn frames(
    set: &GeneratedSet,
    samples: std::ops::Range<usize>,
    window: i64,
    steps: usize,
    loading: &Loading<'_>,
) -> Result<FrameArray> {
    let sensor = set.sensor_size();
    let (height, width) = (usize::from(sensor.height), usize::from(sensor.width));
    let frame = 2 * height * width;
    let cells = samples.len().saturating_mul(steps).saturating_mul(frame);
    if (cells as u64).saturating_mul(4) > MOST {
        let error = Error::new(liaf_data::ErrorKind::Limit, "the simulated frames are too large");
        return Err(error.expected(format!("at most {MOST} bytes")).found(cells).into());
    }
    let mut options = FrameOptions {
        windows: WindowRule::Time { us: window, overlap: 0 },
        dtype: Dtype::U8,
        ..FrameOptions::default()
    };
    let recipe = SampleRecipe {
        steps: Some(steps),
        classes: set.class_names().iter().map(ToString::to_string).collect(),
        sensor: Some(sensor),
        ..SampleRecipe::new((&options).into())
    };
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
