//! What decompressors of the Lempel-Ziv family do: bytes are repeated from earlier output.

/// How many bytes are copied at once where there is room for it.
const WIDE: usize = 16;

/// Writes `length` bytes at `at` that equal those from `distance` bytes before on. With a distance
/// below the length, the bytes repeat themselves.
///
/// Bytes after these may be overwritten with anything, but none outside `out`. The caller has
/// checked that `distance` is between 1 and `at`, and that `at + length` is within `out`.
#[inline(always)]
pub(super) fn repeat(out: &mut [u8], at: usize, distance: usize, length: usize) {
    let from = at - distance;
    if distance >= WIDE && length + WIDE <= out.len() - at {
        // Copies of a constant length are one load and one store. What the last one writes too
        // much is written again later.
        let mut done = 0;
        while done < length {
            out.copy_within(from + done..from + done + WIDE, at + done);
            done += WIDE;
        }
    } else {
        repeat_exactly(out, at, distance, length);
    }
}

/// The cases that are rare or need care: short distances, and the end of the output.
fn repeat_exactly(out: &mut [u8], at: usize, distance: usize, length: usize) {
    let from = at - distance;
    if distance == 1 {
        let byte = out[from];
        out[at..at + length].fill(byte);
        return;
    }
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
/// copied at once, so `length` may be at most `N`; bytes after these are overwritten with anything.
/// Returns `None`, and copies nothing, if one of the slices is too short.
#[inline(always)]
pub(super) fn literals<const N: usize>(
    bytes: &[u8],
    from: usize,
    out: &mut [u8],
    at: usize,
    length: usize,
) -> Option<()> {
    if let (Some(source), Some(target)) = (bytes.get(from..from + N), out.get_mut(at..at + N)) {
        target.copy_from_slice(source);
    } else {
        out.get_mut(at..at + length)?.copy_from_slice(bytes.get(from..from + length)?);
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
