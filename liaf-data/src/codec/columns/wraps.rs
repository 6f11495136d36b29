//! Clocks of 32 bits in columns of times.

use super::Kind;
use crate::codec::{Checkpoint, TimeUnit};
use crate::error::Result;

/// Half the range of a clock of 32 bits, in µs. As in the formats of records, a step back by more than
/// this is a wrap, and a smaller one is a real step back.
const HALF: i64 = 1 << 31;
const RANGE: i64 = 1 << 32;

/// In columns of more than 32 bits and in text, nothing says how wide the clock is. There, the times
/// before and after a wrap have to be this close to the ends of its range (about 4.5 minutes), so that
/// two recordings one after the other are not taken for one of which the clock wrapped.
const NEAR: i64 = 1 << 28;

/// Whether a number may be the next time after another one: it is not less, or the clock starts again
/// between them.
pub(crate) fn rises(before: f64, after: f64) -> bool {
    before <= after || before - after > HALF as f64
}

/// How wide the clock of a column may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    /// 32 bits, as the type of the column says.
    Narrow,
    /// Perhaps 32 bits: the column would have room for more.
    Unknown,
    /// The column does not count µs in 32 bits.
    Other,
}

/// Extends the times of a clock of 32 bits that starts again: each time, all later times are one range of
/// the clock later.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wraps {
    clock: Clock,
    /// What reading has added to the numbers of the column.
    offset: i64,
    /// The last number, and the one before it.
    last: Option<i64>,
    before: Option<i64>,
    /// How many times the clock has started again at the last number, and at any number before it: an
    /// event that comes late belongs to the round before.
    rounds: i64,
    most: i64,
}

impl Wraps {
    /// Number of values in the state of a checkpoint.
    pub const STATE: usize = 4;

    /// For times in `unit`, to which reading adds `offset` µs. `kind` is the type of the column, which
    /// text does not have.
    pub fn new(kind: Option<Kind>, unit: TimeUnit, offset: i64) -> Self {
        let clock = match kind {
            _ if unit != TimeUnit::Microseconds => Clock::Other,
            Some(Kind::U32 | Kind::I32) => Clock::Narrow,
            None | Some(Kind::U64 | Kind::I64 | Kind::F64) => Clock::Unknown,
            Some(_) => Clock::Other,
        };
        Self { clock, offset, last: None, before: None, rounds: 0, most: 0 }
    }

    /// Adds to each of these times, which follow those of the last call, what the clock has lost. Returns
    /// the number of wraps among them, and the index of the first time after one.
    pub fn unroll(&mut self, times: &mut [i64]) -> (u64, usize) {
        let (Some(&first), Some(&end)) = (times.first(), times.last()) else { return (0, 0) };
        if self.clock == Clock::Other {
            return (0, 0);
        }
        let last = self.last.unwrap_or(first);
        // The sign of this number is set if there is a step back by more than half the range.
        let far = |from: i64, to: i64| to.wrapping_sub(from).wrapping_add(HALF);
        let steps =
            times.windows(2).fold(far(last, first), |any, pair| any | far(pair[0], pair[1]));
        if self.rounds == 0 && steps >= 0 {
            self.before = times.len().checked_sub(2).map_or(self.last, |i| times.get(i).copied());
            self.last = Some(end);
            return (0, 0);
        }
        let (most, mut wrapped) = (self.most, None);
        for (i, time) in times.iter_mut().enumerate() {
            *time = time.saturating_add(self.advance(*time).saturating_mul(RANGE));
            wrapped = wrapped.or((self.most > most).then_some(i));
        }
        ((self.most - most) as u64, wrapped.unwrap_or(0))
    }

    /// Takes the next number, and returns the round that it belongs to.
    fn advance(&mut self, number: i64) -> i64 {
        let last = self.last.unwrap_or(number);
        // One wrong time is not taken for the end of a round.
        let is_spike =
            self.most == 0 && self.before.is_some_and(|before| last.saturating_sub(before) > HALF);
        let step = number.saturating_sub(last);
        if step < -HALF && !is_spike && self.is_wrap(last, number) {
            self.rounds += 1;
        } else if step > HALF && self.rounds > 0 && self.is_wrap(number, last) {
            self.rounds -= 1;
        }
        self.most = self.most.max(self.rounds);
        (self.before, self.last) = (self.last, Some(number));
        self.rounds
    }

    /// Whether a clock that starts again may count from `end` to `start`.
    fn is_wrap(self, end: i64, start: i64) -> bool {
        let (end, start) = (end.saturating_sub(self.offset), start.saturating_sub(self.offset));
        let is_between = |top: i64| {
            (top - NEAR..top).contains(&end) && (top - RANGE..top - RANGE + NEAR).contains(&start)
        };
        // A clock without a sign ends at 2^32, and one with a sign at 2^31.
        self.clock == Clock::Narrow || is_between(RANGE) || is_between(HALF)
    }

    /// The state for a checkpoint, which the rows after it need; `None` if the clock cannot have wrapped
    /// and cannot wrap.
    pub fn state(self) -> Option<[i64; Self::STATE]> {
        let (last, before) = (self.last?, self.before.or(self.last)?);
        let is_narrow = |number: i64| (-HALF..RANGE).contains(&number.saturating_sub(self.offset));
        let may_wrap = is_narrow(last) && is_narrow(before);
        let is_needed = self.clock != Clock::Other && (self.most > 0 || may_wrap);
        // A checkpoint has no larger numbers, and these are as far from those of the clock.
        let kept = |number: i64| number.clamp(-(1 << 61), 1 << 61);
        is_needed.then_some([kept(last), kept(before), self.rounds, self.most])
    }

