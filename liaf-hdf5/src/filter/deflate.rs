//! Deflate, filter 1: one zlib stream a chunk.
//!
//! The bytes are a zlib stream (RFC 1950): two bytes of header, a deflate stream (RFC 1951), and
//! the Adler-32 of the unpacked bytes, most significant byte first. `values[0]` is the level of
//! compression, which reading does not need. As in `H5Zdeflate.c` of the HDF5 library, bytes after
//! the end of the stream are ignored.

use zlib_rs::{Inflate, InflateFlush, Status};

use super::bytes::{AT_ONCE, grow, set_length, too_long, too_short};
use crate::error::{Error, Result};

/// A decompressor, which is made when it is first needed and kept between chunks.
#[derive(Default)]
pub(super) struct Inflater(Option<Inflate>);

/// Undoes the filter.
pub(super) fn undo(
    packed: &[u8],
    most: usize,
    inflater: &mut Inflater,
    out: &mut Vec<u8>,
) -> Result<()> {
    set_length(out, most.min(AT_ONCE.max(packed.len())))?;
    inflater.start();
    loop {
        if inflater.go_on(packed, out)? {
            out.truncate(inflater.written());
            return Ok(());
        }
        if out.len() == most {
            return Err(too_long(most));
        }
        let length = out.len().saturating_mul(2).min(most);
        grow(out, length)?;
    }
}

impl Inflater {
    /// Unpacks a zlib stream that must fill `out`.
    pub(super) fn undo_block(&mut self, packed: &[u8], out: &mut [u8]) -> Result<()> {
        self.start();
        if !self.go_on(packed, out)? {
            return Err(too_long(out.len()));
        }
        if self.written() < out.len() {
            return Err(Error::malformed(format!(
                "a zlib stream has {} bytes instead of {}",
                self.written(),
                out.len()
            )));
        }
        Ok(())
    }

    fn state(&mut self) -> &mut Inflate {
        self.0.get_or_insert_with(|| Inflate::new(true, 15))
    }

    fn start(&mut self) {
        self.state().reset(true);
    }

    fn written(&mut self) -> usize {
        self.state().total_out() as usize
    }

    /// Goes on after what has been read and written since the start. Returns whether the stream has
    /// ended; otherwise `out` is full.
    fn go_on(&mut self, packed: &[u8], out: &mut [u8]) -> Result<bool> {
        let inflate = self.state();
        loop {
            let (read, written) = (inflate.total_in() as usize, inflate.total_out() as usize);
            // The last bytes of a stream, which say that it ends, need no room in the output.
            let outcome =
                inflate.decompress(&packed[read..], &mut out[written..], InflateFlush::NoFlush);
            let now = (inflate.total_in() as usize, inflate.total_out() as usize);
            match outcome {
                Ok(Status::StreamEnd) => return Ok(true),
                Err(error) => {
                    let why = inflate.error_message().unwrap_or_else(|| error.as_str());
                    return Err(Error::malformed(format!("the zlib stream is damaged: {why}")));
                }
                // Very long slices are given to the decompressor in parts.
                Ok(_) if now != (read, written) => {}
                Ok(_) if now.0 == packed.len() => return Err(too_short()),
                Ok(_) => return Ok(false),
            }
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
        let (mut inflater, mut out) = (Inflater::default(), Vec::new());
        for length in [0, 1, 7, 1000, 100_000] {
            for bytes in [vec![3; length], noise(length as u64, length)] {
                let mut packed = packed(&bytes);
                packed.extend([9, 9, 9]);
                for most in [length, length + 1, 2 * length + 100] {
                    undo(&packed, most, &mut inflater, &mut out).unwrap();
                    assert_eq!(out, bytes);
                }
                if length > 0 {
                    let error = undo(&packed, length - 1, &mut inflater, &mut out).unwrap_err();
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
        undo(&packed, usize::MAX, &mut Inflater::default(), &mut out).unwrap();
        assert!(out == bytes);
        assert!(out.capacity() <= 4 * AT_ONCE);
        let error = undo(&packed, 3 * AT_ONCE, &mut Inflater::default(), &mut out).unwrap_err();
        assert!(error.to_string().contains("unpacks to more than"), "{error}");
        assert!(out.capacity() <= 4 * AT_ONCE);
    }

    #[test]
    fn blocks_must_fill_their_output() {
        let packed = packed(&[4; 100]);
        let mut inflater = Inflater::default();
        let mut out = vec![0; 101];
        inflater.undo_block(&packed, &mut out[..100]).unwrap();
        assert_eq!(out[..100], [4; 100]);
        assert!(inflater.undo_block(&packed, &mut out).is_err());
        assert!(inflater.undo_block(&packed, &mut out[..99]).is_err());
    }

    #[test]
    fn faults_are_told_apart() {
        let bytes = noise(1, 500);
        let good = packed(&bytes);
        let kind = |packed: &[u8]| {
            undo(packed, 600, &mut Inflater::default(), &mut Vec::new()).unwrap_err().kind()
        };
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
