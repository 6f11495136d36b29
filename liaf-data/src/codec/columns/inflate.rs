//! The decompressor of deflate.

#[cfg(feature = "zip")]
pub(super) use zlib_rs::{Inflate, InflateFlush, Status};

#[cfg(not(feature = "zip"))]
pub(super) use absent::{Inflate, InflateFlush, Status};

/// Replaces the decompressor in a build without it. Compressed data is refused before it is read, with
/// an error that names the feature, so that this decompressor is never called.
#[cfg(not(feature = "zip"))]
mod absent {
    pub(in crate::codec::columns) struct Inflate;

    pub(in crate::codec::columns) enum InflateFlush {
        NoFlush,
    }

    #[expect(dead_code, reason = "nothing inflates")]
    pub(in crate::codec::columns) enum Status {
        Ok,
        StreamEnd,
    }

    pub(in crate::codec::columns) struct Absent;

    impl Absent {
        pub(in crate::codec::columns) fn as_str(&self) -> &'static str {
            "a build without the feature `zip`"
        }
    }

    impl Inflate {
        pub(in crate::codec::columns) fn new(_zlib: bool, _window_bits: u8) -> Self {
            Self
        }

        pub(in crate::codec::columns) fn total_in(&self) -> u64 {
            0
        }

        pub(in crate::codec::columns) fn total_out(&self) -> u64 {
            0
        }

        pub(in crate::codec::columns) fn decompress(
            &mut self,
            _input: &[u8],
            _output: &mut [u8],
            _flush: InflateFlush,
        ) -> Result<Status, Absent> {
            Err(Absent)
        }
    }
}
