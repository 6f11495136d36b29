//! Which events of a recording go into an event file.

use serde::Serialize;

use super::EventsReport;
use crate::frames::{Crop, TimePoint, Times, check_crop, check_stretch};
use crate::{EventBatch, Result, SensorSize};

/// Which events of a recording are kept, and where they come to lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Selection {
    /// Only events at this time or later.
    pub from: Option<TimePoint>,
    /// Only events before this time.
    pub to: Option<TimePoint>,
    /// Only events in this rectangle, whose upper left pixel becomes (0, 0).
    pub crop: Option<Crop>,
}

impl Selection {
    /// The size of what is kept of a sensor.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the crop does not lie on the sensor or
    /// the stretch of time ends before it begins.
    pub fn check(&self, sensor: SensorSize) -> Result<SensorSize> {
        check_stretch(self.from, self.to)?;
        let Some(crop) = self.crop else { return Ok(sensor) };
        check_crop(crop, sensor)?;
        Ok(SensorSize::new(crop.w, crop.h))
    }
}

/// Keeps the events of a selection.
pub(super) struct Chooser {
    selection: Selection,
    times: Option<Times>,
}

impl Chooser {
    pub(super) fn new(selection: Selection) -> Self {
        Self { selection, times: None }
    }

    /// Drops from `events` what is not kept, and counts it.
    pub(super) fn choose(&mut self, events: &mut EventBatch, report: &mut EventsReport) {
        let Selection { from, to, crop } = self.selection;
        let Some(&first) = events.t.first() else { return };
        let times = *self.times.get_or_insert_with(|| Times::new(from, to, first));
        if from.is_some() || to.is_some() {
            let before = events.len();
            events.retain(|event| event.t >= times.first && event.t <= times.last);
            report.out_of_window += (before - events.len()) as u64;
        }
        if let Some(Crop { x, y, w, h }) = crop {
            let before = events.len();
            events.retain(|event| event.x.wrapping_sub(x) < w && event.y.wrapping_sub(y) < h);
            report.out_of_crop += (before - events.len()) as u64;
            events.x.iter_mut().for_each(|column| *column = column.wrapping_sub(x));
            events.y.iter_mut().for_each(|row| *row = row.wrapping_sub(y));
        }
    }
}
