//! ECF, the coding of the chunks of Prophesee's HDF5 recordings.
//!
#![doc = include_str!("../../../../docs/formats/ecf.md")]

use crate::error::{self, Error};
use crate::model::EventBatch;

/// The largest number of events in a chunk.
const MOST: usize = 65_535;

/// What is wrong with a chunk.
pub(crate) type Fault = &'static str;

const CUT: Fault = "the chunk ends too early";
const TOO_MANY: Fault = "the chunk contains more events than it states";

/// Appends the events of one ECF chunk (HDF5 filter 36559, as in Prophesee's recordings) to `batch`. If
/// the chunk is damaged, `batch` is left unchanged. The bytes of the chunk are those in the file.
///
/// # Errors
/// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) if the chunk is damaged.
pub fn decode_ecf_chunk(chunk: &[u8], batch: &mut EventBatch) -> error::Result<()> {
    decode(chunk, batch).map_err(Error::malformed)
}

/// As [`decode_ecf_chunk`], with a short description of the fault.
pub(crate) fn decode(chunk: &[u8], batch: &mut EventBatch) -> Result<(), Fault> {
    let before = batch.len();
    let result = decode_columns(chunk, batch);
    if result.is_err() {
        batch.truncate(before);
    }
    result
}

fn decode_columns(chunk: &[u8], batch: &mut EventBatch) -> Result<(), Fault> {
    let mut bytes = Bytes(chunk);
    let head = u32::from_le_bytes(bytes.take()?);
    let count = (head >> 2) as usize;
    if count > MOST {
        return Err("the chunk states more events than a chunk may have");
    }
    if count == 0 {
        return Ok(());
    }
    times(&mut bytes, count, &mut batch.t)?;
    if head & 2 != 0 {
        packed_yxp(&mut bytes, count, batch)
    } else {
        rows(&mut bytes, count, &mut batch.y)?;
        if head & 1 != 0 {
            packed_xp(&mut bytes, count, batch)
        } else {
            columns(&mut bytes, count, &mut batch.x)?;
            polarities(&mut bytes, count, &mut batch.p)
        }
    }
}

/// The bytes of a chunk that are not decoded yet.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    #[inline(always)]
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (value, rest) = self.0.split_first_chunk().ok_or(CUT)?;
        self.0 = rest;
        Ok(*value)
    }

    #[inline(always)]
    fn u8(&mut self) -> Result<u8, Fault> {
        self.take().map(|[byte]| byte)
    }

    #[inline(always)]
    fn u16(&mut self) -> Result<u16, Fault> {
        self.take().map(u16::from_le_bytes)
    }
}

/// Appends `value` to `out` `n` times, if its length does not exceed `until` then.
#[inline(always)]
fn repeat<T: Copy>(out: &mut Vec<T>, value: T, n: usize, until: usize) -> Result<(), Fault> {
    if n > until - out.len() {
        return Err(TOO_MANY);
    }
    out.extend(std::iter::repeat_n(value, n));
    Ok(())
}

fn times(bytes: &mut Bytes<'_>, count: usize, out: &mut Vec<i64>) -> Result<(), Fault> {
    let until = out.len() + count;
    let mut now = u64::from_le_bytes(bytes.take()?);
    while out.len() < until {
        let mut byte = bytes.u8()?;
        if byte >> 4 == 15 {
            let (mut step, mut shift) = (0u64, 0);
            while byte >> 4 == 15 {
                let digit = u64::from(byte & 15);
                if shift >= 64 {
                    return Err("a step of time is too large");
                }
                step |= digit << shift;
                shift += 4;
                byte = bytes.u8()?;
            }
            now = now.checked_add(step).ok_or("a step of time is too large")?;
        }
        now = now.checked_add(u64::from(byte >> 4)).ok_or("a step of time is too large")?;
        let n = match byte & 15 {
            15 => usize::from(bytes.u16()?),
            n => usize::from(n),
        };
        let time = i64::try_from(now).map_err(|_| "a time is too large")?;
        repeat(out, time, n, until)?;
    }
    Ok(())
}

fn packed_yxp(bytes: &mut Bytes<'_>, count: usize, batch: &mut EventBatch) -> Result<(), Fault> {
    let mut left = count;
    while left > 0 {
        let [w0, w1, w2] = [bytes.take()?, bytes.take()?, bytes.take()?].map(u32::from_le_bytes);
        let events =
            [w0 >> 8, w0 & 0xff | (w1 >> 16) << 8, w1 & 0xffff | (w2 >> 24) << 16, w2 & 0xff_ffff];
        for event in events.into_iter().take(left) {
            batch.y.push((event >> 12 & 0x7ff) as u16);
            batch.x.push((event >> 1 & 0x7ff) as u16);
            batch.p.push((event & 1) as u8);
        }
        left -= left.min(4);
    }
    Ok(())
}

