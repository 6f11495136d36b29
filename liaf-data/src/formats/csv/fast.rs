//! Fast decoding of many lines of the simplest form.
//!
//! Every byte that is not a digit ends something. The offsets of these bytes are first collected
//! for a block of lines, 64 bytes at a time. Each line is then described by the next four to eight
//! of these offsets: its numbers end there, and are parsed backwards from there, eight digits at a
//! time. Nothing is searched byte by byte, and no number depends on the one before it.
//!
//! A line is decoded here only if [`parse`](super::line::parse) would accept it, and the event is the
//! same. All other lines are left to that function.

use multiversion::multiversion;

use super::digits::{POWERS, long, pair};
use super::line::{self, Columns, Line};
use crate::codec::TimeUnit;
use crate::codec::columns::scaled;
use crate::model::EventBatch;

/// Number of bytes whose separators are collected at a time.
const STRETCH: usize = 4096;
/// Length of the shortest line: four numbers of one digit, each followed by one byte.
const SHORTEST: usize = 8;
/// Maximum number of lines in such a block.
const LINES: usize = STRETCH / SHORTEST;

/// The orders of columns, with times in whole microseconds, for which there is specialised code;
/// and all others.
const TXYP: usize = 0;
const XYPT: usize = 1;
const ANY_ORDER: usize = 2;

/// The largest number of bytes in a line that are not digits.
const ENDS: usize = 8;

/// The bytes after the numbers of a line, and which numbers are the fields of an event. Only digits
/// stand between these bytes, so that lines with the same bytes are divided into columns in the same way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pattern {
    /// The bytes that end the numbers, in order.
    ends: [u8; ENDS],
    /// Number of these bytes.
    count: usize,
    /// Which of the numbers are t (or its part before the point), x, y and p.
    at: [usize; 4],
    /// Whether the times have a decimal point.
    has_point: bool,
    /// The digit that means OFF. The next digit means ON.
    off: u8,
    /// Whether nothing is between the last two bytes: the line ends in CR LF, or with a separator.
    is_last_empty: bool,
}

impl Pattern {
    /// The pattern of the line at the start of `bytes`, if it is an event in the simplest form:
    /// unsigned numbers with one separator between them.
    pub fn of(bytes: &[u8], columns: &Columns) -> Option<Self> {
        let bytes = &bytes[..columns.line_len(bytes)];
        let is_pair =
            |off: &i64| [0, 1].map(|on| columns.polarity.polarity(off + on)) == [Some(0), Some(1)];
        let off = [0, 1].into_iter().find(is_pair).filter(|_| !columns.pixels.rounds())?;
        let (Line::Event(_), [.., end]) = (line::parse(bytes, columns), bytes) else { return None };
        if *end != columns.line_end {
            return None;
        }
        let mut pattern = Self {
            ends: [0; ENDS],
            count: 0,
            at: [usize::MAX; 4],
            has_point: false,
            off: b'0' + off as u8,
            is_last_empty: false,
        };
        let [t, ..] = columns.at;
        let (mut column, mut begin) = (0, 0);
        for (end, &byte) in bytes.iter().enumerate().filter(|(_, byte)| !byte.is_ascii_digit()) {
            let number = pattern.count;
            *pattern.ends.get_mut(number)? = byte;
            pattern.count += 1;
            let is_last = end + 1 == bytes.len();
            let is_empty = begin == end;
            if is_empty && !(is_last && number > 0) {
                return None;
            }
            pattern.is_last_empty = is_empty;
            for (field, _) in columns.at.iter().enumerate().filter(|(_, at)| **at == column) {
                let slot = &mut pattern.at[field];
                if *slot == usize::MAX {
                    *slot = number;
                } else if field != 0 || number != *slot + 1 || !pattern.has_point {
                    return None;
                }
            }
            let is_separator = matches!(byte, b',' | b';' | b' ' | b'\t');
            if byte == b'.' && column == t && !pattern.has_point {
                pattern.has_point = true;
            } else if is_separator || is_last || byte == b'\r' && end + 2 == bytes.len() {
                column += 1;
            } else if columns.at.contains(&column) {
                return None;
            }
            begin = end + 1;
        }
        let columns_found = column - usize::from(pattern.is_last_empty);
        (columns_found == columns.count && !pattern.at.contains(&usize::MAX)).then_some(pattern)
    }
}

