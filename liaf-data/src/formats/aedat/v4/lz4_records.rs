//! Compression of event records to one LZ4 block.
//!
//! A general compressor searches for matches at every byte. For records of 16 bytes (time in 8
//! bytes, then x, y, p) it is known where to search: at the same offset of an earlier record. Each
//! record therefore becomes at most two sequences: the low bytes of its time as literals and the
//! rest of the time as a match, and the same for x, y and p. It becomes one sequence if an earlier
//! event was of the same pixel and polarity. Both sequences are always computed and written, and
//! the amount by which the output advances decides which of them remain: the next event cannot be
//! predicted, so that branches would often be mispredicted.
//!
//! This is why it is not `lz4_flex`: timed side by side on one thread, on packets of 8192 events of
//! seven recordings, it takes 11.3 to 11.8 ns for an event, and `lz4_flex` 0.14 takes 20.5 to 27.6;
//! its output is between 14 % smaller and 28 % larger (the table is in `docs/benchmarks.md`).
//!
//! Source: LZ4 Block Format Description, lz4 1.9. The format of a block is described in `lz4.rs`.

use std::hint::select_unpredictable as select;

use multiversion::multiversion;

/// Size of a record in bytes.
const RECORD: usize = 16;
/// Largest distance of a match, in records.
const REACH: usize = 4095;
/// Number of records whose indices fit into the tables.
const MOST: usize = 1 << 16;
const PIXELS: usize = 1 << 12;
const ROWS: usize = 1 << 11;
/// Maximum size of the two sequences of a record in the fast loop. Whole words are written into
/// this window.
const WINDOW: usize = 32;
/// The shortest match.
const MATCH: usize = 4;

/// The records in which pixels and rows were last seen in a block. The tables are reused for each
/// block.
pub(crate) struct Seen {
    /// Indices of records by x, y and p.
    pixels: [u16; PIXELS],
    /// Indices of records by the low bits of y, and p.
    rows: [u16; ROWS],
}

impl Default for Seen {
    fn default() -> Self {
        Self { pixels: [0; PIXELS], rows: [0; ROWS] }
    }
}

/// Appends `plain` to `out` as one block. The records start at byte `head`. The block is valid
/// whatever the bytes are, and small if they are records of events.
pub(crate) fn compress(plain: &[u8], head: usize, seen: &mut Seen, out: &mut Vec<u8>) {
    let start = out.len();
    // Enough for all of it as literals, and for the excess that is written after the end.
    out.resize(start + plain.len() + plain.len() / 255 + 2 * WINDOW, 0);
    let end = records(plain, head.min(plain.len()), seen, &mut out[start..]);
    out.truncate(start + end);
}

/// Splits a record into the time, and x, y, p.
#[inline(always)]
fn halves(record: &[u8; RECORD]) -> (u64, u64) {
    let record = u128::from_le_bytes(*record);
    (record as u64, (record >> 64) as u64)
}

#[inline(always)]
fn hash(value: u64) -> usize {
    (value.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52) as usize % PIXELS
}

/// Number of bytes up to the last one that is not 0.
#[inline(always)]
fn used(word: u64) -> usize {
    8 - word.leading_zeros() as usize / 8
}

/// A sequence of up to four `literals`, the low bytes of `bytes`, and the match after them.
#[inline(always)]
fn sequence(literals: usize, len: usize, bytes: u64, back: usize) -> u64 {
    let bits = (8 * literals as u32) & 63;
    let token = (literals << 4 | (len - MATCH)) as u64;
    token | (bytes & ((1 << bits) - 1)) << 8 | ((back * RECORD) as u64) << ((bits + 8) & 63)
}

/// The earlier record that is most similar to a new one, and the differences.
struct Like {
    /// How many records earlier it is.
    back: usize,
    /// The bits that differ: of the time, and of x, y, p.
    t: u64,
    u: u64,
}

impl Like {
    /// Whether the equal parts of both halves are long enough to be a match.
    #[inline(always)]
    fn is_near(&self) -> bool {
        ((self.t | self.u) >> 32 == 0) & (self.back <= REACH)
    }
}

