//! Deflate, behind one small type, so that the library underneath can be changed.

use flate2::{Compress, Compression, FlushCompress, Status};

use crate::{Error, Result};

/// What stands around the deflated bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrap {
    /// Nothing, as in zip archives.
    None,
    /// zlib's header and checksum, as in HDF5.
    Zlib,
}

/// A compressor whose state is used again and again.
#[derive(Debug)]
pub(super) struct Deflate(Compress);

impl Deflate {
    /// A compressor of `level` 0 (none) to 9 (smallest).
    pub(super) fn new(level: u8, wrap: Wrap) -> Self {
        let level = Compression::new(u32::from(level.min(9)));
        Self(Compress::new(level, wrap == Wrap::Zlib))
    }

    /// Adds `bytes` to the stream; what is ready of it is appended to `out`.
    pub(super) fn add(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.run(bytes, out, FlushCompress::None)
    }

    /// Ends the stream; the rest of it is appended to `out`. The next bytes start a new one.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.run(&[], out, FlushCompress::Finish)?;
        self.0.reset();
        Ok(())
    }

    /// Replaces `out` by one whole stream of `bytes`.
    #[cfg_attr(not(feature = "hdf5"), expect(dead_code, reason = "only HDF5 packs chunks"))]
    pub(super) fn pack(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
        out.clear();
        self.run(bytes, out, FlushCompress::Finish)?;
        self.0.reset();
        Ok(())
    }

    fn run(&mut self, mut bytes: &[u8], out: &mut Vec<u8>, flush: FlushCompress) -> Result<()> {
        loop {
            // A quarter at a time: most frames are zeros almost everywhere.
            out.reserve(bytes.len() / 4 + 1024);
            let before = self.0.total_in();
            let status = self.0.compress_vec(bytes, out, flush).map_err(failed)?;
            bytes = &bytes[(self.0.total_in() - before) as usize..];
            let has_room = out.len() < out.capacity();
            match status {
                Status::StreamEnd => return Ok(()),
                _ if flush == FlushCompress::None && bytes.is_empty() && has_room => return Ok(()),
                Status::Ok | Status::BufError if !has_room => {}
                Status::Ok => {}
                Status::BufError => return Err(failed("no progress")),
            }
        }
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::system("cannot compress", std::io::Error::other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn inflated(packed: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        flate2::read::DeflateDecoder::new(packed).read_to_end(&mut bytes).expect("sound stream");
        bytes
    }

    #[test]
    fn pieces_and_reuse_give_sound_streams() {
        let mut state = 1u32;
        let noise: Vec<u8> = (0..100_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        let mut deflate = Deflate::new(4, Wrap::None);
        let mut streams = Vec::new();
        for _ in 0..2 {
            let mut packed = Vec::new();
            for piece in noise.chunks(777) {
                deflate.add(piece, &mut packed).expect("added");
            }
            deflate.end(&mut packed).expect("ended");
            assert_eq!(inflated(&packed), noise);
            streams.push(packed);
        }
        assert_eq!(streams[0], streams[1]);
    }
}