/// Working memory for a block, which is reused.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// Offsets of the bytes that are not digits.
    offsets: Box<[u16; STRETCH + 64]>,
    t: Box<[i64; LINES]>,
    x: Box<[u16; LINES]>,
    y: Box<[u16; LINES]>,
    p: Box<[u8; LINES]>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            offsets: Box::new([0; STRETCH + 64]),
            t: Box::new([0; LINES]),
            x: Box::new([0; LINES]),
            y: Box::new([0; LINES]),
            p: Box::new([0; LINES]),
        }
    }
}

/// How lines are to be decoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub columns: &'a Columns,
    pub pattern: &'a Pattern,
    /// The longest line that is allowed, in bytes.
    pub longest: usize,
}

/// Decodes lines at `bytes[at..]` to `batch`, at most [`LINES`]. Stops before a line that does not
/// fit the pattern or is too long. Returns the offset of that line, and the number of decoded
/// lines.
pub(crate) fn lines(
    bytes: &[u8],
    at: usize,
    reading: Reading<'_>,
    scratch: &mut Scratch,
    batch: &mut EventBatch,
) -> (usize, usize) {
    let &Pattern { at: fields, count, has_point, .. } = reading.pattern;
    let is_micros = reading.columns.unit == TimeUnit::Microseconds && !has_point;
    let (end, n) = match (count, fields) {
        (4, [0, 1, 2, 3]) if is_micros => lines_of::<4, TXYP>(bytes, at, reading, scratch),
        (4, [3, 0, 1, 2]) if is_micros => lines_of::<4, XYPT>(bytes, at, reading, scratch),
        (4, _) => lines_of::<4, ANY_ORDER>(bytes, at, reading, scratch),
        (5, _) => lines_of::<5, ANY_ORDER>(bytes, at, reading, scratch),
        (6, _) => lines_of::<6, ANY_ORDER>(bytes, at, reading, scratch),
        (7, _) => lines_of::<7, ANY_ORDER>(bytes, at, reading, scratch),
        (ENDS, _) => lines_of::<ENDS, ANY_ORDER>(bytes, at, reading, scratch),
        _ => (at, 0),
    };
    batch.t.extend_from_slice(&scratch.t[..n]);
    batch.x.extend_from_slice(&scratch.x[..n]);
    batch.y.extend_from_slice(&scratch.y[..n]);
    batch.p.extend_from_slice(&scratch.p[..n]);
    (end, n)
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
fn lines_of<const N: usize, const ORDER: usize>(
    bytes: &[u8],
    start: usize,
    reading: Reading<'_>,
    scratch: &mut Scratch,
) -> (usize, usize) {
    let Reading { columns, pattern, longest } = reading;
    let stretch = &bytes[start..bytes.len().min(start + STRETCH)];
    let Scratch { offsets, t, x, y, p } = scratch;
    let ends = gather(stretch, offsets);
    let (mut begin, mut n) = (start, 0);
    let slots = t.iter_mut().zip(x.iter_mut()).zip(y.iter_mut().zip(p.iter_mut()));
    for (ends, ((t, x), (y, p))) in offsets[..ends].as_chunks::<N>().0.iter().zip(slots) {
        let ends = ends.map(|end| start + usize::from(end));
        let end = ends[N - 1] + 1;
        let event = event::<N, ORDER>(bytes, begin, &ends, columns, pattern);
        let Some(event) = event.filter(|_| end - begin <= longest) else { break };
        (*t, *x, *y, *p) = event;
        n += 1;
        begin = end;
    }
    (begin, n)
}

/// Collects the offsets of the bytes that are not digits; returns their number.
#[inline(always)]
fn gather(stretch: &[u8], offsets: &mut [u16; STRETCH + 64]) -> usize {
    let mut n = 0;
    let (blocks, tail) = stretch.as_chunks::<64>();
    let mut last = [b'0'; 64];
    last[..tail.len()].copy_from_slice(tail);
    for (block, base) in blocks.iter().chain([&last]).zip((0_u16..).step_by(64)) {
        let is_end = |byte: u8| byte.wrapping_sub(b'0') > 9;
        let mut mask = (0..64).fold(0, |mask, i| mask | u64::from(is_end(block[i])) << i);
        let ones = mask.count_ones() as usize;
        // Offsets are written in groups of eight; the excess is overwritten by the next group.
        let mut done = 0;
        while done < ones {
            let Some(to) = offsets.get_mut(n + done..).and_then(|to| to.first_chunk_mut::<8>())
            else {
                break;
            };
            for slot in to {
                *slot = base + mask.trailing_zeros() as u16;
                mask &= mask.wrapping_sub(1);
            }
            done += 8;
        }
        n += ones;
    }
    n
}

/// Decodes the line at `begin`, whose numbers end at `ends`.
#[inline(always)]
fn event<const N: usize, const ORDER: usize>(
    bytes: &[u8],
    begin: usize,
    ends: &[usize; N],
    columns: &Columns,
    pattern: &Pattern,
) -> Option<(i64, u16, u16, u8)> {
    let mut is_like = (0..N).fold(true, |like, i| {
        like & bytes.get(ends[i]).is_some_and(|&byte| byte == pattern.ends[i % ENDS])
    });
    let number = |i: usize| {
        let from = if i == 0 { begin } else { ends[(i - 1) % N] + 1 };
        let end = ends[i % N];
        (end, end - from)
    };
    if N > 4 {
        // Numbers that are not used here must be there as well. Of four, all are used.
        for i in 0..N {
            let is_empty = i + 1 == N && pattern.is_last_empty;
            is_like &= (number(i).1 == 0) == is_empty;
        }
    }
    // If the order is known at compile time, no lookup is needed.
    let at = match ORDER {
        TXYP => [0, 1, 2, 3],
        XYPT => [3, 0, 1, 2],
        _ => pattern.at,
    };
    let [t, x, y, p] = at.map(number);
    let (x, y) = pair(bytes, x, y)?;
    let on = bytes.get(p.0.wrapping_sub(1))?.wrapping_sub(pattern.off);
    let mut time = long(bytes, t)?;
    if !is_like | (p.1 != 1) | (on > 1) {
        return None;
    }
    let mut decimals = 0;
    if N > 4 && pattern.has_point {
        let fraction = number(at[0] + 1);
        let power = POWERS.get(fraction.1)?;
        if t.1 + fraction.1 > 18 {
            return None;
        }
        time = time * power + long(bytes, fraction)?;
        decimals = fraction.1 as u32;
    }
    // Sixteen digits always fit.
    let is_micros = ORDER != ANY_ORDER;
    let t = if is_micros { time as i64 } else { scaled(time, decimals, columns.unit)? };
    Some((t, x, y, on))
}

#[cfg(test)]
mod tests {
    use super::super::digits::DIGITS;
    use super::*;

    /// A small random number generator, so that every run tests the same bytes.
    fn next(state: &mut u64) -> usize {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 20) as usize
    }

    /// Decodes line by line up to the first line that is not an event.
    fn slowly(bytes: &[u8], mut at: usize, reading: Reading<'_>) -> EventBatch {
        let mut batch = EventBatch::new();
        while at < bytes.len() {
            let used = reading.columns.line_len(&bytes[at..]);
            let Line::Event(event) = line::parse(&bytes[at..at + used], reading.columns) else {
                break;
            };
            batch.push(event);
            at += used;
        }
        batch
    }

    /// Asserts that both ways of decoding give the same events. The fast way may stop earlier, but
    /// only before a line that does not fit the pattern. Returns how many lines it decoded.
    fn check(text: &[u8], columns: &Columns) -> usize {
        let at = columns.line_len(text).max(DIGITS).min(text.len());
        let Some(pattern) = Pattern::of(&text[at..], columns) else { return 0 };
        let reading = Reading { columns, pattern: &pattern, longest: 60 };
        let expected = slowly(text, at, reading);
        let (mut batch, mut scratch, mut end) = (EventBatch::new(), Scratch::default(), at);
        loop {
            let (next, n) = lines(text, end, reading, &mut scratch, &mut batch);
            if n == 0 {
                break;
            }
            end = next;
        }
        let expected: EventBatch = expected.iter().take(batch.len()).collect();
        assert_eq!(batch, expected, "{:?}", String::from_utf8_lossy(&text[..text.len().min(200)]));
        batch.len()
    }

    fn columns(at: [usize; 4], unit: TimeUnit) -> Columns {
        Columns::new(4, at, unit)
    }

    const ORDERS: [[usize; 4]; 4] = [[0, 1, 2, 3], [3, 0, 1, 2], [2, 0, 1, 3], [1, 3, 2, 0]];

    #[test]
    fn plain_lines_are_all_taken() {
        let mut state = 0x1234_5678_9abc_def1;
        for (round, at) in ORDERS.iter().cycle().take(40).enumerate() {
            let separator = [",", " ", "\t", ";"][next(&mut state) % 4];
            let (mut text, digits) = (String::from("0123456789\n"), 1 + round as u32 % 15);
            let has_point = round % 3 == 0;
            for _ in 0..1000 {
                let mut fields = [const { String::new() }; 4];
                let t = next(&mut state) as u64 % 10_u64.pow(digits);
                fields[at[0]] = match has_point {
                    true => format!("{}.{:06}", t % 10_u64.pow(digits.min(10)), t % 1_000_000),
                    false => t.to_string(),
                };
                fields[at[1]] = (next(&mut state) % 10_000).to_string();
                fields[at[2]] = (next(&mut state) % 1000).to_string();
                fields[at[3]] = (next(&mut state) % 2).to_string();
                text += &fields.join(separator);
                text += "\n";
            }
            let unit = if has_point { TimeUnit::Seconds } else { TimeUnit::Microseconds };
            assert_eq!(check(text.as_bytes(), &columns(*at, unit)), 1000, "{text}");
        }
    }

    #[test]
    fn lines_with_more_columns_and_other_ends_are_taken() {
        let micros = columns([0, 1, 2, 3], TimeUnit::Microseconds);
        let five = Columns::new(5, [4, 1, 2, 3], TimeUnit::Seconds);
        let mac = Columns { line_end: b'\r', ..micros };
        for (row, columns, expected) in [
            ("1500,3,40,1\r\n", micros, 100),
            ("1500,3,40,1,\n", micros, 100),
            ("1500;3;40;1\r", mac, 100),
            ("7 3 40 1 0.001500\r\n", five, 100),
            ("0.5,3,40,1,15\n", five, 100),
            // Spaces after commas, more separators at the end, signs and words are for the other way.
            ("1500, 3, 40, 1\n", micros, 0),
            ("1500,3,40,1,,\n", micros, 0),
            ("1500,3,40,-1\n", micros, 0),
            ("1500,3,40,True\n", micros, 0),
            ("1500,3.0,40,1\n", micros, 0),
        ] {
            let text = format!("12345678,1,1,1{row}{}", row.repeat(100));
            assert_eq!(check(text.as_bytes(), &columns), expected, "{row:?}");
        }
    }

    #[test]
    fn any_other_line_stops_it_or_is_the_same() {
        const FIELDS: [&str; 16] = [
            "0",
            "1",
            "65535",
            "65536",
            "123456789",
            "1.5",
            "-1",
            "007",
            "",
            "1e3",
            "True",
            " 2",
            "3.",
            "1234567890123456",
            "123456789012345678",
            "0.000000000000000001",
        ];
        let mut state = 0xfeed_f00d_dead_beef;
        for round in 0..4000 {
            let mut text = String::from("12345678,4,4,1\n");
            let is_point = round % 2 == 0;
            for _ in 0..1 + next(&mut state) % 6 {
                text += if is_point { "0.001500 3 40 1\n" } else { "1500,3,40,1\n" };
            }
            for _ in 0..8 {
                let fields: Vec<_> =
                    (0..3 + next(&mut state) % 3).map(|_| FIELDS[next(&mut state) % 16]).collect();
                text += &fields.join([",", " ", ",", ";"][next(&mut state) % 4]);
                text += ["\n", "\n", "\r\n", "\n\n"][next(&mut state) % 4];
            }
            let mut bytes = text.into_bytes();
            let at = next(&mut state) % bytes.len();
            if round % 5 > 0 {
                bytes[at] = next(&mut state) as u8;
            }
            for order in ORDERS {
                for unit in [TimeUnit::Seconds, TimeUnit::Microseconds, TimeUnit::Nanoseconds] {
                    let four = columns(order, unit);
                    let certain = Columns { separator: Some(b','), ..Columns::new(5, order, unit) };
                    let mac = Columns { line_end: b'\r', ..four };
                    for columns in [four, certain, mac] {
                        check(&bytes, &columns);
                    }
                }
            }
        }
    }
}