#[multiversion(targets("x86_64+avx2+bmi1+bmi2+lzcnt"))]
fn records(plain: &[u8], head: usize, seen: &mut Seen, out: &mut [u8]) -> usize {
    seen.pixels.fill(0);
    seen.rows.fill(0);
    let records = plain[head..].as_chunks::<RECORD>().0;
    // The last five bytes of a block must be literals: these are the last record and any bytes
    // after it.
    let inner = &records[..records.len().min(MOST).saturating_sub(1)];
    // The last record of each polarity.
    let mut last = [0; 2];
    let mut rest = Rest { at: 0, end: 0 };
    // The last sequence, its offset and length, and the distance of its match. The next record may
    // extend that match if it was a match of x, y, p.
    let (mut open, mut at, mut len, mut open_back) = (0_u64, 0, 0, usize::MAX);
    let mut before = inner.first().map_or((0, 0), halves);
    let mut i = 1;
    while i < inner.len() {
        let is_whole = rest.end == head + i * RECORD;
        let mut odd = None;
        for record in &inner[i..] {
            let (t, u) = halves(record);
            let pixel = replace(&mut seen.pixels[hash(u)], i);
            let row = replace(&mut seen.rows[row_of(u)], i);
            let same_p = std::mem::replace(&mut last[(u >> 32) as usize & 1], i);
            let is_pixel = (halves(&inner[pixel]).1 == u) & (i - pixel <= REACH);
            let is_row = ((halves(&inner[row]).1 ^ u) >> 16 == 0) & (i - row <= REACH);
            let is_now = (t == before.0) & ((u ^ before.1) >> 32 == 0);
            let like = select(is_now, i - 1, select(is_row, row, same_p));
            let like = select(is_pixel, pixel, like);
            let (t_like, u_like) = halves(&inner[like]);
            let like = Like { back: i - like, t: t ^ t_like, u: u ^ u_like };
            before = (t, u);
            i += 1;
            if !like.is_near() | !is_whole {
                odd = Some(like);
                break;
            }
            let back = like.back;
            let (t_used, u_used) = (used(like.t), used(like.u));
            let goes_on = (like.t == 0) & !is_pixel & (back == open_back);
            let to = &mut out[at..at + WINDOW];
            to[..8].copy_from_slice(&(open + select(goes_on, 8, 0)).to_le_bytes());
            let first = sequence(t_used, 8 - t_used + select(is_pixel, 8, 0), t, back);
            to[len & 7..][..8].copy_from_slice(&first.to_le_bytes());
            let next = (len & 7) + select(goes_on, 0, t_used + 3);
            open = sequence(u_used, 8 - u_used, u, back);
            to[next & 15..][..8].copy_from_slice(&open.to_le_bytes());
            at += next;
            len = select(is_pixel, 0, u_used + 3);
            open_back = select(is_pixel, usize::MAX, back);
        }
        let done = head + (i - usize::from(odd.is_some())) * RECORD;
        if is_whole {
            rest.end = done;
        }
        if let Some(like) = odd {
            rest.record(plain, done, &like, out, at + len);
            (open, at, len, open_back) = (0, rest.at, 0, usize::MAX);
        }
    }
    rest.sequence(&plain[rest.end..], 0, out, at + len)
}

#[inline(always)]
fn row_of(u: u64) -> usize {
    (u >> 16 & 1023 | u >> 22 & 1024) as usize % ROWS
}

/// Stores the index of a record in a table, and returns the index that was stored before.
#[inline(always)]
fn replace(slot: &mut u16, i: usize) -> usize {
    usize::from(std::mem::replace(slot, i as u16))
}

/// Writes records that are not similar to others, one sequence after the other.
struct Rest {
    /// The end of the output.
    at: usize,
    /// The end of the part of `plain` that has been written.
    end: usize,
}

impl Rest {
    /// Writes the record at `from` to `out[at..]`. Its last bytes may become literals of the next
    /// sequence.
    #[cold]
    fn record(&mut self, plain: &[u8], from: usize, like: &Like, out: &mut [u8], at: usize) {
        self.at = at;
        for (half, new) in [(from, like.t), (from + 8, like.u)] {
            let used = used(new);
            if 8 - used >= MATCH && like.back <= REACH {
                let at = self.sequence(&plain[self.end..half + used], 8 - used, out, self.at);
                self.at = put(out, at, &((like.back * RECORD) as u16).to_le_bytes());
                self.end = half + 8;
            }
        }
    }

    /// Writes the token of a sequence and its literals; returns the end of the output.
    fn sequence(&self, literals: &[u8], len: usize, out: &mut [u8], at: usize) -> usize {
        let short = literals.len().min(15);
        let mut at = put(out, at, &[(short << 4 | len.saturating_sub(MATCH)) as u8]);
        if short == 15 {
            let more = literals.len() - 15;
            out[at..at + more / 255].fill(255);
            at = put(out, at + more / 255, &[(more % 255) as u8]);
        }
        put(out, at, literals)
    }
}

