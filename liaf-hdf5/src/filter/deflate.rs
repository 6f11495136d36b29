//! Deflate, filter 1: one zlib stream a chunk.
//!
//! The bytes are a zlib stream (RFC 1950): two bytes of header, a deflate stream (RFC 1951), and
//! the Adler-32 of the unpacked bytes, most significant byte first. `values[0]` is the level of
//! compression, which reading does not need. As in `H5Zdeflate.c` of the HDF5 library, bytes after
//! the end of the stream are ignored.

use zlib_rs::{Inflate, InflateFlush, Status};

use super::bytes::{AT_ONCE, grow, set_length, too_long, too_short};
use crate::error::{Error, Result};

/// Unpacks a zlib stream with a decompressor that is kept between chunks.
pub(super) fn undo(
    packed: &[u8],
    most: usize,
    inflate: &mut Option<Inflate>,
    out: &mut Vec<u8>,
) -> Result<()> {
    let inflate = inflate.get_or_insert_with(|| Inflate::new(true, 15));
    inflate.reset(true);
    set_length(out, most.min(AT_ONCE.max(packed.len())))?;
    loop {
        let (read, written) = (inflate.total_in() as usize, inflate.total_out() as usize);
        let outcome =
            inflate.decompress(&packed[read..], &mut out[written..], InflateFlush::NoFlush);
        let (read_now, written_now) = (inflate.total_in() as usize, inflate.total_out() as usize);
        match outcome {
            Ok(Status::StreamEnd) => {
                out.truncate(written_now);
                return Ok(());
            }
            Err(error) => {
                let why = inflate.error_message().unwrap_or_else(|| error.as_str());
                return Err(Error::malformed(format!("the zlib stream is damaged: {why}")));
            }
            // The output is full: the stream may go on, or lack nothing but its checksum.
            Ok(_) if written_now == out.len() && out.len() < most => {
                let length = out.len().saturating_mul(2).min(most);
                grow(out, length)?;
            }
            // Long input and output are given to the decompressor in parts.
            Ok(_) if (read_now, written_now) != (read, written) => {}
            Ok(_) if read_now == packed.len() => return Err(too_short()),
            Ok(_) => return Err(too_long(most)),
        }
    }
}

#[cfg(test)]
mod tests {
    use zlib_rs::{Deflate, DeflateFlush};

    use super::*;
    use crate::error::ErrorKind;
    use crate::filter::testing::noise;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut deflate = Deflate::new(6, true, 15);
        let mut out = vec![0; bytes.len() + bytes.len() / 100 + 64];
        let status = deflate.compress(bytes, &mut out, DeflateFlush::Finish);
        assert_eq!(status, Ok(Status::StreamEnd));
        out.truncate(deflate.total_out() as usize);
        out
    }

    #[test]
    fn streams_are_unpacked_by_one_decompressor() {
        let (mut inflate, mut out) = (None, Vec::new());
        for length in [0, 1, 7, 1000, 100_000] {
            for bytes in [vec![3; length], noise(length as u64, length)] {
                let mut packed = packed(&bytes);
                packed.extend([9, 9, 9]);
                for most in [length, length + 1, 2 * length + 100] {
                    undo(&packed, most, &mut inflate, &mut out).unwrap();
                    assert_eq!(out, bytes);
                }
                if length > 0 {
                    let error = undo(&packed, length - 1, &mut inflate, &mut out).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Malformed);
                    assert!(error.to_string().contains("unpacks to more than"), "{error}");
                }
            }
        }
    }

    #[test]
    fn long_results_grow() {
        let bytes = vec![1; 3 * AT_ONCE + 5];
        let packed = packed(&bytes);
        let mut out = Vec::new();
        undo(&packed, usize::MAX, &mut None, &mut out).unwrap();
        assert!(out == bytes);
        assert!(out.capacity() <= 4 * AT_ONCE);
        let error = undo(&packed, 3 * AT_ONCE, &mut None, &mut out).unwrap_err();
        assert!(error.to_string().contains("unpacks to more than"), "{error}");
        assert!(out.capacity() <= 4 * AT_ONCE);
    }

    #[test]
    fn faults_are_told_apart() {
        let bytes = noise(1, 500);
        let good = packed(&bytes);
        let kind =
            |packed: &[u8]| undo(packed, 600, &mut None, &mut Vec::new()).unwrap_err().kind();
        for length in 0..good.len() {
            assert_eq!(kind(&good[..length]), ErrorKind::Truncated, "{length}");
        }
        let mut checksum = good.clone();
        *checksum.last_mut().unwrap() ^= 1;
        assert_eq!(kind(&checksum), ErrorKind::Malformed);
        assert_eq!(kind(b"not a zlib stream"), ErrorKind::Malformed);
        // With a dictionary that nobody has.
        assert_eq!(kind(&[0x78, 0xbb, 1, 2, 3, 4, 5]), ErrorKind::Malformed);
    }
}
