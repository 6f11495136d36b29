//! Replaces ZSTD in a build without it. A file that is compressed by ZSTD is refused with an error that
//! names the feature, when it is opened or before it is written.

use crate::container::unpack::BodyFault;
use crate::error::Result;
use crate::feature;

/// A decompressor that always fails.
#[derive(Default)]
pub(super) struct Decompressor;

impl Decompressor {
    pub(super) fn inflate(
        &mut self,
        _body: &[u8],
        _cap: usize,
        _buffer: &mut Vec<u8>,
        _work: &mut usize,
    ) -> std::result::Result<usize, BodyFault> {
        Err(BodyFault::Damaged("this build cannot decompress ZSTD"))
    }
}

/// A compressor that always fails.
#[derive(Default)]
pub(super) struct Compressor;

impl Compressor {
    pub(super) fn pack(&mut self, _plain: &[u8], _body: &mut Vec<u8>) -> Result<()> {
        feature::ZSTD.needed_to("compress by ZSTD")
    }
}