fn put(out: &mut [u8], at: usize, bytes: &[u8]) -> usize {
    out[at..at + bytes.len()].copy_from_slice(bytes);
    at + bytes.len()
}

#[cfg(test)]
mod tests {
    use super::super::lz4;
    use super::*;

    /// A small random number generator, so that every run tests the same bytes.
    fn next(state: &mut u64) -> u64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state >> 20
    }

    fn packed(plain: &[u8], head: usize, seen: &mut Seen) -> Vec<u8> {
        let mut out = vec![0xee; 3];
        compress(plain, head, seen, &mut out);
        assert_eq!(&out[..3], [0xee; 3]);
        out.split_off(3)
    }

    /// Asserts that a block decodes to the same bytes with this decoder and another one, and that
    /// it obeys the rules for the end of a block.
    fn check(plain: &[u8], head: usize, seen: &mut Seen) -> usize {
        let block = packed(plain, head, seen);
        let again = lz4_flex::block::decompress(&block, plain.len()).unwrap();
        assert!(again == plain, "{} bytes, head {head}", plain.len());
        let mut ours = vec![0; plain.len()];
        assert_eq!(lz4::decode(&block, &mut ours, 0), Ok(plain.len()));
        assert!(ours == plain);
        assert_eq!(block, packed(plain, head, &mut Seen::default()), "tables are used again");
        block.len()
    }

    fn event(t: i64, x: u64, y: u64, p: u64) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        bytes[..8].copy_from_slice(&t.to_le_bytes());
        bytes[8..]
            .copy_from_slice(&(x & 0xffff | (y & 0xffff) << 16 | (p & 1) << 32).to_le_bytes());
        bytes
    }

    /// `n` events of one kind after 32 other bytes.
    fn events(kind: u64, n: usize, state: &mut u64) -> Vec<u8> {
        let mut plain: Vec<u8> = (0..32).map(|i| i * 7).collect();
        let (mut t, mut x, mut y, mut p) = (1_700_000_000_000_000_i64, 5, 5, 0);
        for i in 0..n as u64 {
            match kind {
                // Rows whose pixels fire together.
                0 if !next(state).is_multiple_of(3) => x += 1,
                0 => (t, x, y, p) = (t + 40, next(state) % 300, next(state) % 200, next(state)),
                // A few pixels, at any time.
                1 => (t, x, y) = (t + (next(state) % 999) as i64, 7 * (next(state) % 9), x % 5),
                // Many pixels at the same time, in order.
                2 => (x, y, p) = (i % 640, i / 640, i / 3000),
                // All events are the same.
                3 => {}
                // Times that jump, and random coordinates.
                4 => (t, x, y) = ((next(state) << 19) as i64, next(state), next(state)),
                // No pixel has another event within reach.
                _ => (t, x, y, p) = (t + 1, i % 5000, 3, i / 4500),
            }
            plain.extend(event(t, x, y, p));
        }
        plain
    }

    #[test]
    fn blocks_decode_to_what_they_were_made_of() {
        let (mut state, mut seen) = (0x1234_5678_9abc_def1, Seen::default());
        for kind in 0..6 {
            for n in [0, 1, 2, 3, 4, 5, 30, 255, 4095, 4096, 4097, 8192, 12_000] {
                let plain = events(kind, n, &mut state);
                check(&plain, 32, &mut seen);
                check(&plain[..plain.len() - next(&mut state) as usize % 32], 32, &mut seen);
            }
        }
        for _ in 0..300 {
            let mut plain = events(next(&mut state) % 6, 300, &mut state);
            for _ in 0..next(&mut state) % 60 {
                let at = next(&mut state) as usize % plain.len();
                plain[at] = next(&mut state) as u8;
            }
            check(&plain, next(&mut state) as usize % 100, &mut seen);
            check(&plain, 9999, &mut seen);
        }
    }

    #[test]
    fn noise_hardly_grows() {
        let mut state = 0xfeed_f00d_dead_beef;
        let noise: Vec<u8> = (0..100_000).map(|_| next(&mut state) as u8).collect();
        let size = check(&noise, 0, &mut Seen::default());
        assert!(size < 100_000 + 100_000 / 250, "{size}");
    }

    #[test]
    fn blocks_of_events_are_about_as_small_as_others_make_them() {
        let mut state = 0x0dd0_cafe_0dd0_cafe;
        for kind in 0..3 {
            let plain = events(kind, 8192, &mut state);
            let ours = check(&plain, 32, &mut Seen::default());
            let theirs = lz4_flex::block::compress(&plain).len();
            assert!(10 * ours < 11 * theirs, "kind {kind}: {ours} instead of {theirs} bytes");
        }
    }
}
