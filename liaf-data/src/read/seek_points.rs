//! SeekState of a recording, and which of them a stretch of time lies between.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::codec::Checkpoint;

/// A point from which decoding can go on, and what is known of the events on both sides of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SeekPoint {
    #[serde(rename = "mark")]
    pub checkpoint: Checkpoint,
    /// No event in front of it is later; `None` if there is none.
    pub before: Option<i64>,
    /// No event behind it is earlier; `None` if there is none.
    pub behind: Option<i64>,
}

/// The last point with nothing of `time` before it, `None` for the beginning of the recording; and the
/// first from which on there is nothing of it, `None` for the end. `before` never falls from point to
/// point, nor does `behind`.
pub(super) fn locate(
    points: &[SeekPoint],
    time: &Range<i64>,
) -> (Option<Checkpoint>, Option<Checkpoint>) {
    let is_too_early = |point: &SeekPoint| point.before.is_none_or(|latest| latest < time.start);
    let start = points.partition_point(is_too_early);
    let start = start.checked_sub(1).and_then(|last| points.get(last));
    let is_needed = |point: &SeekPoint| point.behind.is_some_and(|earliest| earliest < time.end);
    let end = points.get(points.partition_point(is_needed));
    (start.map(|point| point.checkpoint.clone()), end.map(|point| point.checkpoint.clone()))
}

/// Makes each `behind`, which is of the stretch up to the next point, that of all to the end.
pub(super) fn look_back(points: &mut [SeekPoint]) {
    let mut behind = None;
    for point in points.iter_mut().rev() {
        point.behind = earlier(point.behind, behind);
        behind = point.behind;
    }
}

pub(super) fn earlier(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    a.into_iter().chain(b).min()
}
