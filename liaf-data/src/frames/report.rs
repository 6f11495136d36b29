//! The account of where every event went.

use serde::Serialize;

use crate::filter::Filtered;

/// Where the events went.
///
/// The number of all events is `kept` + `out_of_window` + `out_of_crop` + the events in `filtered`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FrameReport {
    /// Events that are in at least one frame; each is counted once.
    pub kept: u64,
    /// Events added to frames. This is more than `kept` if windows overlap.
    pub binned: u64,
    /// Kept events that came before the first window, or after one of their windows was closed.
    /// They were added to those of their windows that were open, or else to the oldest open window.
    pub late: u64,
    /// Events that were earlier than one before them and were moved, if the events were sorted by
    /// time ([`FrameOptions::sort`](super::FrameOptions::sort)). Filters may have removed some of them
    /// afterwards.
    #[serde(skip_serializing_if = "is_zero")]
    pub moved: u64,
    /// Events outside `from` and `to`, or in no window under the chosen rule for the edges.
    pub out_of_window: u64,
    /// Events outside the crop or the sensor.
    pub out_of_crop: u64,
    /// Events that a choice of polarity or filters removed, by stage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filtered: Vec<Filtered>,
    /// Cells that could not count all their events because they reached the largest value of their
    /// type, summed over all frames.
    pub saturated_cells: u64,
    /// Number of frames.
    pub frames: u64,
    /// Remarks in words.
    pub notes: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// Where the events of one frame came from. A [`FrameSink`](super::FrameSink) receives it before the frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FrameCounts {
    /// Its events that are in no earlier frame.
    pub kept: u64,
    /// How many of these came late, as in [`FrameReport::late`].
    pub late: u64,
    /// Its cells that reached the largest value of their type.
    pub saturated_cells: u64,
}

impl FrameReport {
    /// Number of all events.
    pub fn events(&self) -> u64 {
        let filtered: u64 = self.filtered.iter().map(|filtered| filtered.events).sum();
        self.kept + self.out_of_window + self.out_of_crop + filtered
    }
}
