//! Streams of bzip2 files.

#[cfg(not(feature = "bzip2"))]
pub(super) type Bzip2 = super::codec::Absent<3>;
#[cfg(feature = "bzip2")]
pub(super) use streams::Bzip2;

#[cfg(not(feature = "bzip2"))]
impl Bzip2 {
    pub fn new() -> Self {
        Self
    }
}

#[cfg(feature = "bzip2")]
mod streams {
    use bzip2::{Decompress, Status};

    use super::super::codec::{Codec, State, Step};

    pub(in crate::container::unpack) struct Bzip2(Decompress);

    impl Bzip2 {
        pub fn new() -> Self {
            Self(Decompress::new(false))
        }
    }

    impl Codec for Bzip2 {
        fn run(&mut self, input: &[u8], output: &mut [u8]) -> Step {
            let (before, out) = (self.0.total_in(), self.0.total_out());
            let outcome = self.0.decompress(input, output);
            let state = match outcome {
                Ok(Status::StreamEnd) => State::Ended,
                Ok(_) => State::Open,
                Err(_) => State::Damaged("it is not valid, or its checksum is wrong"),
            };
            let read = (self.0.total_in() - before) as usize;
            let written = (self.0.total_out() - out) as usize;
            Step { read, written, state }
        }

        fn restart(&mut self) {
            *self = Self::new();
        }
    }
}
