//! What decompressors of the Lempel-Ziv family do: bytes are repeated from earlier output.

/// How many bytes are copied at once where there is room for it.
const WIDE: usize = 16;
const HALF: usize = 8;

/// Writes `length` bytes at `at` that equal those from `distance` bytes before on. With a distance
/// below the length, the bytes repeat themselves.
///
/// Bytes after these may be overwritten with anything, but none outside `out`. The caller has
/// checked that `distance` is between 1 and `at`, and that `at + length` is within `out`.
#[inline(always)]
pub(super) fn repeat(out: &mut [u8], at: usize, distance: usize, length: usize) {
    let from = at - distance;
    if length + WIDE > out.len() - at {
        repeat_exactly(out, at, distance, length);
    } else if distance >= WIDE {
        // Copies of a constant length are one load and one store. What the last one writes too
        // much is written again later.
        let mut done = 0;
        while done < length {
            out.copy_within(from + done..from + done + WIDE, at + done);
            done += WIDE;
        }
    } else if distance >= HALF {
        let mut done = 0;
        while done < length {
            out.copy_within(from + done..from + done + HALF, at + done);
            done += HALF;
        }
    } else {
        repeat_pattern(out, at, distance, length);
    }
}

/// Distances below [`HALF`], where there is room: a pattern of whole repetitions is written again
/// and again.
fn repeat_pattern(out: &mut [u8], at: usize, distance: usize, length: usize) {
    let Some(start) = out[at - distance..].first_chunk::<HALF>() else { return };
    let word = u64::from_le_bytes(*start);
    // The usual distances are the sizes of elements, for which a multiplication repeats the bytes.
    let pattern = match distance {
        1 => (word & 0xff) * 0x0101_0101_0101_0101,
        2 => (word & 0xffff) * 0x0001_0001_0001_0001,
        4 => (word & 0xffff_ffff) * 0x0000_0001_0000_0001,
        n => {
            let once = word & ((1 << (8 * n)) - 1);
            once | once << (8 * n)
        }
    };
    if matches!(distance, 1 | 2 | 4) {
        let pattern = (u128::from(pattern) << 64 | u128::from(pattern)).to_le_bytes();
        for out in out[at..].as_chunks_mut().0.iter_mut().take(length.div_ceil(WIDE)) {
            *out = pattern;
        }
        return;
    }
    let (pattern, step) = (pattern.to_le_bytes(), HALF - HALF % distance);
    let mut done = 0;
    while done < length {
        out[at + done..at + done + HALF].copy_from_slice(&pattern);
        done += step;
    }
}

/// Without room for bytes that are too many.
fn repeat_exactly(out: &mut [u8], at: usize, distance: usize, length: usize) {
    let from = at - distance;
    // Each round copies everything from `from` on that is there, which is a whole number of
    // repetitions.
    let mut done = 0;
    while done < length {
        let n = (distance + done).min(length - done);
        out.copy_within(from..from + n, at + done);
        done += n;
    }
}

/// Copies `length` bytes from `bytes[from..]` to `out[at..]`. Where there is room, `N` bytes are
/// copied at once, so that bytes after these are overwritten with anything. Returns `None` if one of
/// the slices is too short.
#[inline(always)]
pub(super) fn literals<const N: usize>(
    bytes: &[u8],
    from: usize,
    out: &mut [u8],
    at: usize,
    length: usize,
) -> Option<()> {
    let (bytes, out) = (bytes.get(from..)?, out.get_mut(at..)?);
    if length + N > bytes.len().min(out.len()) {
        out.get_mut(..length)?.copy_from_slice(bytes.get(..length)?);
        return Some(());
    }
    for (out, bytes) in
        out.as_chunks_mut::<N>().0.iter_mut().zip(bytes.as_chunks().0).take(length.div_ceil(N))
    {
        *out = *bytes;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_equal_those_byte_by_byte() {
        for distance in 1..40 {
            for length in 0..70 {
                for room in [0, 1, 15, 16, 17, 40] {
                    let mut out: Vec<u8> = (0..40).collect();
                    let mut expected = out.clone();
                    for _ in 0..length {
                        expected.push(expected[expected.len() - distance]);
                    }
                    out.resize(40 + length + room, 0);
                    repeat(&mut out, 40, distance, length);
                    assert_eq!(out[..40 + length], expected, "{distance} {length} {room}");
                }
            }
        }
    }

    #[test]
    fn literals_stay_inside() {
        let bytes = [1, 2, 3, 4, 5, 6];
        let mut out = [0; 6];
        assert!(literals::<4>(&bytes, 3, &mut out, 4, 2).is_some());
        assert_eq!(out, [0, 0, 0, 0, 4, 5]);
        assert!(literals::<4>(&bytes, 1, &mut out, 0, 2).is_some());
        assert_eq!(out[..2], [2, 3]);
        assert!(literals::<4>(&bytes, 3, &mut out, 5, 2).is_none());
        assert!(literals::<4>(&bytes, 5, &mut out, 0, 2).is_none());
    }
}
