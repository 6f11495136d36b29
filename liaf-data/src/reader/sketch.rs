//! Places of a recording that were found without decoding it.

use std::ops::Range;

use super::places::{Place, locate, look_back};
use crate::Mark;
use crate::formats::seek::{Glimpse, SLACK, Seen, Stretch, in_order};

/// Some places of a recording.
#[derive(Debug)]
pub(super) struct Sketch {
    places: Vec<Place>,
    /// They were found by a look at some, so that they hold only for a recording in order of time.
    pub trusts_order: bool,
}

impl Sketch {
    /// `None` if what was looked at is not in order of time.
    pub fn new(seen: Seen) -> Option<Self> {
        let (mut places, trusts_order) = match seen {
            Seen::Some(glimpses) => {
                if !in_order(glimpses.iter().map(|glimpse| glimpse.time)) {
                    return None;
                }
                (by_order(glimpses), true)
            }
            Seen::All(stretches) => (by_bounds(stretches), false),
        };
        look_back(&mut places);
        Some(Self { places, trusts_order })
    }

    /// See [`locate`].
    pub fn locate(&self, time: &Range<i64>) -> (Option<Mark>, Option<Mark>) {
        locate(&self.places, time)
    }
}

fn by_order(glimpses: Vec<Glimpse>) -> Vec<Place> {
    let mut latest = i64::MIN;
    let place = |Glimpse { mark, time }| {
        latest = latest.max(time);
        let (before, behind) = (latest.saturating_add(SLACK), time.saturating_sub(SLACK));
        Place { mark, before: Some(before), behind: Some(behind) }
    };
    glimpses.into_iter().map(place).collect()
}

fn by_bounds(stretches: Vec<Stretch>) -> Vec<Place> {
    let mut before = None;
    let place = |Stretch { mark, times }: Stretch| {
        let place = Place { mark, before, behind: times.map(|(earliest, _)| earliest) };
        before = before.max(times.map(|(_, latest)| latest));
        place
    };
    stretches.into_iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(offset: u64) -> Mark {
        Mark { offset, state: Vec::new() }
    }

    fn offsets(sketch: &Sketch, time: Range<i64>) -> (Option<u64>, Option<u64>) {
        let (start, end) = sketch.locate(&time);
        (start.map(|mark| mark.offset), end.map(|mark| mark.offset))
    }

    fn glimpses(times: &[i64]) -> Seen {
        let glimpse = |(at, &time)| Glimpse { mark: mark(at), time };
        Seen::Some((0..).zip(times).map(glimpse).collect())
    }

    #[test]
    fn what_may_be_of_the_time_is_between_the_places() {
        let sketch = Sketch::new(glimpses(&[0, 200_000, 150_000, 400_000, 900_000])).unwrap();
        assert_eq!(offsets(&sketch, 0..10), (None, Some(1)));
        assert_eq!(offsets(&sketch, 260_000..270_000), (Some(0), Some(3)));
        assert_eq!(offsets(&sketch, 310_000..310_001), (Some(2), Some(4)));
        assert_eq!(offsets(&sketch, 2_000_000..3_000_000), (Some(4), None));
        assert_eq!(offsets(&sketch, i64::MIN..i64::MAX), (None, None));
    }

    #[test]
    fn times_that_begin_anew_are_no_order() {
        assert!(Sketch::new(glimpses(&[0, 500_000, 300_000])).is_none());
        assert!(Sketch::new(glimpses(&[])).is_some());
    }

    #[test]
    fn bounds_need_no_order() {
        let times = [Some((0, 9)), None, Some((100, 150)), Some((20, 30)), Some((200, 210))];
        let stretch = |(at, times)| Stretch { mark: mark(at), times };
        let sketch = Sketch::new(Seen::All((0..).zip(times).map(stretch).collect())).unwrap();
        assert_eq!(offsets(&sketch, 25..26), (Some(2), Some(4)));
        assert_eq!(offsets(&sketch, 0..10), (Some(0), Some(1)));
        assert_eq!(offsets(&sketch, 10..20), (Some(2), Some(1)));
        assert_eq!(offsets(&sketch, 300..400), (Some(4), None));
    }
}
