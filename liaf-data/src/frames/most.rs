//! How many frames may be made of one recording, and the error if there would be more.

use crate::error::Error;
use crate::hint::Hint;
use crate::limits::Limits;

/// The most frames that may be made.
#[derive(Debug, Clone, Copy)]
pub(super) struct MostFrames {
    limits: Limits,
    /// Size of a frame.
    bytes: u64,
}

impl MostFrames {
    /// For frames of this many bytes, of which there is at least one.
    pub fn new(limits: Limits, bytes: u64) -> Self {
        Self { limits, bytes: bytes.max(1) }
    }

    /// Their number.
    pub fn get(&self) -> u64 {
        self.limits.frames.min(self.limits.output_bytes / self.bytes)
    }

    /// The error `what` if `asked` frames are too many, with what helps before a higher limit.
    pub fn error(&self, what: &str, asked: u64, hints: &[Hint]) -> Error {
        let Limits { frames, output_bytes, .. } = self.limits;
        let bytes = asked.checked_mul(self.bytes);
        let most = format!("at most {} frames of {} bytes", self.get(), self.bytes);
        let mut error = Error::limit(what).expected(most);
        error = hints.iter().cloned().fold(error, Error::hint);
        if asked > frames {
            error = error.hint(Hint::raise("frames", None));
        }
        if bytes.is_none_or(|bytes| bytes > output_bytes) {
            error = error.hint(Hint::raise("output_bytes", None));
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_that_is_too_low_is_named() {
        let limits = Limits { frames: 10, output_bytes: 1000, ..Limits::default() };
        let raised = |bytes, asked| {
            let error = MostFrames::new(limits, bytes).error("too many", asked, &[Hint::Crop]);
            assert_eq!(error.hints()[0], Hint::Crop);
            let name = |hint: &Hint| match hint {
                Hint::RaiseLimit { limit, .. } => Some(limit.clone()),
                _ => None,
            };
            error.hints().iter().filter_map(name).collect::<Vec<_>>()
        };
        assert_eq!(raised(1, 11), ["frames"]);
        assert_eq!(raised(500, 3), ["output_bytes"]);
        assert_eq!(raised(500, u64::MAX), ["frames", "output_bytes"]);
        assert_eq!(MostFrames::new(limits, 500).get(), 2);
        assert_eq!(MostFrames::new(limits, 1).get(), 10);
    }
}
