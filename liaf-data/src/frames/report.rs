//! The account of the binning: where every event went.

use serde::Serialize;

/// Where the events went.
///
/// Events in = `kept` + `out_of_window` + `out_of_crop`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FrameReport {
    /// Events that are in a frame, each counted once.
    pub kept: u64,
    /// Events added to frames: more than `kept` where windows overlap.
    pub binned: u64,
    /// Of the kept ones, those that came before the first window or after one of their windows was
    /// closed. They are in those of their windows that were open, else in the oldest open one.
    pub late: u64,
    /// Events outside `from` and `to`, or in no window under the chosen edge rule.
    pub out_of_window: u64,
    /// Events outside the crop or the sensor.
    pub out_of_crop: u64,
    /// CellValues that lost something because their type could not hold it, summed over frames.
    pub saturated_cells: u64,
    /// Frames made.
    pub frames: u64,
    /// Remarks in words.
    pub notes: Vec<String>,
}

impl FrameReport {
    /// All events that came in.
    pub fn events(&self) -> u64 {
        self.kept + self.out_of_window + self.out_of_crop
    }
}
