//! A borrowed range of the events of a batch.

use std::fmt;
use std::ops::{Bound, Index, Range, RangeBounds};
use std::ptr;

use super::{Event, EventBatch, EventIter};

/// Consecutive events of an [`EventBatch`], borrowed from it, as in `&batch[2..5]`.
///
/// It relates to the batch as `str` does to `String`: it exists only behind references, and taking one
/// copies nothing.
///
/// ```
/// use liaf_data::{Event, EventBatch};
/// let batch: EventBatch = (0..10).map(|t| Event { t, x: 3, y: 4, p: 1 }).collect();
/// for event in &batch[2..5] {
///     println!("{} µs", event.t);
/// }
/// assert_eq!(batch[2..5].t(), [2, 3, 4]);
/// assert_eq!(batch[7..].iter().rev().map(|event| event.t).collect::<Vec<_>>(), [9, 8, 7]);
/// assert_eq!(batch[..4][1..].to_batch().len(), 3);
/// ```
///
/// A slice remembers its range in the size of one pointer: on a machine of 64 bits it may start and
/// end within the first 2³² - 1 events of the batch, on one of 32 bits within the first 2¹⁶ - 1.
#[repr(C)]
pub struct EventSlice {
    batch: EventBatch,
    /// A slice of values without a size. Its length is not a number of anything in memory, but the
    /// range of events: their number in the lower half of the bits, the first one in the upper half.
    range: [()],
}

/// Number of bits for each of the two numbers in the length of the tail.
const HALF: u32 = usize::BITS / 2;

/// The largest index that a slice can hold.
const MAX_END: usize = (1 << HALF) - 1;

/// The indices in `column` that `range` means.
///
/// # Panics
/// If `column` has no such range, in the words of the standard library.
#[track_caller]
fn indices(column: &[i64], range: impl RangeBounds<usize>) -> Range<usize> {
    let bounds = (range.start_bound().cloned(), range.end_bound().cloned());
    let len = column[bounds].len();
    let start = match bounds.0 {
        Bound::Included(first) => first,
        Bound::Excluded(before) => before + 1,
        Bound::Unbounded => 0,
    };
    start..start + len
}

/// The length of a tail that stands for `range`.
///
/// # Panics
/// If the end of `range` does not fit half the bits.
#[track_caller]
fn pack(range: Range<usize>) -> usize {
    assert!(
        range.end <= MAX_END,
        "a slice of a batch cannot end after event {MAX_END}, and this one ends at {}",
        range.end
    );
    range.start << HALF | range.len()
}

impl EventSlice {
    /// The events of `batch` in `range`.
    ///
    /// # Panics
    /// If `range` reaches past the end of the batch or ends before it starts, in the words of the
    /// slices of the standard library, and if it ends after [`MAX_END`].
    #[track_caller]
    #[expect(unsafe_code, reason = "only a cast of pointers makes a reference to an unsized type")]
    pub(super) fn new(batch: &EventBatch, range: impl RangeBounds<usize>) -> &Self {
        let packed = pack(indices(&batch.t, range));
        let wide = ptr::slice_from_raw_parts(ptr::from_ref(batch).cast::<()>(), packed);
        // SAFETY: The pointer comes from a reference to an `EventBatch`, so it is not null and
        // aligned for one, and what it points to is valid and not written to for the lifetime that
        // the signature gives the result as well. `EventSlice` is `repr(C)`: its first field, the
        // batch, has offset 0, and its tail is a slice of `()`, of alignment 1 and size 0 whatever
        // its length, as `0 * packed` bytes never exceed `isize::MAX`. Hence size and alignment of
        // the whole are those of the batch, and the reference covers exactly the bytes that
        // `batch` covers. Values of `()` are valid anywhere. The cast keeps the metadata of the
        // pointer, which is the length of the tail in both types.
        unsafe { &*(wide as *const Self) }
    }

    /// The indices of the events in the batch.
    fn range(&self) -> Range<usize> {
        let packed = self.range.len();
        let start = packed >> HALF;
        start..start + (packed & MAX_END)
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.range.len() & MAX_END
    }

    /// Whether there are no events.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Times in µs.
    pub fn t(&self) -> &[i64] {
        &self.batch.t[self.range()]
    }

    /// Columns from the left.
    pub fn x(&self) -> &[u16] {
        &self.batch.x[self.range()]
    }

    /// Rows from the top.
    pub fn y(&self) -> &[u16] {
        &self.batch.y[self.range()]
    }

    /// Polarities, 1 = ON.
    pub fn p(&self) -> &[u8] {
        &self.batch.p[self.range()]
    }

    /// Event number `i` of the slice, or `None` past its end.
    pub fn get(&self, i: usize) -> Option<Event> {
        let Range { start, end } = self.range();
        (i < end - start).then(|| self.batch.at(start + i))
    }

    /// Iterates over the events in order.
    pub fn iter(&self) -> EventIter<'_> {
        EventIter::new(&self.batch, self.range())
    }

    /// Copies the events into a batch of their own.
    pub fn to_batch(&self) -> EventBatch {
        let mut batch = EventBatch::with_capacity(self.len());
        batch.extend_from(self);
        batch
    }
}

