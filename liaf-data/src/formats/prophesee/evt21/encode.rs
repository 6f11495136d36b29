//! Encoding of events as EVT 2.1: one word for up to 32 columns that change together.

use crate::codec::EventSpec;
use crate::codec::{Encoder, Evt21Order, Make, Output, Target};
use crate::error::Result;
use crate::formats::prophesee::{CAPABILITIES, raw_header};
use crate::model::EventBatch;

pub(crate) const LITTLE: Target = Target {
    name: "evt21",
    title: "EVT 2.1",
    extension: "raw",
    claims: &[],
    compressions: &[],
    capabilities: CAPABILITIES,
    make: Make::Encoder(|spec, _| Ok(Box::new(Evt21Encoder::new(spec, Evt21Order::Little)))),
};

pub(crate) const LEGACY: Target = Target {
    name: "evt21-legacy",
    title: "EVT 2.1 in the legacy order",
    make: Make::Encoder(|spec, _| Ok(Box::new(Evt21Encoder::new(spec, Evt21Order::Legacy)))),
    ..LITTLE
};

const TIME_HIGH: u32 = 8 << 28;
/// Number of columns of a word. The first column is a multiple of this, as in the words of cameras.
const COLUMNS: u16 = 32;
/// Number of bytes that are written together.
const CHUNK: usize = 64 << 10;

/// Writes a word for events of the same time, row and polarity whose columns are ascending and
/// within the same 32, and a word for each new `EVT_TIME_HIGH`.
struct Evt21Encoder {
    header: String,
    order: Evt21Order,
    /// The last `EVT_TIME_HIGH`.
    high: Option<u32>,
    /// The halves of the word that waits for more columns; there is none if the mask is 0.
    head: u32,
    mask: u32,
    words: Vec<u8>,
}

impl Evt21Encoder {
    fn new(spec: &EventSpec, order: Evt21Order) -> Self {
        Self {
            header: raw_header("2.1", "EVT21", Some(order.name()), spec.sensor),
            order,
            high: None,
            head: 0,
            mask: 0,
            words: Vec::new(),
        }
    }

    fn word(&mut self, head: u32, mask: u32) {
        let (first, second) = match self.order {
            Evt21Order::Little => (mask, head),
            Evt21Order::Legacy => (head, mask),
        };
        self.words.extend_from_slice(&first.to_le_bytes());
        self.words.extend_from_slice(&second.to_le_bytes());
    }

    /// Writes the waiting word.
    fn flush(&mut self) {
        if self.mask != 0 {
            self.word(self.head, self.mask);
            self.mask = 0;
        }
    }
}

impl Encoder for Evt21Encoder {
    fn start(&mut self, out: &mut dyn Output) -> Result<()> {
        out.append(self.header.as_bytes())
    }

    fn push(&mut self, events: &EventBatch, out: &mut dyn Output) -> Result<()> {
        for event in events.iter() {
            // More than 34 bits are possible only if the caller accepts a wrap.
            let high = (event.t >> 6) as u32 & 0x0fff_ffff;
            let low = event.t as u32 & 0x3f;
            let (base, column) = (event.x / COLUMNS * COLUMNS, event.x % COLUMNS);
            let pixel = u32::from(base) << 11 | u32::from(event.y);
            let head = u32::from(event.p & 1) << 28 | low << 22 | pixel;
            // A reader returns the columns of a word in ascending order.
            let joins = self.high == Some(high) && self.head == head && self.mask >> column == 0;
            if !joins {
                self.flush();
                if self.high != Some(high) {
                    self.word(TIME_HIGH | high, 0);
                    self.high = Some(high);
                }
                self.head = head;
            }
            self.mask |= 1 << column;
            if self.words.len() >= CHUNK {
                out.append(&self.words)?;
                self.words.clear();
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<()> {
        self.flush();
        out.append(&self.words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::ReadOptions;
    use crate::codec::bytes_of;
    use crate::model::{Event, SensorSize};
    use crate::read::Recording;

    #[test]
    fn columns_that_rise_within_a_word_share_it_and_no_others() {
        // Words: the time, 0 to 31, 32, 31 after it, 31 again, OFF, another row, another time.
        let mut events = EventBatch::new();
        let mut at = |t, x, y, p| events.push(Event { t, x, y, p });
        for x in 0..=32 {
            at(70, x, 2047, 1);
        }
        for (t, x, y, p) in [
            (70, 31, 2047, 1),
            (70, 31, 2047, 1),
            (70, 32, 2047, 0),
            (70, 33, 9, 0),
            (71, 34, 9, 0),
        ] {
            at(t, x, y, p);
        }
        // The times of two words: the highest, and one before it, which is a step back.
        at((1 << 33) - 1, 2047, 2047, 1);
        at(0, 0, 0, 0);
        for order in [Evt21Order::Little, Evt21Order::Legacy] {
            let spec = EventSpec::new(SensorSize::new(2048, 2048));
            let bytes = bytes_of(Evt21Encoder::new(&spec, order), &events);
            let header = bytes.windows(6).position(|six| six == b"% end\n").unwrap() + 6;
            assert_eq!((bytes.len() - header) / 8, 8 + 2 + 2, "{order:?}");
            let strict = ReadOptions { strict: true, ..ReadOptions::default() };
            let again = Recording::from_bytes(bytes, strict).unwrap().read_all().unwrap();
            assert_eq!(again, events, "{order:?}");
        }
    }
}
