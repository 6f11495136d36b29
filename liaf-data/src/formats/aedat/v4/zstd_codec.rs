//! ZSTD frames: decompression into a buffer that never grows beyond a limit, and compression.

use zstd::bulk;
use zstd::zstd_safe::{self, DCtx, InBuffer, OutBuffer};

use super::inflate::{CUT, TRAILING, room};
use crate::container::unpack::BodyFault;
use crate::error::{Error, Result};

/// The buffer grows in steps of this many bytes if the size is not known in advance.
const STEP: usize = 256 << 10;
const BROKEN: BodyFault = BodyFault::Damaged("the ZSTD frame cannot be decompressed");
const LEVEL: i32 = 3;

/// Decompresses frames. The memory that this takes is kept from frame to frame.
#[derive(Default)]
pub(super) struct Decompressor(Option<DCtx<'static>>);

impl Decompressor {
    /// Decompresses the frame in `body` to the start of `buffer`, and returns the number of bytes,
    /// at most `cap`. About how many bytes were read and written is added to `work`.
    pub(super) fn inflate(
        &mut self,
        body: &[u8],
        cap: usize,
        buffer: &mut Vec<u8>,
        work: &mut usize,
    ) -> std::result::Result<usize, BodyFault> {
        *work += body.len();
        match zstd_safe::find_frame_compressed_size(body) {
            Ok(size) if size == body.len() => {}
            Ok(_) => return Err(TRAILING),
            Err(_) => return Err(BROKEN),
        }
        let declared = zstd_safe::get_frame_content_size(body).map_err(|_| BROKEN)?;
        if declared.is_some_and(|size| size > cap as u64) {
            return Err(BodyFault::TooLarge);
        }
        let context = self.0.get_or_insert_with(DCtx::create);
        match declared {
            Some(size) => {
                let size = size as usize;
                room(buffer, 0, size);
                *work += size;
                let n = context.decompress(&mut buffer[..size], body).map_err(|_| BROKEN)?;
                if n == size { Ok(n) } else { Err(BROKEN) }
            }
            None => stream(context, body, cap, buffer, work),
        }
    }
}

/// Decompresses a frame that does not say how large its contents are.
fn stream(
    context: &mut DCtx<'static>,
    body: &[u8],
    cap: usize,
    buffer: &mut Vec<u8>,
    work: &mut usize,
) -> std::result::Result<usize, BodyFault> {
    context.init().map_err(|_| BROKEN)?;
    let mut input = InBuffer::around(body);
    let mut filled = 0;
    loop {
        let more = STEP.min(cap + 1 - filled);
        room(buffer, filled, more);
        let mut output = OutBuffer::around(&mut buffer[filled..filled + more]);
        let left = context.decompress_stream(&mut output, &mut input).map_err(|_| BROKEN)?;
        let wrote = output.pos();
        filled += wrote;
        *work += wrote;
        match (left, filled > cap, wrote < more) {
            (_, true, _) => return Err(BodyFault::TooLarge),
            (0, ..) => return Ok(filled),
            (_, _, true) if input.pos() == body.len() => return Err(CUT),
            _ => {}
        }
    }
}

/// Compresses bodies. The memory that this takes is kept from body to body.
#[derive(Default)]
pub(super) struct Compressor(Option<bulk::Compressor<'static>>);

impl Compressor {
    /// Compresses `plain` to one frame, which replaces the contents of `body`.
    pub(super) fn pack(&mut self, plain: &[u8], body: &mut Vec<u8>) -> Result<()> {
        let fail = |error| Error::system("ZSTD compression failed", error);
        if self.0.is_none() {
            self.0 = Some(bulk::Compressor::new(LEVEL).map_err(fail)?);
        }
        let Some(zstd) = &mut self.0 else { return Ok(()) };
        body.resize(zstd_safe::compress_bound(plain.len()), 0);
        let size = zstd.compress_to_buffer(plain, &mut body[..]).map_err(fail)?;
        body.truncate(size);
        Ok(())
    }
}
