//! BloscLZ: the compression of Blosc's own, used inside its chunks.
//!
//! The bytes are instructions (`blosclz.c` of C-Blosc), one after the other until they end. The
//! first byte, `c`, tells which; in the very first instruction its upper 3 bits are ignored, as there
//! is nothing to repeat:
//!
//! | bytes | meaning |
//! |---|---|
//! | `c` below 32 | the next `c + 1` bytes follow as they are |
//! | `c`, `d` | of the upper 3 bits of `c`, the number plus 2 is the length of a repetition; the lower 5 bits of `c` and then `d`, plus 1, are its distance |
//! | `c` from 224, `l`…, `d` | the same, with all `l` added to the length; the last `l` is the first that is not 255 |
//!
//! If all 13 bits of the distance are ones, 2 bytes follow, the most significant first, and the
//! distance is their number plus 8192.

use super::bytes::too_short;
use super::matches::{literals, repeat};
use crate::error::{Error, Result};

/// The longest run of bytes as they are.
const LITERALS: usize = 32;
/// The distance whose 13 bits are ones, which stands for a longer one.
const FAR: usize = 8192;

/// Unpacks instructions that must fill `out`.
pub(super) fn undo_block(packed: &[u8], out: &mut [u8]) -> Result<()> {
    let (mut from, mut at) = (0, 0);
    let mut mask = 31;
    while let Some(&control) = packed.get(from) {
        let control = usize::from(control & mask);
        mask = 255;
        from += 1;
        if control < LITERALS {
            let length = control + 1;
            if length > packed.len() - from {
                return Err(too_short());
            }
            literals::<LITERALS>(packed, from, out, at, length).ok_or_else(wrong_length)?;
            from += length;
            at += length;
            continue;
        }
        let mut next = || {
            let byte = packed.get(from).copied().ok_or_else(too_short)?;
            from += 1;
            Ok::<_, Error>(usize::from(byte))
        };
        let mut length = (control >> 5) + 2;
        if length == 9 {
            loop {
                let more = next()?;
                length = length.saturating_add(more);
                if more != 255 {
                    break;
                }
            }
        }
        let mut distance = ((control & 31) << 8 | next()?) + 1;
        if distance == FAR {
            distance += next()? << 8 | next()?;
        }
        if distance > at {
            return Err(Error::malformed("a BloscLZ repetition starts before its block"));
        }
        if length > out.len() - at {
            return Err(wrong_length());
        }
        repeat(out, at, distance, length);
        at += length;
    }
    if at == out.len() { Ok(()) } else { Err(wrong_length()) }
}

fn wrong_length() -> Error {
    Error::malformed("a BloscLZ block does not have the length of its block")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::filter::testing::noise;

    fn undone(packed: &[u8], length: usize) -> Result<Vec<u8>> {
        let mut out = vec![0; length];
        undo_block(packed, &mut out)?;
        Ok(out)
    }

    #[test]
    fn instructions_are_followed() {
        // The first byte has a mark of the version in its upper bits.
        let packed = [0x20 | 3, b'a', b'b', b'c', b'd', 0x20, 3, 0xe0, 255, 1, 0, 0, b'x'];
        let mut expected = b"abcdabc".to_vec();
        expected.extend([b'c'; 9 + 255 + 1]);
        expected.push(b'x');
        assert_eq!(undone(&packed, expected.len()).unwrap(), expected);
        for length in (0..400).filter(|&length| length != expected.len()) {
            assert_eq!(undone(&packed, length).unwrap_err().kind(), ErrorKind::Malformed);
        }
        for cut in 1..packed.len() {
            assert!(undone(&packed[..cut], expected.len()).is_err(), "{cut}");
        }
        assert!(undone(&[], 1).is_err());
        assert!(undone(&[], 0).unwrap().is_empty());
    }

    #[test]
    fn long_distances_have_two_more_bytes() {
        let bytes = noise(6, 9000);
        let mut packed = Vec::new();
        for run in bytes.chunks(32) {
            packed.push(run.len() as u8 - 1);
            packed.extend(run);
        }
        let near = [&packed[..], &[0x20 | 31, 254]].concat();
        assert_eq!(undone(&near, 9003).unwrap()[9000..], bytes[9000 - 8191..][..3]);
        let far = [&packed[..], &[0x20 | 31, 255, 1, 2]].concat();
        assert_eq!(undone(&far, 9003).unwrap()[9000..], bytes[9000 - 8192 - 258..][..3]);
        let outside = [&packed[..], &[0x20 | 31, 255, 3, 41]].concat();
        let error = undone(&outside, 9003).unwrap_err();
        assert_eq!(error.to_string(), "a BloscLZ repetition starts before its block");
    }
}
