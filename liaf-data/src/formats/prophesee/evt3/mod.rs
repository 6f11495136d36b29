//! Prophesee EVT 3.0 RAW: words of 16 bits that set registers.
//!
#![doc = include_str!("../../../../docs/formats/evt3.md")]

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
pub(crate) use registers::{Evt3Registers, WORD};

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
