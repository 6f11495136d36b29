//! Decompression of chunks into a buffer that is reused and never grows beyond a limit.

use super::layout::Packing;
use crate::container::unpack::{BodyFault, bunzip2};
use crate::formats::aedat::v4::inflate::{Compression, Inflater};

/// Decompresses chunks, one at a time.
#[derive(Debug, Default)]
pub(crate) struct Unpacker {
    inflater: Inflater,
    /// The contents of the last chunk that bzip2 compressed.
    bunzipped: Vec<u8>,
    work: usize,
}

impl Unpacker {
    /// About how many bytes were read and written for the last chunk, whether it was valid or not.
    pub fn work(&self) -> usize {
        self.work
    }

    /// The contents of a chunk, at most `cap` bytes.
    pub fn content<'a>(
        &'a mut self,
        packing: Packing,
        data: &'a [u8],
        cap: usize,
    ) -> Result<&'a [u8], BodyFault> {
        let compression = match packing {
            Packing::None => Compression::None,
            Packing::Lz4 => Compression::Lz4,
            Packing::Zstd => Compression::Zstd,
            Packing::Bzip2 => {
                let unpacked = bunzip2(data, cap, &mut self.bunzipped);
                self.work = data.len() + self.bunzipped.len();
                return unpacked.map(|()| &*self.bunzipped);
            }
            Packing::Unknown => {
                return Err(BodyFault::Damaged("the compression of the chunk is unknown"));
            }
        };
        let content = self.inflater.inflate(compression, data, cap).map(|_| ());
        self.work = self.inflater.work();
        content.map(|()| self.inflater.content(compression, data))
    }
}
