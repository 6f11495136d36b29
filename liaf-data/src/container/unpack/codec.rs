//! The interface of decompressors.

/// How far a decompressor came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub read: usize,
    pub written: usize,
    pub state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(all(feature = "bzip2", feature = "xz", feature = "zip", feature = "zstd")),
    allow(dead_code, reason = "each decompressor has its own states")
)]
pub(super) enum State {
    /// There is more to come. If nothing was read and nothing was written, more input is needed.
    Open,
    /// This part of the packed file is complete.
    Ended,
    /// The packed bytes are damaged.
    Damaged(&'static str),
    /// The packed bytes ask for a larger window than the limits allow.
    TooLarge,
}

/// Decompresses one part of a packed file after another.
pub(super) trait Codec: Send {
    /// Unpacks from `input` to `output`, neither of which is empty unless the input has ended. All of the
    /// input is read if the output has room for what is in it.
    fn run(&mut self, input: &[u8], output: &mut [u8]) -> Step;

    /// Prepares for the next part.
    fn restart(&mut self);
}

/// Replaces the decompressors that a build lacks, each by another number. It is never called: a file is
/// refused before.
#[cfg(not(all(feature = "bzip2", feature = "xz", feature = "zip", feature = "zstd")))]
pub(super) struct Absent<const KIND: u8>;

#[cfg(not(all(feature = "bzip2", feature = "xz", feature = "zip", feature = "zstd")))]
impl<const KIND: u8> Codec for Absent<KIND> {
    fn run(&mut self, _input: &[u8], _output: &mut [u8]) -> Step {
        Step { read: 0, written: 0, state: State::Damaged("it cannot be read by this build") }
    }

    fn restart(&mut self) {}
}
