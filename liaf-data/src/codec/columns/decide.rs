//! What is decided about the columns of a file where it is opened, from their first rows.

use super::Array;
use super::guess::guess_unit;
use super::polarity::{PolarityReading, PolaritySet};
use super::rows::Rows;
use super::sensor::turned_if_needed;
use super::time;
use crate::codec::{PolarityValues, ReadOptions, TimeUnit};
use crate::error::Result;
use crate::hint::Hint;
use crate::model::{Note, SensorSize, SensorSource};

/// How the rows of four columns are read, and what the user should know about it.
pub(crate) struct Decided {
    pub rows: Rows,
    pub sensor: Option<SensorSize>,
    pub sensor_source: SensorSource,
    pub details: Vec<(&'static str, String)>,
    pub notes: Vec<Note>,
    /// Whether the file itself says the unit of the times.
    is_unit_said: bool,
}

impl Decided {
    /// Adds a note if the times were taken for µs because they are whole, and the file `looks` like one
    /// of a writer whose times are ns.
    pub fn doubt_unit(&mut self, options: &ReadOptions, looks: bool) {
        let is_guessed = options.columns.time_unit.is_none() && !self.is_unit_said;
        let is_noted = self.notes.iter().any(|note| note.hint == Some(Hint::StateTimeUnit));
        if looks && is_guessed && !is_noted && self.rows.unit == TimeUnit::Microseconds {
            let note = Note::new(
                "the times are taken for µs; files of this name by the simulator ESIM have ns",
            );
            self.notes.push(note.hint(Hint::StateTimeUnit));
        }
    }
}

/// What the file itself says about its columns.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Said {
    /// The unit of the times, as the file states it.
    pub unit: Option<TimeUnit>,
    /// The size of the sensor, on the scale of the file.
    pub sensor: Option<SensorSize>,
    /// Added to all times, in µs.
    pub offset: i64,
    /// The values of OFF and ON, if the file has names for them.
    pub polarity: Option<PolarityValues>,
    /// The polarities, if all are the same because those of the other kind are elsewhere.
    pub all: Option<Array>,
}

/// Decides how rows are read whose first have these numbers of t, x, y and p.
///
/// # Errors
/// If it is not known what the values of p mean.
pub(crate) fn decide(sample: &[Vec<f64>; 4], said: Said, options: &ReadOptions) -> Result<Decided> {
    let [t, x, y, p] = sample;
    let columns = &options.columns;
    let mut notes = Vec::new();
    let (unit, how) = match (columns.time_unit, said.unit) {
        (Some(unit), _) => (unit, "as stated"),
        (None, Some(unit)) => (unit, "by its name"),
        (None, None) => {
            let (unit, how) = guess_unit(t);
            if unit == TimeUnit::Microseconds {
                notes.extend(slow(t));
            }
            (unit, how)
        }
    };
    let polarity = match (columns.polarity, said.polarity) {
        (Some(values), _) if said.all.is_none() => PolarityReading::stated(values),
        (_, Some(values)) => PolarityReading::named(values),
        _ => p.iter().copied().collect::<PolaritySet>().decide()?,
    };
    if said.all.is_none() {
        notes.extend(polarity.notes());
    }
    let rows = Rows { unit, offset: said.offset, polarity, ..Rows::new(columns) };
    let (mut sensor, sensor_source) =
        SensorSource::Header.unless_stated(options.sensor, said.sensor);
    if let (Some(stated), SensorSource::Header) = (sensor, sensor_source) {
        let (size, note) = turned_if_needed(rows.pixels.sensor(stated), [x, y], rows.pixels);
        sensor = Some(size);
        notes.extend(note);
    }
    let polarity = match said.all {
        Some(_) => "by two lists, of OFF and of ON".to_owned(),
        None => polarity.describe(),
    };
    let details = vec![("time unit", format!("{} ({how})", unit.name())), ("polarity", polarity)];
    let is_unit_said = said.unit.is_some();
    Ok(Decided { rows, sensor, sensor_source, details, notes, is_unit_said })
}

/// A note if whole times that are taken for µs are probably ns.
pub(crate) fn slow(times: &[f64]) -> Option<Note> {
    time::suspect(times).then(|| {
        let note = Note::new(
            "the times are taken for µs, which gives very few events in a long time: they may be ns",
        );
        note.hint(Hint::StateTimeUnit)
    })
}
