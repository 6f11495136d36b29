//! Seek points of a recording that were found without decoding it.

use std::ops::Range;

use super::seek_points::{SeekPoint, locate, look_back};
use crate::codec::Checkpoint;
use crate::codec::seek::{BoundedPoint, SLACK, SampledPoint, ScanResult, in_order};

/// Some seek points of a recording.
#[derive(Debug)]
pub(super) struct SparseIndex {
    points: Vec<SeekPoint>,
    /// Whether the points were found by sampling, so that they are valid only if the recording is
    /// in order of time.
    pub trusts_order: bool,
}

impl SparseIndex {
    /// `None` if the sampled times are not in order.
    pub fn new(seen: ScanResult) -> Option<Self> {
        let (mut points, trusts_order) = match seen {
            ScanResult::Sampled(samples) => {
                if !in_order(samples.iter().map(|sample| sample.time)) {
                    return None;
                }
                (by_order(samples), true)
            }
            ScanResult::Bounded(bounded) => (by_bounds(bounded), false),
        };
        look_back(&mut points);
        Some(Self { points, trusts_order })
    }

    /// See [`locate`].
    pub fn locate(&self, time: &Range<i64>) -> (Option<Checkpoint>, Option<Checkpoint>) {
        locate(&self.points, time)
    }
}

fn by_order(samples: Vec<SampledPoint>) -> Vec<SeekPoint> {
    let mut latest = i64::MIN;
    let point = |SampledPoint { checkpoint, time }| {
        latest = latest.max(time);
        let (before, after) = (latest.saturating_add(SLACK), time.saturating_sub(SLACK));
        SeekPoint { checkpoint, before: Some(before), after: Some(after) }
    };
    samples.into_iter().map(point).collect()
}

fn by_bounds(bounded: Vec<BoundedPoint>) -> Vec<SeekPoint> {
    let mut before = None;
    let point = |BoundedPoint { checkpoint, times }: BoundedPoint| {
        let point = SeekPoint { checkpoint, before, after: times.map(|(earliest, _)| earliest) };
        before = before.max(times.map(|(_, latest)| latest));
        point
    };
    bounded.into_iter().map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(offset: u64) -> Checkpoint {
        Checkpoint { offset, state: Vec::new() }
    }

    fn offsets(sparse_index: &SparseIndex, time: Range<i64>) -> (Option<u64>, Option<u64>) {
        let (start, end) = sparse_index.locate(&time);
        (start.map(|checkpoint| checkpoint.offset), end.map(|checkpoint| checkpoint.offset))
    }

    fn samples(times: &[i64]) -> ScanResult {
        let sample = |(at, &time)| SampledPoint { checkpoint: checkpoint(at), time };
        ScanResult::Sampled((0..).zip(times).map(sample).collect())
    }

    #[test]
    fn what_may_be_of_the_time_is_between_the_places() {
        let sparse_index =
            SparseIndex::new(samples(&[0, 200_000, 150_000, 400_000, 900_000])).unwrap();
        assert_eq!(offsets(&sparse_index, 0..10), (None, Some(1)));
        assert_eq!(offsets(&sparse_index, 260_000..270_000), (Some(0), Some(3)));
        assert_eq!(offsets(&sparse_index, 310_000..310_001), (Some(2), Some(4)));
        assert_eq!(offsets(&sparse_index, 2_000_000..3_000_000), (Some(4), None));
        assert_eq!(offsets(&sparse_index, i64::MIN..i64::MAX), (None, None));
    }

    #[test]
    fn times_that_begin_anew_are_no_order() {
        assert!(SparseIndex::new(samples(&[0, 500_000, 300_000])).is_none());
        assert!(SparseIndex::new(samples(&[])).is_some());
    }

    #[test]
    fn bounds_need_no_order() {
        let times = [Some((0, 9)), None, Some((100, 150)), Some((20, 30)), Some((200, 210))];
        let stretch = |(at, times)| BoundedPoint { checkpoint: checkpoint(at), times };
        let sparse_index =
            SparseIndex::new(ScanResult::Bounded((0..).zip(times).map(stretch).collect())).unwrap();
        assert_eq!(offsets(&sparse_index, 25..26), (Some(2), Some(4)));
        assert_eq!(offsets(&sparse_index, 0..10), (Some(0), Some(1)));
        assert_eq!(offsets(&sparse_index, 10..20), (Some(2), Some(1)));
        assert_eq!(offsets(&sparse_index, 300..400), (Some(4), None));
    }
}
