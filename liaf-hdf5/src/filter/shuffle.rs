//! Shuffle, filter 2: the first bytes of all elements, then the second bytes, and so on.
//!
//! `values[0]` is the size of an element in bytes, `k`. Of `n` whole elements the packed bytes are
//! `k` planes of `n` bytes, where plane `i` has byte `i` of each element; bytes after the last whole
//! element stay where they are. As in `H5Zshuffle.c` of the HDF5 library, which checks it, a size
//! of 0 is an error, and nothing is done for a size of 1.

use super::bytes::{length, set_length, too_long};
use crate::error::{Error, Result};

/// Undoes the filter.
pub(super) fn undo(values: &[u32], packed: &[u8], most: usize, out: &mut Vec<u8>) -> Result<()> {
    let size = match values {
        [size] if *size > 0 => length(*size),
        _ => return Err(Error::malformed("the shuffle filter does not give a size of elements")),
    };
    if packed.len() > most {
        return Err(too_long(most));
    }
    set_length(out, packed.len())?;
    unshuffle(size, packed, out);
    Ok(())
}

/// Puts the bytes of elements of `size` bytes together again. Both slices have the same length.
pub(super) fn unshuffle(size: usize, planes: &[u8], out: &mut [u8]) {
    let n = planes.len() / size.max(1);
    if size <= 1 || n <= 1 {
        out.copy_from_slice(planes);
        return;
    }
    let (planes, rest) = planes.split_at(n * size);
    let (out, out_rest) = out.split_at_mut(n * size);
    out_rest.copy_from_slice(rest);
    match size {
        2 => unshuffle_2(planes, out),
        4 => unshuffle_4(planes, out),
        8 => unshuffle_8(planes, out),
        _ => unshuffle_any(size, planes, out, 0),
    }
}

/// Elements of any size, from element `first` on. Goes through the elements in groups, so that what
/// is written stays in the cache until all planes have been through it.
fn unshuffle_any(size: usize, planes: &[u8], out: &mut [u8], first: usize) {
    const GROUP: usize = 256;
    let n = planes.len() / size;
    for start in (first..n).step_by(GROUP) {
        let end = n.min(start + GROUP);
        let elements = &mut out[start * size..end * size];
        for (i, plane) in planes.chunks_exact(n).enumerate() {
            let bytes = &plane[start..end];
            for (element, &byte) in elements.chunks_exact_mut(size).zip(bytes) {
                element[i] = byte;
            }
        }
    }
}

/// 16 bytes of a plane: one vector of every x86-64 and AArch64 machine.
type Lane = [u8; 16];

/// The bytes of `a` and `b` in turn.
#[inline(always)]
fn interleave(a: Lane, b: Lane) -> [Lane; 2] {
    let (mut low, mut high) = ([0; 16], [0; 16]);
    for i in 0..8 {
        (low[2 * i], low[2 * i + 1]) = (a[i], b[i]);
        (high[2 * i], high[2 * i + 1]) = (a[8 + i], b[8 + i]);
    }
    [low, high]
}

/// The planes, each in lanes; what is no whole lane is left out.
fn lanes<const K: usize>(planes: &[u8]) -> [&[Lane]; K] {
    let n = planes.len() / K;
    std::array::from_fn(|i| planes[i * n..(i + 1) * n].as_chunks().0)
}

fn unshuffle_2(planes: &[u8], out: &mut [u8]) {
    let [a, b] = lanes::<2>(planes);
    let whole = a.len();
    for ((out, a), b) in out.as_chunks_mut::<32>().0.iter_mut().zip(a).zip(b) {
        let [low, high] = interleave(*a, *b);
        out[..16].copy_from_slice(&low);
        out[16..].copy_from_slice(&high);
    }
    unshuffle_any(2, planes, out, 16 * whole);
}

fn unshuffle_4(planes: &[u8], out: &mut [u8]) {
    let [a, b, c, d] = lanes::<4>(planes);
    let whole = a.len();
    let lanes = a.iter().zip(b).zip(c).zip(d);
    for (out, (((a, b), c), d)) in out.as_chunks_mut::<64>().0.iter_mut().zip(lanes) {
        let (even, odd) = (interleave(*a, *c), interleave(*b, *d));
        for half in 0..2 {
            let [low, high] = interleave(even[half], odd[half]);
            out[32 * half..32 * half + 16].copy_from_slice(&low);
            out[32 * half + 16..32 * half + 32].copy_from_slice(&high);
        }
    }
    unshuffle_any(4, planes, out, 16 * whole);
}

fn unshuffle_8(planes: &[u8], out: &mut [u8]) {
    let planes_8 = lanes::<8>(planes);
    let whole = planes_8[0].len();
    for (i, out) in out.as_chunks_mut::<128>().0.iter_mut().enumerate() {
        let [a, b, c, d, e, f, g, h] = planes_8.map(|lanes| lanes[i]);
        let (ae, cg) = (interleave(a, e), interleave(c, g));
        let (bf, dh) = (interleave(b, f), interleave(d, h));
        for half in 0..2 {
            let even = interleave(ae[half], cg[half]);
            let odd = interleave(bf[half], dh[half]);
            for quarter in 0..2 {
                let at = 64 * half + 32 * quarter;
                let [low, high] = interleave(even[quarter], odd[quarter]);
                out[at..at + 16].copy_from_slice(&low);
                out[at + 16..at + 32].copy_from_slice(&high);
            }
        }
    }
    unshuffle_any(8, planes, out, 16 * whole);
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::filter::testing::noise;

    /// The filter as a writer applies it.
    pub(crate) fn shuffled(size: usize, bytes: &[u8]) -> Vec<u8> {
        let whole = bytes.len() / size * size;
        let plane = |i: usize| bytes[..whole].iter().skip(i).step_by(size);
        (0..size).flat_map(plane).chain(&bytes[whole..]).copied().collect()
    }

    #[test]
    fn bytes_return_to_their_elements() {
        let mut out = Vec::new();
        undo(&[2], &[1, 3, 5, 2, 4, 6, 7], 7, &mut out).unwrap();
        assert_eq!(out, [1, 2, 3, 4, 5, 6, 7]);
        for size in (1..20).chain([32, 33, 255, 1000]) {
            for n in (0..20).chain([31, 32, 33, 255, 256, 257, 1000]) {
                for rest in [0, 1, size - 1] {
                    let bytes = noise(3, n * size + rest);
                    let packed = shuffled(size, &bytes);
                    undo(&[size as u32], &packed, packed.len(), &mut out).unwrap();
                    assert!(out == bytes, "{size} {n} {rest}");
                }
            }
        }
    }

    #[test]
    fn sizes_that_cannot_be_are_errors() {
        let mut out = Vec::new();
        assert!(undo(&[], &[1, 2], 2, &mut out).is_err());
        assert!(undo(&[0], &[1, 2], 2, &mut out).is_err());
        assert!(undo(&[2, 2], &[1, 2], 2, &mut out).is_err());
        assert!(undo(&[2], &[1, 2, 3], 2, &mut out).is_err());
        undo(&[u32::MAX], &[1, 2, 3], 3, &mut out).unwrap();
        assert_eq!(out, [1, 2, 3]);
    }
}
