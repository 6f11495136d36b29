//! Zstandard, filter 32015: one or several frames of Zstandard (RFC 8878).
//!
//! The frames may state the size of their content or not, and may be followed by no other bytes.
//! `values[0]` is the level of compression, which reading does not need.
//!
//! Frames are decompressed straight into the output, so that the window which they ask for needs no
//! memory of its own.

use super::bytes::{AT_ONCE, set_length, too_long};
use crate::error::{Error, Result};

/// Whether Zstandard is a part of this build.
pub(super) const IS_READ: bool = cfg!(feature = "zstd");

/// The decompressor, which is kept between chunks.
#[derive(Default)]
pub(super) struct Zstd {
    #[cfg(feature = "zstd")]
    context: Option<::zstd::zstd_safe::DCtx<'static>>,
}

/// Undoes the filter.
pub(super) fn undo(packed: &[u8], most: usize, zstd: &mut Zstd, out: &mut Vec<u8>) -> Result<()> {
    let mut length = most.min(first_length(packed));
    loop {
        set_length(out, length)?;
        match zstd.decompress(packed, out)? {
            Some(written) => {
                out.truncate(written);
                return Ok(());
            }
            None if length == most => return Err(too_long(most)),
            None => length = length.saturating_mul(4).min(most),
        }
    }
}

/// Unpacks frames that must fill `out`.
pub(super) fn undo_block(packed: &[u8], zstd: &mut Zstd, out: &mut [u8]) -> Result<()> {
    match zstd.decompress(packed, out)? {
        Some(written) if written == out.len() => Ok(()),
        Some(written) => Err(Error::malformed(format!(
            "a Zstandard frame has {written} bytes instead of {}",
            out.len()
        ))),
        None => Err(too_long(out.len())),
    }
}

#[cfg(feature = "zstd")]
fn first_length(packed: &[u8]) -> usize {
    // What the first frame states is only believed: more frames may follow, and it may be a lie.
    let stated = ::zstd::zstd_safe::get_frame_content_size(packed).ok().flatten();
    stated.map_or(AT_ONCE, super::bytes::length).max(AT_ONCE)
}

#[cfg(feature = "zstd")]
impl Zstd {
    /// Writes the content of the frames to `out` and returns its length, or `None` if it is longer.
    fn decompress(&mut self, packed: &[u8], out: &mut [u8]) -> Result<Option<usize>> {
        use ::zstd::zstd_safe::{DCtx, get_error_name, is_error_kind, zstd_sys::ZSTD_ErrorCode};

        if self.context.is_none() {
            self.context = DCtx::try_create();
        }
        let Some(context) = &mut self.context else {
            return Err(Error::limit("no memory for a decompressor of Zstandard"));
        };
        match context.decompress(out, packed) {
            Ok(written) => Ok(Some(written)),
            Err(code) if is_error_kind(code, ZSTD_ErrorCode::ZSTD_error_dstSize_tooSmall) => {
                Ok(None)
            }
            Err(code) => {
                let why = get_error_name(code);
                Err(Error::malformed(format!("the Zstandard frame is damaged: {why}")))
            }
        }
    }
}

#[cfg(not(feature = "zstd"))]
fn first_length(_: &[u8]) -> usize {
    AT_ONCE
}

#[cfg(not(feature = "zstd"))]
impl Zstd {
    fn decompress(&mut self, _: &[u8], _: &mut [u8]) -> Result<Option<usize>> {
        Err(super::names::without_zstd())
    }
}

#[cfg(all(test, feature = "zstd"))]
mod tests {
    use ::zstd::zstd_safe::{CCtx, CParameter};

    use super::*;
    use crate::error::ErrorKind;
    use crate::filter::testing::noise;

    fn packed(bytes: &[u8], with_size: bool) -> Vec<u8> {
        let mut context = CCtx::create();
        context.set_parameter(CParameter::ContentSizeFlag(with_size)).expect("set");
        let mut out = Vec::with_capacity(::zstd::zstd_safe::compress_bound(bytes.len()));
        context.compress2(&mut out, bytes).expect("packed");
        out
    }

    #[test]
    fn frames_with_and_without_size_are_unpacked() {
        let (mut zstd, mut out) = (Zstd::default(), vec![1, 2, 3]);
        for length in [0, 1, 1000, 300_000] {
            for bytes in [noise(1, length), vec![7; length]] {
                for with_size in [true, false] {
                    let packed = packed(&bytes, with_size);
                    for most in [length, length + 1, 1 << 20] {
                        undo(&packed, most, &mut zstd, &mut out).unwrap();
                        assert!(out == bytes);
                    }
                    if length > 0 {
                        let error = undo(&packed, length - 1, &mut zstd, &mut out).unwrap_err();
                        assert!(error.to_string().contains("unpacks to more than"), "{error}");
                    }
                    for cut in (1..packed.len()).step_by(1 + packed.len() / 100) {
                        let error = undo(&packed[..cut], length, &mut zstd, &mut out).unwrap_err();
                        assert_eq!(error.kind(), ErrorKind::Malformed);
                    }
                }
            }
        }
    }

    #[test]
    fn several_frames_follow_one_another() {
        let (a, b) = (noise(1, 1000), vec![3; AT_ONCE + 1]);
        // The third is a frame to be skipped.
        let skipped = [0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9];
        let frames = [packed(&a, true), packed(&b, false), skipped.to_vec(), packed(&a, false)];
        let (mut zstd, mut out) = (Zstd::default(), Vec::new());
        undo(&frames.concat(), usize::MAX, &mut zstd, &mut out).unwrap();
        assert!(out == [&a[..], &b, &a].concat());
        assert!(out.capacity() <= 4 * AT_ONCE);
        let error = undo(&frames.concat(), AT_ONCE, &mut zstd, &mut out).unwrap_err();
        assert!(error.to_string().contains("unpacks to more than"), "{error}");
        assert!(undo(&[&frames[0][..], b"rest"].concat(), 2000, &mut zstd, &mut out).is_err());
    }

    #[test]
    fn a_frame_of_raw_bytes_is_read_as_its_layout_says() {
        // Magic number, a single segment of 3 bytes, and a last raw block of 3 bytes.
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 3, 0x19, 0, 0, b'a', b'b', b'c'];
        let (mut zstd, mut out) = (Zstd::default(), Vec::new());
        undo(&frame, 3, &mut zstd, &mut out).unwrap();
        assert_eq!(out, b"abc");
        // A window of 2 TiB - 1 for 3 bytes of content is no reason to allocate anything.
        let wide = [0x28, 0xb5, 0x2f, 0xfd, 0, 0xf7, 0x19, 0, 0, b'a', b'b', b'c'];
        assert!(undo(&wide, 3, &mut zstd, &mut out).is_err());
        assert!(out.capacity() < 100);
        // A size that is a lie is not allocated.
        let lie =
            [0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0, 0x19, 0, 0, b'a', b'b', b'c'];
        assert!(undo(&lie, 1000, &mut zstd, &mut out).is_err());
        assert!(out.capacity() <= 1000);
    }

    #[test]
    fn blocks_must_fill_their_output() {
        let packed = packed(&[4; 100], true);
        let mut zstd = Zstd::default();
        let mut out = vec![0; 101];
        undo_block(&packed, &mut zstd, &mut out[..100]).unwrap();
        assert_eq!(out[..100], [4; 100]);
        assert!(undo_block(&packed, &mut zstd, &mut out).is_err());
        assert!(undo_block(&packed, &mut zstd, &mut out[..99]).is_err());
    }
}
