//! The compressor of zlib-rs.

use std::io;

use zlib_rs::{DeflateConfig, DeflateFlush, Status, Strategy};

use super::{DeflateLevel, Wrap};
use crate::error::{Error, Result};

/// A compressor whose memory is reused.
pub(crate) struct Deflate(zlib_rs::Deflate);

impl Deflate {
    /// A compressor with this level.
    pub(crate) fn new(level: DeflateLevel, wrap: Wrap) -> Self {
        let strategy = match level {
            DeflateLevel::Runs => Strategy::Rle,
            DeflateLevel::Level(_) => Strategy::Default,
        };
        // A negative value means: without zlib's header.
        let window_bits = if wrap == Wrap::Zlib { 15 } else { -15 };
        let level = level.number().into();
        let config = DeflateConfig { level, strategy, window_bits, ..DeflateConfig::default() };
        Self(zlib_rs::Deflate::new_with_config(config))
    }

    /// Compresses `bytes` as part of the stream; the output that is ready is appended to `out`.
    pub(crate) fn add(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.run(bytes, out, DeflateFlush::NoFlush)
    }

    /// Ends the stream; the rest of the output is appended to `out`. The next bytes start a new
    /// stream.
    pub(crate) fn end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.run(&[], out, DeflateFlush::Finish)?;
        self.0.reset();
        Ok(())
    }

    /// Compresses `bytes` to one complete stream, which replaces the contents of `out`.
    #[cfg_attr(not(feature = "hdf5"), expect(dead_code, reason = "only HDF5 packs chunks"))]
    pub(crate) fn pack(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
        out.clear();
        self.run(bytes, out, DeflateFlush::Finish)?;
        self.0.reset();
        Ok(())
    }

    fn run(&mut self, mut bytes: &[u8], out: &mut Vec<u8>, flush: DeflateFlush) -> Result<()> {
        loop {
            let start = out.len();
            // Grow the buffer in steps of an eighth of the input: most frames are almost entirely
            // zero.
            out.resize(start + bytes.len() / 8 + 1024, 0);
            let (read, written) = (self.0.total_in(), self.0.total_out());
            let outcome = self.0.compress(bytes, &mut out[start..], flush);
            bytes = &bytes[(self.0.total_in() - read) as usize..];
            let written = (self.0.total_out() - written) as usize;
            let was_full = start + written == out.len();
            out.truncate(start + written);
            match outcome {
                Ok(Status::StreamEnd) => return Ok(()),
                Ok(_) if was_full => {}
                Ok(_) if bytes.is_empty() && flush == DeflateFlush::NoFlush => return Ok(()),
                Ok(Status::Ok) if !bytes.is_empty() => {}
                Ok(_) => return Err(failed("no progress")),
                Err(error) => return Err(failed(error.as_str())),
            }
        }
    }
}

fn failed(why: &str) -> Error {
    Error::system("cannot compress", io::Error::other(why))
}

#[cfg(test)]
mod tests {
    use zlib_rs::{Inflate, InflateFlush};

    use super::*;

    fn inflated(packed: &[u8], wrap: Wrap, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length + 1];
        let mut inflate = Inflate::new(wrap == Wrap::Zlib, 15);
        let status = inflate.decompress(packed, &mut bytes, InflateFlush::Finish);
        assert_eq!(status, Ok(Status::StreamEnd));
        assert_eq!(inflate.total_in(), packed.len() as u64);
        bytes.truncate(inflate.total_out() as usize);
        bytes
    }

    fn noise(n: usize) -> Vec<u8> {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..n).map(|_| next()).collect()
    }

    #[test]
    fn pieces_wholes_and_reuse_give_sound_streams() {
        let mut sparse = vec![0; 300_000];
        for (i, byte) in noise(300).into_iter().enumerate() {
            sparse[i * 997] = byte;
        }
        for data in [vec![], vec![0; 1], noise(100_000), sparse] {
            let levels = [1, 4, 9].map(DeflateLevel::Level);
            for level in [DeflateLevel::Runs].into_iter().chain(levels) {
                for wrap in [Wrap::None, Wrap::Zlib] {
                    let mut deflate = Deflate::new(level, wrap);
                    let mut streams = Vec::new();
                    for _ in 0..2 {
                        let mut pieces = Vec::new();
                        for piece in data.chunks(777) {
                            deflate.add(piece, &mut pieces).expect("added");
                        }
                        deflate.end(&mut pieces).expect("ended");
                        assert_eq!(inflated(&pieces, wrap, data.len()), data);
                        streams.push(pieces);
                        let mut whole = Vec::new();
                        deflate.add(&data, &mut whole).expect("added");
                        deflate.end(&mut whole).expect("ended");
                        assert_eq!(inflated(&whole, wrap, data.len()), data);
                    }
                    assert_eq!(streams[0], streams[1]);
                }
            }
        }
    }
}
