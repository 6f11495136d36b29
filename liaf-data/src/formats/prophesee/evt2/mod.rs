//! Prophesee EVT 2.0 RAW: words of 32 bits.
//!
#![doc = include_str!("../../../../docs/formats/evt2.md")]

mod decode;
mod encode;
#[cfg(test)]
mod tests;

use super::WordDecoder;
use crate::codec::{Format, Opened, ReadOptions};
use crate::error::Result;
use crate::formats::prophesee;
use crate::io::ByteSource;
use decode::{Evt2Registers, WORD};

pub(crate) static FORMAT: Format = Format {
    name: "EVT 2.0",
    extensions: &["raw"],
    detect: |head| prophesee::detect(head, "EVT2"),
    open,
    write: &[encode::TARGET],
};

fn open(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    prophesee::open(source, options, FORMAT.name, 4.0, |start| {
        prophesee::body(Evt2Registers::default(), start, options)
    })
}

/// Decodes the words of an EVT 2.0 stream, which follow its header.
pub type Evt2Decoder = WordDecoder<Evt2Registers, WORD>;

impl Evt2Decoder {
    /// A decoder for words that start `header` bytes after the beginning of the file; 0 for words from
    /// a camera.
    ///
    /// ```
    /// use liaf_data::formats::Evt2Decoder;
    /// use liaf_data::{Event, EventBatch, ReadOptions};
    /// use liaf_data::decode::Decoder;
    ///
    /// # fn main() -> liaf_data::Result<()> {
    /// // TIME_HIGH of 1, then an ON event.
    /// let words = [0x8_u32 << 28 | 1, 0x1 << 28 | 5 << 22 | 3 << 11 | 4];
    /// let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    /// let mut decoder = Evt2Decoder::new(0, &ReadOptions::new());
    /// let mut events = EventBatch::new();
    /// for piece in bytes.chunks(3) {
    ///     decoder.push(piece, &mut events)?;
    /// }
    /// decoder.finish(&mut events)?;
    /// assert_eq!(events.get(0), Some(Event { t: 1 << 6 | 5, x: 3, y: 4, p: 1 }));
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(header: u64, options: &ReadOptions) -> Self {
        Self::after_header(Evt2Registers::default(), header, options)
    }
}