/// The events in a range, as of the slices of the standard library.
///
/// # Panics
/// If the range reaches past the end or ends before it starts.
impl<R: RangeBounds<usize>> Index<R> for EventBatch {
    type Output = EventSlice;

    #[track_caller]
    fn index(&self, range: R) -> &EventSlice {
        EventSlice::new(self, range)
    }
}

/// The events in a range of those of this slice.
///
/// # Panics
/// If the range reaches past the end or ends before it starts.
impl<R: RangeBounds<usize>> Index<R> for EventSlice {
    type Output = Self;

    #[track_caller]
    fn index(&self, range: R) -> &Self {
        let Range { start, end } = indices(self.t(), range);
        let first = self.range().start;
        Self::new(&self.batch, first + start..first + end)
    }
}

impl<'a> IntoIterator for &'a EventSlice {
    type Item = Event;
    type IntoIter = EventIter<'a>;

    fn into_iter(self) -> EventIter<'a> {
        self.iter()
    }
}

impl PartialEq for EventSlice {
    fn eq(&self, other: &Self) -> bool {
        self.t() == other.t()
            && self.x() == other.x()
            && self.y() == other.y()
            && self.p() == other.p()
    }
}

impl Eq for EventSlice {}

impl fmt::Debug for EventSlice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Bound::{Excluded, Included};
    use std::panic::catch_unwind;

    use super::*;

    fn event(t: i64) -> Event {
        Event { t, x: 10 + t as u16, y: 20 + t as u16, p: (t % 2) as u8 }
    }

    fn batch() -> EventBatch {
        (0..10).map(event).collect()
    }

    fn times(slice: &EventSlice) -> Vec<i64> {
        slice.iter().map(|event| event.t).collect()
    }

    #[test]
    fn every_kind_of_range_selects_its_events() {
        let batch = batch();
        let cases: [(&EventSlice, &[i64]); 9] = [
            (&batch[2..5], &[2, 3, 4]),
            (&batch[8..], &[8, 9]),
            (&batch[..2], &[0, 1]),
            (&batch[..=2], &[0, 1, 2]),
            (&batch[2..=3], &[2, 3]),
            (&batch[..], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
            (&batch[10..], &[]),
            (&batch[3..9][1..4], &[4, 5, 6]),
            (&batch[(Excluded(3), Included(5))], &[4, 5]),
        ];
        for (slice, expected) in cases {
            assert_eq!(slice.t(), expected);
            assert_eq!(times(slice), expected);
            assert_eq!((slice.len(), slice.is_empty()), (expected.len(), expected.is_empty()));
            let x: Vec<u16> = expected.iter().map(|t| 10 + *t as u16).collect();
            let y: Vec<u16> = expected.iter().map(|t| 20 + *t as u16).collect();
            let p: Vec<u8> = expected.iter().map(|t| (t % 2) as u8).collect();
            assert_eq!((slice.x(), slice.y(), slice.p()), (&*x, &*y, &*p));
            assert_eq!(slice.to_batch(), expected.iter().copied().map(event).collect());
            assert_eq!(slice.get(0), expected.first().copied().map(event));
            assert_eq!(slice.get(expected.len()), None);
        }
    }

    #[test]
    fn slices_iterate_from_both_ends_and_compare_by_their_events() {
        let batch = batch();
        let mut backwards = Vec::new();
        for event in batch[2..5].iter().rev() {
            backwards.push(event);
        }
        assert_eq!(backwards, [4, 3, 2].map(event));
        let mut count = 0;
        for event in &batch[2..5] {
            count += event.t;
        }
        assert_eq!(count, 2 + 3 + 4);
        let other = batch[1..].to_batch();
        assert_eq!(batch[3..6], other[2..5]);
        assert_ne!(batch[3..6], other[3..6]);
        assert_eq!(format!("{:?}", &batch[4..5]), format!("[{:?}]", event(4)));
    }

    #[test]
    fn ranges_that_do_not_exist_panic_as_those_of_slices() {
        #[expect(clippy::reversed_empty_ranges)]
        let bad = [0..11, 11..11, 5..4, usize::MAX..usize::MAX];
        for range in bad {
            let batch = batch();
            let column = batch.t().to_vec();
            let of_batch = catch_unwind(|| batch[range.clone()].len()).unwrap_err();
            let of_slice = catch_unwind(|| batch[..][range.clone()].len()).unwrap_err();
            let bounds = (Included(range.start), Excluded(range.end));
            let of_column = catch_unwind(|| column[bounds].len()).unwrap_err();
            let text = of_column.downcast_ref::<String>();
            assert!(text.is_some());
            assert_eq!(of_batch.downcast_ref::<String>(), text);
            assert_eq!(of_slice.downcast_ref::<String>(), text);
        }
        assert!(catch_unwind(|| batch()[3..6][..4].len()).is_err(), "past the end of the slice");
    }

    #[test]
    fn indices_that_do_not_fit_are_refused() {
        assert_eq!(pack(MAX_END..MAX_END), MAX_END << HALF);
        assert_eq!(pack(0..MAX_END), MAX_END);
        let refused = catch_unwind(|| pack(1..MAX_END + 1)).unwrap_err();
        let text = refused.downcast_ref::<String>().unwrap();
        assert!(text.contains("cannot end after event"), "{text}");
    }
}
