//! Seek points of a recording, and the search for those around an interval of time.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::codec::Checkpoint;

/// A checkpoint at which decoding can resume, and bounds of the times before and after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SeekPoint {
    #[serde(rename = "mark")]
    pub checkpoint: Checkpoint,
    /// Upper bound of the times of all events before the checkpoint; `None` if there are none.
    pub before: Option<i64>,
    /// Lower bound of the times of all events after the checkpoint; `None` if there are none.
    #[serde(rename = "behind")]
    pub after: Option<i64>,
}

/// Finds the part of a recording that has all events of `time`. Returns the last seek point that
/// has no event of `time` before it, `None` for the beginning of the recording, and the first seek
/// point that has no event of `time` after it, `None` for the end. This requires that neither
/// `before` nor `after` ever decreases from one seek point to the next.
pub(super) fn locate(
    points: &[SeekPoint],
    time: &Range<i64>,
) -> (Option<Checkpoint>, Option<Checkpoint>) {
    let is_too_early = |point: &SeekPoint| point.before.is_none_or(|latest| latest < time.start);
    let start = points.partition_point(is_too_early);
    let start = start.checked_sub(1).and_then(|last| points.get(last));
    let is_needed = |point: &SeekPoint| point.after.is_some_and(|earliest| earliest < time.end);
    let end = points.get(points.partition_point(is_needed));
    (start.map(|point| point.checkpoint.clone()), end.map(|point| point.checkpoint.clone()))
}

/// Extends each `after`, which so far only covers the events up to the next seek point, to all
/// events up to the end.
pub(super) fn look_back(points: &mut [SeekPoint]) {
    let mut after = None;
    for point in points.iter_mut().rev() {
        point.after = earlier(point.after, after);
        after = point.after;
    }
}

pub(super) fn earlier(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    a.into_iter().chain(b).min()
}
