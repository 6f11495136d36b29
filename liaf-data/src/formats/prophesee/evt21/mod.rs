//! Prophesee EVT 2.1 RAW: words of 64 bits with a mask of columns.
//!
#![doc = include_str!("../../../../docs/formats/evt21.md")]
//!
//! # In Rust
//!
//! The order of the halves is [`Evt21Order`].

mod decode;
mod encode;
#[cfg(test)]
mod tests;

use super::WordDecoder;
use crate::codec::{Evt21Order, Format, Opened, ReadOptions};
use crate::error::Result;
use crate::formats::prophesee;
use crate::io::ByteSource;
pub(crate) use decode::{Evt21Registers, WORD};

pub(crate) static FORMAT: Format = Format {
    name: "EVT 2.1",
    extensions: &["raw"],
    detect: |head| prophesee::detect(head, "EVT21"),
    open,
    write: &[encode::LITTLE, encode::LEGACY],
};

fn open(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    prophesee::open(source, options, FORMAT.name, 2.0, |start| {
        let order = options.evt.order.map_or_else(|| start.header.evt21_order(), Ok)?;
        prophesee::body(Evt21Registers::new(order), start, options)
    })
}

/// Decodes the words of an EVT 2.1 stream, which follow its header.
pub type Evt21Decoder = WordDecoder<Evt21Registers, WORD>;

impl Evt21Decoder {
    /// A decoder for words that start `header` bytes after the beginning of the file; 0 for words from
    /// a camera.
    ///
    /// ```
    /// use liaf_data::formats::Evt21Decoder;
    /// use liaf_data::{Event, EventBatch, ReadOptions};
    /// use liaf_data::decode::Decoder;
    /// use liaf_data::options::Evt21Order;
    ///
    /// # fn main() -> liaf_data::Result<()> {
    /// // TIME_HIGH of 1, then ON events in columns 3 and 5.
    /// let words = [0x8_u64 << 60 | 1 << 32, 0x1 << 60 | 5 << 54 | 3 << 43 | 4 << 32 | 0b101];
    /// let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    /// let mut decoder = Evt21Decoder::new(0, Evt21Order::Little, &ReadOptions::new());
    /// let mut events = EventBatch::new();
    /// for piece in bytes.chunks(3) {
    ///     decoder.push(piece, &mut events)?;
    /// }
    /// decoder.finish(&mut events)?;
    /// assert_eq!(events.get(0), Some(Event { t: 1 << 6 | 5, x: 3, y: 4, p: 1 }));
    /// assert_eq!(events.x(), [3, 5]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(header: u64, order: Evt21Order, options: &ReadOptions) -> Self {
        Self::after_header(Evt21Registers::new(order), header, options)
    }
}
