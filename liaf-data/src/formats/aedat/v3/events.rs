//! The contents of polarity and special packets.

use multiversion::multiversion;

use crate::codec::ReadOptions;
use crate::model::{EventBatch, Finding, Report};

/// Size of a polarity or special event in bytes: data, then time.
pub(crate) const EVENT: usize = 8;
/// Number of events that are processed together.
const BLOCK: usize = 1024;

/// How the data word of a polarity event becomes x, y and p.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PolarityFields {
    x_shift: u32,
    y_shift: u32,
    y_mask: u16,
    /// Rows are computed as `y ^ flip + add`: if all bits of `flip` are set, they are counted from
    /// the other end.
    flip: u16,
    add: u16,
    keep_invalid: bool,
    /// Whether decoding stops at a negative time.
    strict: bool,
}

impl PolarityFields {
    /// The positions of x and y in version 3.0 or 3.1. With `flip_y`, rows are counted from the
    /// other end of a sensor of this height.
    pub fn new(is_3_0: bool, flip_y: Option<u16>, options: &ReadOptions) -> Self {
        let (x_shift, y_shift, y_mask) = if is_3_0 { (18, 4, 0x3fff) } else { (17, 2, 0x7fff) };
        let (flip, add) = flip_y.map_or((0, 0), |height| (u16::MAX, height));
        let (keep_invalid, strict) = (options.aedat.keep_invalid, options.strict);
        Self { x_shift, y_shift, y_mask, flip, add, keep_invalid, strict }
    }

    /// Whether decoding stops after the findings in `report`.
    pub fn stops_at(self, report: &Report) -> bool {
        self.strict && report.count(Finding::NegativeTimes) > 0
    }

    #[inline(always)]
    fn x(self, event: &[u8; EVENT]) -> u16 {
        (data(event) >> self.x_shift) as u16
    }

    #[inline(always)]
    fn y(self, event: &[u8; EVENT]) -> u16 {
        // In two's complement !y = -y - 1, so that !y + height = height - 1 - y.
        (((data(event) >> self.y_shift) as u16 & self.y_mask) ^ self.flip).wrapping_add(self.add)
    }
}

#[inline(always)]
fn data(event: &[u8; EVENT]) -> u32 {
    let [a, b, c, d, ..] = *event;
    u32::from_le_bytes([a, b, c, d])
}

#[inline(always)]
fn time(event: &[u8; EVENT]) -> u32 {
    let [.., a, b, c, d] = *event;
    u32::from_le_bytes([a, b, c, d])
}

#[inline(always)]
fn p(event: &[u8; EVENT]) -> u8 {
    event[0] >> 1 & 1
}

/// Appends the polarity events of `payload`, which starts at `offset` in the file. `epoch` has the
/// bits above their times.
pub(crate) fn polarity(
    payload: &[u8],
    offset: u64,
    epoch: i64,
    rule: PolarityFields,
    batch: &mut EventBatch,
    report: &mut Report,
) {
    let mut at = offset;
    for block in payload.as_chunks::<EVENT>().0.chunks(BLOCK) {
        let (all_valid, no_negative) = look(block);
        if no_negative && (all_valid || rule.keep_invalid) {
            append(block, epoch, rule, batch);
        } else {
            one_by_one(block, at, epoch, rule, batch, report);
            if rule.stops_at(report) {
                return;
            }
        }
        at += size_of_val(block) as u64;
    }
}

/// Whether all events are valid, and whether all times are positive.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn look(block: &[[u8; EVENT]]) -> (bool, bool) {
    let (mut valid, mut times) = (u32::MAX, 0);
    // `fold` is not used here, because the functions it calls would not be compiled for each
    // target.
    for event in block {
        valid &= data(event);
        times |= time(event);
    }
    (valid & 1 == 1, times >> 31 == 0)
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn append(block: &[[u8; EVENT]], epoch: i64, rule: PolarityFields, batch: &mut EventBatch) {
    batch.t.extend(block.iter().map(|event| epoch | i64::from(time(event))));
    batch.x.extend(block.iter().map(|event| rule.x(event)));
    batch.y.extend(block.iter().map(|event| rule.y(event)));
    batch.p.extend(block.iter().map(p));
}

fn one_by_one(
    block: &[[u8; EVENT]],
    offset: u64,
    epoch: i64,
    rule: PolarityFields,
    batch: &mut EventBatch,
    report: &mut Report,
) {
    for (event, at) in block.iter().zip((offset..).step_by(EVENT)) {
        if time(event) >> 31 == 1 {
            report.add(Finding::NegativeTimes, 1, at);
            if rule.strict {
                return;
            }
        } else if data(event) & 1 == 0 && !rule.keep_invalid {
            report.add(Finding::InvalidEvents, 1, at);
        } else {
            append(std::slice::from_ref(event), epoch, rule, batch);
        }
    }
}

/// Whether a special event says that the camera set its clock to 0.
pub(crate) fn is_reset(event: &[u8; EVENT]) -> bool {
    event[0] == 1 << 1 | 1
}

/// Counts the special events of `payload`, which starts at `offset` in the file.
pub(crate) fn specials(payload: &[u8], offset: u64, report: &mut Report) {
    let events = payload.as_chunks::<EVENT>().0;
    for (event, at) in events.iter().zip((offset..).step_by(EVENT)) {
        let finding = match (event[0] & 1, event[0] >> 1) {
            (0, _) => Finding::InvalidEvents,
            (_, 0) => Finding::TimeWraps,
            (_, 1) => Finding::TimestampResets,
            _ => Finding::Triggers,
        };
        report.add(finding, 1, at);
    }
}
