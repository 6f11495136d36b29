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
//! Times are in µs and wrap every 2²⁴ µs: a `TIME_HIGH` that is lower than the one before it by 2048 or
//! more starts a new round. Nothing is subtracted from times. Source: Prophesee's format pages, and
//! their decoder in OpenEB for what the pages do not say.
//!
//! Every word belongs to one part of the byte account: `EXT_TRIGGER`, `CONTINUED`, `IMU` and `OTHERS`
//! to `other`; reserved words, padding, vectors without a base and half a word at the end to `skipped`;
//! everything else to `events`, including words whose events are dropped because they precede the first
//! `TIME_HIGH`. `skipped` is therefore above 0 only if something violates the format. A vector before
//! the first `TIME_HIGH` counts as events without a time, with or without a base, because a recording
//! may start between a base and its vector.

mod cut;
mod encode;
mod fast;
mod registers;
#[cfg(test)]
mod tests;

use super::WordDecoder;
use crate::codec::{Format, Opened, ReadOptions};
use crate::error::Result;
use crate::formats::prophesee;
use crate::io::ByteSource;
use registers::{Evt3Registers, WORD};

pub(crate) static FORMAT: Format = Format {
    name: "EVT 3.0",
    extensions: &["raw"],
    detect: |head| prophesee::detect(head, "EVT3"),
    open,
    write: &[encode::TARGET],
};

fn open(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    prophesee::open(source, options, FORMAT.name, 2.0, |start| {
        prophesee::body(Evt3Registers::default(), start, options)
    })
}

/// Decodes the words of an EVT 3.0 stream, which follow its header.
pub type Evt3Decoder = WordDecoder<Evt3Registers, WORD>;

impl Evt3Decoder {
    /// A decoder for words that start `header` bytes after the beginning of the file; 0 for words from
    /// a camera.
    ///
    /// ```
    /// use liaf_data::formats::Evt3Decoder;
    /// use liaf_data::{Event, EventBatch, ReadOptions};
    /// use liaf_data::decode::Decoder;
    ///
    /// # fn main() -> liaf_data::Result<()> {
    /// // TIME_HIGH of 1, TIME_LOW of 5, row 4, then an ON event in column 3.
    /// let words = [0x8001_u16, 0x6005, 0x0004, 0x2803];
    /// let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    /// let mut decoder = Evt3Decoder::new(0, &ReadOptions::new());
    /// let mut events = EventBatch::new();
    /// for piece in bytes.chunks(3) {
    ///     decoder.push(piece, &mut events)?;
    /// }
    /// decoder.finish(&mut events)?;
    /// assert_eq!(events.get(0), Some(Event { t: 1 << 12 | 5, x: 3, y: 4, p: 1 }));
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(header: u64, options: &ReadOptions) -> Self {
        Self::after_header(Evt3Registers::default(), header, options)
    }
}
