//! Streams of xz files.

#[cfg(not(feature = "xz"))]
pub(super) type Xz = super::codec::Absent<2>;
#[cfg(feature = "xz")]
pub(super) use streams::Xz;

#[cfg(not(feature = "xz"))]
impl Xz {
    pub fn new(_limits: &crate::limits::Limits) -> Self {
        Self
    }
}

#[cfg(feature = "xz")]
mod streams {
    use std::io::ErrorKind;

    use lzma_rust2::{Action, Status, XzStream};

    use super::super::codec::{Codec, State, Step};
    use crate::limits::Limits;

    /// Number of bytes that are unpacked at a time. An error loses the bytes of its call, so that a call
    /// must not be for many.
    const PIECE: usize = 4 << 10;
    /// The decoder keeps two numbers for each block until the stream ends. Whole files have blocks of a
    /// MiB or more; from this many bytes on, a stream of tiny blocks is refused.
    const BLOCKS: u64 = 16 << 20;
    /// Memory of the decoder in addition to the window, in KiB.
    const DECODER: usize = 1 << 10;

    pub(in crate::container::unpack) struct Xz {
        stream: XzStream,
        memory: u32,
    }

    impl Xz {
        pub fn new(limits: &Limits) -> Self {
            let memory = u32::try_from(limits.window_bytes / 1024 + DECODER).unwrap_or(u32::MAX);
            Self { stream: XzStream::new_mem_limit(false, memory), memory }
        }
    }

    impl Codec for Xz {
        fn run(&mut self, input: &[u8], output: &mut [u8]) -> Step {
            let (before, out) = (self.stream.total_in(), self.stream.total_out());
            let most = output.len().min(PIECE);
            let outcome = self.stream.process(input, &mut output[..most], Action::Run);
            let read = (self.stream.total_in() - before) as usize;
            let written = (self.stream.total_out() - out) as usize;
            let packed = self.stream.total_in();
            let state = match outcome {
                Ok(result) if result.status == Status::StreamEnd => State::Ended,
                Ok(_) if packed > BLOCKS && self.stream.total_out() < packed / 16 * 15 => {
                    State::Damaged("its blocks are too small")
                }
                Ok(_) => State::Open,
                Err(error) if error.kind() == ErrorKind::OutOfMemory => State::TooLarge,
                Err(_) => State::Damaged("it is not valid, or its checksum is wrong"),
            };
            Step { read, written, state }
        }

        fn restart(&mut self) {
            self.stream = XzStream::new_mem_limit(false, self.memory);
        }
    }
}
