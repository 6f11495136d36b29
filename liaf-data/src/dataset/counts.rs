//! Where the events of recordings went.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Where the events of recordings, or of the labelled parts of recordings, went.
///
/// Every event that was read is in one of `kept`, `left_out` and `in_no_sample`. Events outside the labelled
/// parts are not counted, because they need not be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EventCounts {
    /// Number of events in the samples.
    pub kept: u64,
    /// Number of events that filters removed, or that were outside the sensor.
    pub left_out: u64,
    /// Number of events that are in no sample: after the last frame of one with a stated number of frames, in
    /// one that was left out because the end cut it short, or, of events that are stored as such, earlier than
    /// the sample that was open.
    pub in_no_sample: u64,
    /// Number of events in frames of samples that came before the first window or after one of theirs was closed,
    /// and are in a frame that was open.
    pub late: u64,
    /// Number of cells of the samples that could not count all their events, because they reached the largest
    /// value of their type.
    pub saturated_cells: u64,
}

impl AddAssign for EventCounts {
    fn add_assign(&mut self, other: Self) {
        self.kept += other.kept;
        self.left_out += other.left_out;
        self.in_no_sample += other.in_no_sample;
        self.late += other.late;
        self.saturated_cells += other.saturated_cells;
    }
}
