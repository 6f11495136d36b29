//! Frames of ZSTD.

#[cfg(not(feature = "zstd"))]
pub(super) type Zstd = super::codec::Absent<1>;
#[cfg(feature = "zstd")]
pub(super) use frames::Zstd;

#[cfg(not(feature = "zstd"))]
impl Zstd {
    pub fn new(_limits: &crate::limits::Limits) -> crate::error::Result<Self> {
        Ok(Self)
    }
}

#[cfg(feature = "zstd")]
mod frames {
    use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

    use super::super::codec::{Codec, State, Step};
    use crate::error::{Error, Result};
    use crate::limits::Limits;

    pub(in crate::container::unpack) struct Zstd(Decoder<'static>);

    impl Zstd {
        pub fn new(limits: &Limits) -> Result<Self> {
            let cannot = |error| Error::system("cannot decompress ZSTD", error);
            let mut decoder = Decoder::new().map_err(cannot)?;
            // The library takes 10 to 30.
            let window = limits.window_bytes.max(1).ilog2().clamp(10, 30);
            decoder.set_parameter(DParameter::WindowLogMax(window)).map_err(cannot)?;
            Ok(Self(decoder))
        }
    }

    impl Codec for Zstd {
        fn run(&mut self, input: &[u8], output: &mut [u8]) -> Step {
            let mut input = InBuffer::around(input);
            let mut output = OutBuffer::around(output);
            let outcome = self.0.run(&mut input, &mut output);
            let (read, written) = (input.pos(), output.pos());
            let state = match outcome {
                Ok(0) => State::Ended,
                Ok(_) => State::Open,
                // The library has no other way to tell.
                Err(error) if error.to_string().contains("too much memory") => State::TooLarge,
                Err(_) => State::Damaged("it is not valid, or its checksum is wrong"),
            };
            Step { read, written, state }
        }

        fn restart(&mut self) {
            // Only a reset of more than the session can fail; the next frame would be refused then.
            let _ = self.0.reinit();
        }
    }
}