    /// Restores the state of a checkpoint; any other number of values is none.
    pub fn resume(&mut self, state: &[i64]) {
        *self = Self { last: None, before: None, rounds: 0, most: 0, ..*self };
        if let &[last, before, rounds, most] = state {
            (self.last, self.before) = (Some(last), Some(before));
            (self.rounds, self.most) = (rounds, most);
        }
    }

    /// The checkpoint of a reader of rows, which is in front of this row and this byte.
    pub fn checkpoint(self, row: u64, offset: u64) -> Checkpoint {
        let mut state = vec![row as i64];
        state.extend(self.state().into_iter().flatten());
        Checkpoint { offset, state }
    }

    /// Restores the state that a checkpoint of a reader of rows has.
    pub fn resume_at(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.resume(checkpoint.first::<1>()?.1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOP: i64 = RANGE - 1;

    fn unrolled(kind: Option<Kind>, times: &[i64]) -> (Vec<i64>, u64) {
        let run = |parts: usize| {
            let mut wraps = Wraps::new(kind, TimeUnit::Microseconds, 0);
            let mut times = times.to_vec();
            let counts: Vec<_> = times.chunks_mut(parts).map(|part| wraps.unroll(part).0).collect();
            (times, counts.iter().sum())
        };
        let whole = run(times.len());
        for parts in 1..times.len() {
            assert_eq!(run(parts), whole, "in parts of {parts}");
        }
        whole
    }

    #[test]
    fn each_wrap_adds_a_range_to_the_times_after_it() {
        for kind in [Some(Kind::U32), Some(Kind::U64), Some(Kind::I64), Some(Kind::F64), None] {
            let times = [TOP - 9, TOP, 4, 5, TOP - 3, 9];
            let after = [TOP - 9, TOP, RANGE + 4, RANGE + 5, TOP - 3, RANGE + 9];
            assert_eq!(unrolled(kind, &times), (after.to_vec(), 1), "{kind:?}");
        }
        for kind in [Some(Kind::I32), Some(Kind::I64), None] {
            let times = [HALF - 2, HALF - 1, -HALF, -HALF + 3, -5, 7];
            let after: Vec<_> =
                (0..).zip(times).map(|(i, t)| t + RANGE * i64::from(i > 1)).collect();
            assert_eq!(unrolled(kind, &times), (after, 1), "{kind:?}");
        }
        let twice = [2 << 30, 3 << 30, 8, 1 << 30, HALF + 9, TOP, 3];
        let rounds = [0, 0, 1, 1, 1, 1, 2];
        let after = twice.iter().zip(rounds).map(|(t, round)| t + RANGE * round).collect();
        assert_eq!(unrolled(Some(Kind::U32), &twice), (after, 2));
    }

    #[test]
    fn other_steps_back_are_no_wraps() {
        // A single wrong time, a smaller step back, and in a wide column one far from the ends.
        for times in [&[5, 6, TOP, 7, 8][..], &[HALF, 0, 1], &[9, 3, 9]] {
            assert_eq!(unrolled(Some(Kind::U32), times), (times.to_vec(), 0), "{times:?}");
        }
        for times in [&[3 << 30, 0, 1][..], &[5 << 30, 0, 1], &[i64::MIN, i64::MAX, i64::MIN]] {
            assert_eq!(unrolled(Some(Kind::I64), times), (times.to_vec(), 0), "{times:?}");
            assert_eq!(unrolled(None, times), (times.to_vec(), 0), "{times:?}");
        }
        let mut ns = Wraps::new(Some(Kind::U32), TimeUnit::Nanoseconds, 0);
        assert_eq!(ns.unroll(&mut [TOP, 0]), (0, 0));
    }

    #[test]
    fn what_is_added_to_the_times_does_not_hide_a_wrap() {
        let mut wraps = Wraps::new(None, TimeUnit::Microseconds, 7_000_000_000);
        let mut times = [TOP, 3].map(|t| t + 7_000_000_000);
        assert_eq!(wraps.unroll(&mut times), (1, 1));
        assert_eq!(times, [TOP, RANGE + 3].map(|t| t + 7_000_000_000));
    }

    #[test]
    fn reading_resumes_in_the_round_of_a_checkpoint() {
        let mut wraps = Wraps::new(Some(Kind::U32), TimeUnit::Microseconds, 0);
        wraps.unroll(&mut [TOP, 3]);
        let mut again = Wraps::new(Some(Kind::U32), TimeUnit::Microseconds, 0);
        again.resume(&wraps.state().unwrap());
        let mut times = [9];
        assert_eq!((again.unroll(&mut times), times), ((0, 0), [RANGE + 9]));
        // One wrong time before the checkpoint does not undo the rounds.
        for wrong in [i64::MAX, i64::MIN, 5 << 32] {
            let mut wraps = Wraps::new(None, TimeUnit::Microseconds, 0);
            wraps.unroll(&mut [TOP, 3, wrong]);
            let mut again = Wraps::new(None, TimeUnit::Microseconds, 0);
            again.resume(&wraps.state().unwrap());
            let (mut after, mut resumed) = ([9, 11], [9, 11]);
            assert_eq!(again.unroll(&mut resumed), wraps.unroll(&mut after));
            assert_eq!((after, resumed), ([RANGE + 9, RANGE + 11], after), "{wrong}");
        }
    }
}