fn rows(bytes: &mut Bytes<'_>, count: usize, out: &mut Vec<u16>) -> Result<(), Fault> {
    let until = out.len() + count;
    while out.len() < until {
        let word = bytes.u16()?;
        let n = match word & 31 {
            31 => usize::from(bytes.u16()?),
            n => usize::from(n),
        };
        repeat(out, word >> 5, n, until)?;
    }
    Ok(())
}

fn packed_xp(bytes: &mut Bytes<'_>, count: usize, batch: &mut EventBatch) -> Result<(), Fault> {
    let mut left = count;
    while left > 0 {
        let [w0, w1, w2] = [bytes.u16()?, bytes.u16()?, bytes.u16()?];
        let events = [w0 >> 4, w0 & 0xf | (w1 >> 8) << 4, w1 & 0xff | (w2 >> 12) << 8, w2 & 0xfff];
        for event in events.into_iter().take(left) {
            batch.x.push(event >> 1);
            batch.p.push((event & 1) as u8);
        }
        left -= left.min(4);
    }
    Ok(())
}

fn columns(bytes: &mut Bytes<'_>, count: usize, out: &mut Vec<u16>) -> Result<(), Fault> {
    let until = out.len() + count;
    while out.len() < until {
        let word = bytes.u16()?;
        let x = word >> 5;
        out.push(x);
        for j in (0..5).filter(|j| word >> (4 - j) & 1 == 1) {
            repeat(out, x + 1 + j, 1, until)?;
        }
    }
    Ok(())
}

fn polarities(bytes: &mut Bytes<'_>, count: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    let until = out.len() + count;
    while out.len() < until {
        let byte = bytes.u8()?;
        let n = match byte & 127 {
            127 => usize::from(bytes.u16()?),
            n => usize::from(n),
        };
        repeat(out, byte >> 7, n, until)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three events by each of the codings, put together by hand.
    fn chunks() -> [Vec<u8>; 3] {
        let times = [&1000u64.to_le_bytes()[..], &[0x01, 0xf2, 0xf1, 0x32]].concat();
        let chunk =
            |mode: u32, rest: &[u8]| [&(3u32 << 2 | mode).to_le_bytes()[..], &times, rest].concat();
        // y 5, 5, 9; x 100, 101, 300; p 1, 1, 0.
        let yxp = [5u32 << 12 | 100 << 1 | 1, 5 << 12 | 101 << 1 | 1, 9 << 12 | 300 << 1, 0];
        let w0 = yxp[0] << 8 | yxp[1] & 0xff;
        let w1 = (yxp[1] >> 8) << 16 | yxp[2] & 0xffff;
        let w2 = (yxp[2] >> 16) << 24 | yxp[3];
        let packed: Vec<u8> = [w0, w1, w2].iter().flat_map(|w| w.to_le_bytes()).collect();
        let rows: Vec<u8> =
            [5u16 << 5 | 2, 9 << 5 | 31, 1].iter().flat_map(|w| w.to_le_bytes()).collect();
        let xp = [100u16 << 1 | 1, 101 << 1 | 1, 300 << 1, 0];
        let words = [
            xp[0] << 4 | xp[1] & 0xf,
            (xp[1] >> 4) << 8 | xp[2] & 0xff,
            (xp[2] >> 8) << 12 | xp[3],
        ];
        let words: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        let masks: Vec<u8> =
            [100u16 << 5 | 0b10000, 300 << 5].iter().flat_map(|w| w.to_le_bytes()).collect();
        [
            chunk(2, &packed),
            chunk(1, &[&rows[..], &words].concat()),
            chunk(0, &[&rows[..], &masks, &[0x82, 0x7f, 1, 0]].concat()),
        ]
    }

    #[test]
    fn every_coding_gives_the_events() {
        for chunk in chunks() {
            let mut batch = EventBatch::new();
            decode(&chunk, &mut batch).unwrap();
            assert_eq!(batch.t, [1000, 1000 + 0x12 + 3, 1000 + 0x12 + 3]);
            assert_eq!((&batch.x[..], &batch.y[..]), (&[100, 101, 300][..], &[5, 5, 9][..]));
            assert_eq!(batch.p, [1, 1, 0]);
        }
    }

    #[test]
    fn broken_chunks_are_faults_and_leave_the_batch_as_it_was() {
        for chunk in chunks() {
            let mut batch: EventBatch =
                [crate::Event { t: 1, x: 2, y: 3, p: 1 }].into_iter().collect();
            for n in 0..chunk.len() {
                assert!(decode(&chunk[..n], &mut batch).is_err(), "{n} bytes");
                assert_eq!(batch.len(), 1);
            }
            for bit in 0..8 * chunk.len() {
                let mut flipped = chunk.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let _ = decode(&flipped, &mut batch);
                let len = batch.len();
                assert!(batch.x.len() == len && batch.y.len() == len && batch.p.len() == len);
                batch.truncate(1);
            }
        }
        assert!(decode(&[0xff; 64], &mut EventBatch::new()).is_err());
    }
}
