//! Decompression of bytes that are in memory as a whole, such as a chunk of a container.

use super::bzip2::Bzip2;
use super::codec::{Codec, State};

/// Why a body could not be decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyFault {
    /// It is damaged; the text says what is wrong.
    Damaged(&'static str),
    /// Its contents are larger than the limit.
    TooLarge,
}

/// How much the buffer grows at a time, so that it is never much larger than the contents.
const STEP: usize = 256 << 10;

/// Decompresses a body that bzip2 compressed into `out`, at most `cap` bytes.
///
/// # Errors
/// If the body is damaged, or its contents are larger than that.
pub(crate) fn bunzip2(body: &[u8], cap: usize, out: &mut Vec<u8>) -> Result<(), BodyFault> {
    let (mut codec, mut rest, mut filled) = (Bzip2::new(), body, 0);
    loop {
        // One byte more than the limit distinguishes a body that is too large from one that just fits.
        let room = STEP.min((cap + 1).saturating_sub(filled));
        if room == 0 {
            return Err(BodyFault::TooLarge);
        }
        out.resize(filled + room, 0);
        let step = codec.run(rest, &mut out[filled..]);
        rest = rest.get(step.read..).unwrap_or_default();
        filled += step.written;
        match step.state {
            State::Ended if filled > cap => return Err(BodyFault::TooLarge),
            State::Ended => break,
            State::Damaged(_) => {
                return Err(BodyFault::Damaged("the compressed body cannot be decompressed"));
            }
            State::TooLarge => return Err(BodyFault::TooLarge),
            State::Open if step.read == 0 && step.written == 0 => {
                return Err(BodyFault::Damaged("the compressed body is incomplete"));
            }
            State::Open => {}
        }
    }
    out.truncate(filled);
    if rest.is_empty() {
        Ok(())
    } else {
        Err(BodyFault::Damaged("bytes follow the compressed body"))
    }
}
