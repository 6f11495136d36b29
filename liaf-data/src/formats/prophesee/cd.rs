//! The events of EVT 2.0, and those of EVT 2.1 after each set bit of a mask has become a separate
//! event. Their 32 bits and the last `TIME_HIGH` before them are collected without a branch, and are
//! then split into columns.

use multiversion::multiversion;

use super::{PADDED, RESERVED, TRIGGER, TriggerWord, VENDOR};
use crate::codec::{Capabilities, Checkpoint};
use crate::error::Result;
use crate::model::{Event, EventBatch};

/// The types of words, by their upper four bits.
pub(crate) mod kind {
    pub const CD_ON: u32 = 0x1;
    pub const TIME_HIGH: u32 = 0x8;
    pub const EXT_TRIGGER: u32 = 0xa;
    pub const IMU: u32 = 0xd;
    pub const OTHERS: u32 = 0xe;
    pub const CONTINUED: u32 = 0xf;
}

/// The upper half of a word that some cameras use as a filler.
const PADDING: u32 = 0x9999_9999;
/// A decrease of `TIME_HIGH` by more than this is a wrap: 2³³ µs.
const HIGH_WRAP: u32 = 1 << 27;
/// How much a wrap adds to the time, in µs.
pub(crate) const ROUND: i64 = 1 << 34;
/// Number of time bits below those of a `TIME_HIGH`.
pub(crate) const LOW_BITS: u32 = 6;

/// What files of such words can store.
pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    t_min: 0,
    t_max: ROUND - 1,
    wraps: Some(ROUND.unsigned_abs()),
    // A reader takes a longer step back for a wrap of the clock.
    step_back: ROUND.unsigned_abs() / 2,
    x_max: 0x7ff,
    y_max: 0x7ff,
    ..Capabilities::ANYTHING
};

/// The time that earlier words have set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Time {
    /// Bits 33–6 of the time; `None` before the first `TIME_HIGH`.
    pub high: Option<u32>,
    /// What wraps have added so far, in µs.
    pub epoch: i64,
}

impl Time {
    /// The time as numbers, with -1 for `high` before the first `TIME_HIGH`.
    pub fn pack(&self) -> Vec<i64> {
        vec![self.high.map_or(-1, i64::from), self.epoch]
    }

    /// Restores the time that was stored with [`pack`](Self::pack).
    ///
    /// # Errors
    /// If the state of the checkpoint cannot be a time.
    pub fn unpack(checkpoint: &Checkpoint) -> Result<Self> {
        let [high, epoch] = checkpoint.state()?;
        Ok(Self { high: u32::try_from(high).ok().filter(|high| high >> 28 == 0), epoch })
    }

    /// The event in these 32 bits; `None` before the first `TIME_HIGH`.
    pub fn event(&self, bits: u32) -> Option<Event> {
        let t = self.epoch + time(self.high?, bits);
        Some(Event { t, x: x(bits), y: y(bits), p: p(bits) })
    }

    /// The trigger in these 32 bits, if they are one: time bits 5–0 in 27–22, channel in 12–8,
    /// value in 0.
    pub fn trigger(&self, bits: u32) -> Option<TriggerWord> {
        (bits >> 28 == kind::EXT_TRIGGER).then(|| TriggerWord {
            t: self.high.map(|high| self.epoch + time(high, bits)),
            channel: bits >> 8 & 0x1f,
            value: bits & 1 == 1,
        })
    }

    /// Sets the next `TIME_HIGH`, and returns whether the time wrapped.
    pub fn set_high(&mut self, high: u32) -> bool {
        let wrapped = self.high.is_some_and(|old| is_wrap(old, high));
        self.epoch += i64::from(wrapped) * ROUND;
        self.high = Some(high);
        wrapped
    }
}

/// Whether the time wrapped between these two `TIME_HIGH`.
#[inline]
pub(crate) fn is_wrap(old: u32, new: u32) -> bool {
    old > new + HIGH_WRAP
}

/// The kind of finding for a word that is not an event and does not set the time.
pub(crate) fn special(head: u32) -> usize {
    match head >> 28 {
        kind::EXT_TRIGGER => TRIGGER,
        kind::IMU | kind::OTHERS | kind::CONTINUED => VENDOR,
        _ if head == PADDING => PADDED,
        _ => RESERVED,
    }
}

#[inline(always)]
fn time(high: u32, bits: u32) -> i64 {
    i64::from(high) << 6 | i64::from(bits >> 22 & 0x3f)
}

#[inline(always)]
fn x(bits: u32) -> u16 {
    (bits >> 11) as u16 & 0x7ff
}

#[inline(always)]
fn y(bits: u32) -> u16 {
    bits as u16 & 0x7ff
}

#[inline(always)]
fn p(bits: u32) -> u8 {
    (bits >> 28) as u8 & 1
}

/// A buffer for the events of some words.
#[derive(Debug)]
pub struct Cd {
    pub(crate) len: usize,
    pub(crate) bits: [u32; Cd::ROOM + Cd::LANES],
    pub(crate) highs: [u32; Cd::ROOM + Cd::LANES],
}

impl Default for Cd {
    fn default() -> Self {
        Self { len: 0, bits: [0; _], highs: [0; _] }
    }
}

impl Cd {
    /// Capacity in events, a power of two.
    pub(crate) const ROOM: usize = 2048;
    /// Number of events that may be written after the last one.
    pub(crate) const LANES: usize = 16;

    /// Appends the events to `events`.
    pub(crate) fn move_to(&mut self, events: &mut EventBatch, epoch: i64) {
        let len = self.len.min(Self::ROOM);
        append(&self.bits[..len], &self.highs[..len], epoch, events);
        self.len = 0;
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn append(bits: &[u32], highs: &[u32], epoch: i64, events: &mut EventBatch) {
    events.t.extend(bits.iter().zip(highs).map(|(&bits, &high)| epoch + time(high, bits)));
    events.x.extend(bits.iter().map(|&bits| x(bits)));
    events.y.extend(bits.iter().map(|&bits| y(bits)));
    events.p.extend(bits.iter().map(|&bits| p(bits)));
}
