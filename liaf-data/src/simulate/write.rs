//! Writing the events of a scene into a file.

use std::ops::ControlFlow;
use std::path::Path;

use super::model::PixelModel;
use super::scene::Scene;
use crate::codec::{Target, WriteOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{EventBatch, EventStats, SensorSize};
use crate::write::{self, EventSpec, Written};

/// How far a simulation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimulationProgress {
    /// The time until which there are events, in µs.
    pub time_us: i64,
    /// Duration of the scene in µs.
    pub duration_us: i64,
    /// Number of events so far.
    pub events: u64,
}

/// Writes the events of a camera that looks at a scene into an event file. Memory is bounded whatever the duration:
/// events are written as they are made, in order of time.
///
/// ```
/// use liaf_data::SensorSize;
/// use liaf_data::simulate::{Path, Picture, PixelModel, Saccades, Scene, write_scene};
/// use liaf_data::write::{self, WriteOptions};
/// use std::ops::ControlFlow;
///
/// # fn main() -> liaf_data::Result<()> {
/// # let folder = tempfile::tempdir().expect("folder");
/// # let path = folder.path().join("out.raw");
/// let picture = Picture::new(2, 2, vec![0.2, 0.9, 0.9, 0.2])?;
/// let scene = Scene::new(picture, Path::new(Saccades::N_MNIST, 300_000)).scale(8.0);
/// let (sensor, model) = (SensorSize::new(34, 34), PixelModel::default());
/// let target = write::target("evt3").expect("is written");
/// let written = write_scene(&scene, sensor, &model, &path, target, &WriteOptions::default(), &mut |_| {
///     ControlFlow::Continue(())
/// })?;
/// assert!(written.events > 1000);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`ErrorKind::Caller`] if the scene or the model have numbers that are out of range,
/// the target cannot store the events, or the file exists and must not be replaced, before anything is computed;
/// [`ErrorKind::System`] if it cannot be written;
/// [`ErrorKind::Cancelled`] if `progress` asked for it. No file is left in these
/// cases.
pub fn write_scene(
    scene: &Scene,
    sensor: SensorSize,
    model: &PixelModel,
    path: &Path,
    target: &'static Target,
    options: &WriteOptions,
    progress: &mut (dyn FnMut(&SimulationProgress) -> ControlFlow<()> + '_),
) -> Result<Written> {
    let mut simulation = scene.simulate(sensor, model)?;
    let duration_us = scene.duration_us();
    check_target(target, sensor, duration_us).map_err(|error| error.in_file(path))?;
    let provenance = serde_json::json!({
        "liaf": env!("CARGO_PKG_VERSION"),
        "simulated": { "pixels": model, "duration_us": duration_us },
    });
    let spec = EventSpec { provenance: provenance.to_string(), ..EventSpec::new(sensor) };
    let mut writer = write::create(path, target, &spec, options)?;
    let mut events = 0;
    while simulation.advance(|some: &mut EventBatch| {
        events += some.len() as u64;
        if some.is_empty() { Ok(()) } else { writer.write(some) }
    })? {
        let told =
            progress(&SimulationProgress { time_us: simulation.time(), duration_us, events });
        if told.is_break() {
            return Err(Error::new(ErrorKind::Cancelled, "the simulation was cancelled"));
        }
    }
    writer.finish()
}

/// Refuses a target that could not store an event of the last pixel at the last time.
pub(super) fn check_target(target: &Target, sensor: SensorSize, duration_us: i64) -> Result<()> {
    let stats = EventStats {
        events: 1,
        t_max: duration_us,
        x_max: sensor.width.saturating_sub(1),
        y_max: sensor.height.saturating_sub(1),
        ..EventStats::default()
    };
    target.check(&stats, false)
}
