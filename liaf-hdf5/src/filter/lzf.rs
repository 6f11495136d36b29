//! LZF, filter 32000: the compression of LibLZF that h5py brings along.
//!
//! The bytes are instructions (`lzf_d.c` of LibLZF), one after the other until they end. The first
//! byte, `c`, tells which:
//!
//! | bytes | meaning |
//! |---|---|
//! | `c` below 32 | the next `c + 1` bytes follow as they are |
//! | `c`, `d` | of the upper 3 bits of `c`, the number plus 2 is the length of a repetition; the lower 5 bits of `c` and then `d`, plus 1, are its distance |
//! | `c` from 224, `l`, `d` | the same, with the length `l + 9` |
//!
//! The size of the unpacked chunk is not in the bytes. `values` are the versions of the filter and
//! of LibLZF and the size of a chunk, none of which reading needs.

use super::bytes::{AT_ONCE, grow, set_length, too_long, too_short};
use super::matches::{literals, repeat};
use crate::error::{Error, Result};

/// The longest run of bytes as they are.
const LITERALS: usize = 32;

/// Where the next instruction is, and where its bytes go.
#[derive(Clone, Copy, Default)]
struct Position {
    packed: usize,
    out: usize,
}

/// Undoes the filter.
pub(super) fn undo(packed: &[u8], most: usize, out: &mut Vec<u8>) -> Result<()> {
    set_length(out, most.min(AT_ONCE.max(packed.len())))?;
    let mut position = Position::default();
    loop {
        position = run(packed, position, out)?;
        if position.packed == packed.len() {
            out.truncate(position.out);
            return Ok(());
        }
        if out.len() == most {
            return Err(too_long(most));
        }
        let length = out.len().saturating_mul(2).min(most);
        grow(out, length)?;
    }
}

/// Follows the instructions from `start` on, to their end or to the first that does not fit `out`.
fn run(packed: &[u8], start: Position, out: &mut [u8]) -> Result<Position> {
    let Position { packed: mut from, out: mut at } = start;
    while let Some(&control) = packed.get(from) {
        let control = usize::from(control);
        if control < LITERALS {
            let length = control + 1;
            if length > packed.len() - from - 1 {
                return Err(too_short());
            }
            if literals::<LITERALS>(packed, from + 1, out, at, length).is_none() {
                break;
            }
            from += 1 + length;
            at += length;
            continue;
        }
        let [length, low, next] = match (control >> 5, packed.get(from + 1), packed.get(from + 2)) {
            (7, Some(&length), Some(&low)) => [usize::from(length) + 9, low.into(), from + 3],
            (short @ 1..7, Some(&low), _) => [short + 2, low.into(), from + 2],
            _ => return Err(too_short()),
        };
        let distance = ((control & 31) << 8 | low) + 1;
        if distance > at {
            return Err(Error::malformed("an LZF repetition starts before the chunk"));
        }
        if length > out.len() - at {
            break;
        }
        repeat(out, at, distance, length);
        from = next;
        at += length;
    }
    Ok(Position { packed: from, out: at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn undone(packed: &[u8], most: usize) -> Result<Vec<u8>> {
        let mut out = vec![1; 3];
        undo(packed, most, &mut out)?;
        Ok(out)
    }

    #[test]
    fn instructions_are_followed() {
        // Four bytes, then 3 from 4 before, then 7 * 32 + 5 of one byte.
        let packed = [3, b'a', b'b', b'c', b'd', 0x20, 3, 0xe0, 220, 0];
        let mut expected = b"abcdabc".to_vec();
        expected.extend([b'c'; 229]);
        assert_eq!(undone(&packed, 236).unwrap(), expected);
        assert_eq!(undone(&packed, usize::MAX).unwrap(), expected);
        for most in 0..236 {
            let error = undone(&packed, most).unwrap_err();
            assert!(error.to_string().contains("unpacks to more than"), "{most}: {error}");
        }
        assert!(undone(&[], 0).unwrap().is_empty());
    }

    #[test]
    fn distances_use_all_bits() {
        let mut packed = Vec::new();
        for i in 0..256_usize {
            packed.push(31);
            packed.extend((0..32).map(|j| (i * 7 + j * 3) as u8));
        }
        packed.extend([0x20 | 31, 255]);
        let out = undone(&packed, 8195).unwrap();
        assert_eq!(out[8192..], out[..3]);
        packed[0] = 30;
        packed.remove(1);
        let error = undone(&packed, 8195).unwrap_err();
        assert_eq!(error.to_string(), "an LZF repetition starts before the chunk");
    }

    #[test]
    fn every_cut_inside_an_instruction_is_an_error() {
        let packed = [3, b'a', b'b', b'c', b'd', 0x20, 3, 0xe0, 220, 0];
        for length in 1..packed.len() {
            let is_whole = matches!(length, 5 | 7);
            match undone(&packed[..length], 1000) {
                Ok(_) => assert!(is_whole, "{length}"),
                Err(error) => {
                    assert!(!is_whole && error.kind() == ErrorKind::Truncated, "{length}");
                }
            }
        }
    }

    #[test]
    fn long_results_grow() {
        let mut packed = vec![0, 5];
        let times = 2 * AT_ONCE / 264 + 7;
        packed.extend([0xe0, 255, 0].repeat(times));
        let out = undone(&packed, usize::MAX).unwrap();
        assert!(out.len() == 1 + 264 * times && out.iter().all(|&byte| byte == 5));
    }
}
