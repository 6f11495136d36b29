//! Prophesee EVT 3.0 RAW: a text header of `% key value` lines, then words of 16 bits,
//! little-endian, whose upper four bits say what they are.
//!
//! | bits 15–12 | word | bits 11–0 |
//! |---|---|---|
//! | 0x0 | `ADDR_Y` | row 10–0 |
//! | 0x2 | `ADDR_X` | polarity 11, column 10–0: one event |
//! | 0x3 | `VECT_BASE_X` | polarity 11, column 10–0 of the next vector |
//! | 0x4 | `VECT_12` | an event at base + i for each bit i set; then base += 12 |
//! | 0x5 | `VECT_8` | the same with bits 7–0; then base += 8 |
//! | 0x6 | `TIME_LOW` | time bits 11–0 |
//! | 0x8 | `TIME_HIGH` | time bits 23–12; a new value sets the low bits to 0 |
//! | 0xA | `EXT_TRIGGER` | |
//! | 0x7, 0xD, 0xE, 0xF | `CONTINUED_4`, `IMU`, `OTHERS`, `CONTINUED_12` | |
//! | 0x1, 0x9, 0xB, 0xC | reserved; 0x9999 is padding of some cameras | |
//!
//! Time is in µs and wraps every 2²⁴ µs: a `TIME_HIGH` lower than the one before by 2048 or more
//! begins a new round. Nothing is subtracted from it. Source: Prophesee's format pages, and their
//! decoder in OpenEB where the pages are silent.
//!
//! Every word goes to one part of the byte account: `EXT_TRIGGER`, `CONTINUED`, `IMU` and `OTHERS`
//! to `other`; reserved words, padding, vectors without a base and half a word at the end to
//! `skipped`; all else to `events`, even where its events come before the first `TIME_HIGH` and are
//! dropped. So `skipped` is more than 0 only where something breaks the format. A vector before the
//! first `TIME_HIGH` counts as events before time, with or without a base: a recording may begin
//! between the two.

mod cut;
mod encode;
mod fast;
mod registers;
#[cfg(test)]
mod tests;

use super::WordDecoder;
use crate::codec::{Checkpoint, Decoder, EventSink, Format, Opened, ReadOptions};
use crate::error::Result;
use crate::formats::prophesee;
use crate::io::ByteSource;
use crate::model::Report;
use registers::{Registers, WORD};

pub(crate) static FORMAT: Format = Format {
    name: "EVT 3.0",
    extensions: &["raw"],
    detect: |head| prophesee::detect(head, "EVT3"),
    open,
    write: &[encode::TARGET],
};

fn open(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    prophesee::open(source, options, FORMAT.name, 2.0, |start| {
        let registers = Registers::default();
        prophesee::body(registers, start, options)
    })
}

/// Decodes the words of an EVT 3.0 stream; a header is behind it.
#[derive(Debug)]
pub struct Evt3Decoder(WordDecoder<Registers, WORD>);

impl Evt3Decoder {
    /// A decoder for words that begin `header` bytes into the file, 0 for words from a camera.
    pub fn new(header: u64, options: &ReadOptions) -> Self {
        Self(WordDecoder::behind(Registers::default(), header, options))
    }

    /// The same with batches of any size, to test every cut.
    #[cfg(test)]
    fn with_batches(header: u64, options: &ReadOptions, batch_words: usize) -> Self {
        Self(Self::new(header, options).0.with_batches(batch_words))
    }
}

impl Decoder for Evt3Decoder {
    fn push(&mut self, bytes: &[u8], sink: &mut dyn EventSink) -> Result<()> {
        self.0.push(bytes, sink)
    }

    fn finish(&mut self, sink: &mut dyn EventSink) -> Result<()> {
        self.0.finish(sink)
    }

    fn report(&self) -> &Report {
        self.0.report()
    }

    fn checkpoint(&self) -> Option<Checkpoint> {
        self.0.checkpoint()
    }

    fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.0.resume(checkpoint)
    }
}
