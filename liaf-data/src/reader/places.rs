//! Places of a recording, and which of them a stretch of time lies between.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::Mark;

/// A place from which decoding can go on, and what is known of the events on both sides of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub mark: Mark,
    /// No event in front of it is later; `None` if there is none.
    pub before: Option<i64>,
    /// No event behind it is earlier; `None` if there is none.
    pub behind: Option<i64>,
}

/// The last place with nothing of `time` before it, `None` for the beginning of the recording; and the
/// first from which on there is nothing of it, `None` for the end. `before` never falls from place to
/// place, nor does `behind`.
pub(super) fn locate(places: &[Place], time: &Range<i64>) -> (Option<Mark>, Option<Mark>) {
    let is_too_early = |place: &Place| place.before.is_none_or(|latest| latest < time.start);
    let start = places.partition_point(is_too_early);
    let start = start.checked_sub(1).and_then(|last| places.get(last));
    let is_needed = |place: &Place| place.behind.is_some_and(|earliest| earliest < time.end);
    let end = places.get(places.partition_point(is_needed));
    (start.map(|place| place.mark.clone()), end.map(|place| place.mark.clone()))
}

/// Makes each `behind`, which is of the stretch up to the next place, that of all to the end.
pub(super) fn look_back(places: &mut [Place]) {
    let mut behind = None;
    for place in places.iter_mut().rev() {
        place.behind = earlier(place.behind, behind);
        behind = place.behind;
    }
}

pub(super) fn earlier(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    a.into_iter().chain(b).min()
}
