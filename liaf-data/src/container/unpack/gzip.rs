//! Members of gzip files.

#[cfg(not(feature = "zip"))]
pub(super) type Gzip = super::codec::Absent<0>;
#[cfg(feature = "zip")]
pub(super) use inflate::Gzip;
#[cfg(feature = "zip")]
pub(super) use inflate::run;

#[cfg(not(feature = "zip"))]
impl Gzip {
    pub fn new() -> Self {
        Self
    }
}

#[cfg(feature = "zip")]
mod inflate {
    use zlib_rs::{Inflate, InflateFlush, Status};

    use super::super::codec::{Codec, State, Step};

    /// Bits of the window, and 16 for the header and the checksums of gzip.
    const WINDOW: u8 = 15 + 16;

    pub(in crate::container::unpack) struct Gzip(Inflate);

    impl Gzip {
        pub fn new() -> Self {
            Self(Inflate::new(true, WINDOW))
        }
    }

    impl Codec for Gzip {
        fn run(&mut self, input: &[u8], output: &mut [u8]) -> Step {
            run(&mut self.0, input, output)
        }

        fn restart(&mut self) {
            *self = Self::new();
        }
    }

    /// Inflates with any header.
    pub(in crate::container::unpack) fn run(
        inflate: &mut Inflate,
        input: &[u8],
        output: &mut [u8],
    ) -> Step {
        let (before, out) = (inflate.total_in(), inflate.total_out());
        let outcome = inflate.decompress(input, output, InflateFlush::NoFlush);
        Step {
            read: (inflate.total_in() - before) as usize,
            written: (inflate.total_out() - out) as usize,
            state: match outcome {
                Ok(Status::Ok | Status::BufError) => State::Open,
                Ok(Status::StreamEnd) => State::Ended,
                Err(_) => State::Damaged("it is not valid, or its checksum is wrong"),
            },
        }
    }
}
