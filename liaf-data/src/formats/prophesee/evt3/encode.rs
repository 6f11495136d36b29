//! Encoding of events as EVT 3.0: words where registers change, and vectors where they are shorter.

use super::registers::kind;
use crate::codec::EventSpec;
use crate::codec::{Capabilities, Encoder, Make, Output, Target};
use crate::error::Result;
use crate::formats::prophesee::raw_header;
use crate::model::{Event, EventBatch};

pub(crate) const TARGET: Target = Target {
    name: "evt3",
    title: "EVT 3.0",
    extension: "raw",
    claims: &["raw"],
    compressions: &[],
    capabilities: Capabilities {
        t_min: 0,
        // Every round of 16.8 s before the first event takes two words: this limit corresponds to
        // 262 kB.
        t_max: (1 << 40) - 1,
        // A step back over the end of a round cannot be distinguished from a step forward.
        step_back: 0,
        x_max: 0x7ff,
        y_max: 0x7ff,
        ..Capabilities::ANYTHING
    },
    make: Make::Encoder(|spec, _| Ok(Box::new(Evt3Encoder::new(spec)))),
};

/// Number of `TIME_HIGH` values in a round of 2²⁴ µs.
const HIGHS: i64 = 1 << 12;
/// Number of columns of a vector: two words of 12 and one of 8, which some readers need together.
const COLUMNS: u16 = 32;
/// From this number of events on, a vector with its base is shorter than single words.
const PAYS: usize = 5;
/// Number of bytes that are written together.
const CHUNK: usize = 64 << 10;

/// Writes words that set registers, single events, and vectors.
struct Evt3Encoder {
    header: String,
    /// Bits of the time from 12 on, including rounds, as the reader has them.
    high: Option<i64>,
    low: Option<u16>,
    y: Option<u16>,
    /// Waiting events of the same time, row and polarity with ascending columns, which may become
    /// vectors.
    run: Vec<Event>,
    words: Vec<u8>,
}

impl Evt3Encoder {
    fn new(spec: &EventSpec) -> Self {
        Self {
            header: raw_header("3.0", "EVT3", None, spec.sensor),
            high: None,
            low: None,
            y: None,
            run: Vec::new(),
            words: Vec::new(),
        }
    }

    fn word(&mut self, kind: u16, value: u16) {
        self.words.extend_from_slice(&(kind << 12 | value & 0xfff).to_le_bytes());
    }

    /// Sets the time and the row. At the end of a round, the last `TIME_HIGH` is followed by 0, as
    /// in a camera, so that every reader notices the end of the round.
    fn set(&mut self, t: i64, y: u16) {
        let high = t >> 12;
        if self.high != Some(high) {
            let mut now = self.high.unwrap_or(0);
            while now / HIGHS < high / HIGHS {
                self.word(kind::TIME_HIGH, 0xfff);
                self.word(kind::TIME_HIGH, 0);
                now = (now / HIGHS + 1) * HIGHS;
            }
            self.word(kind::TIME_HIGH, (high % HIGHS) as u16);
            (self.high, self.low) = (Some(high), None);
        }
        let low = (t & 0xfff) as u16;
        if self.low != Some(low) {
            self.word(kind::TIME_LOW, low);
            self.low = Some(low);
        }
        if self.y != Some(y) {
            self.word(kind::ADDR_Y, y);
            self.y = Some(y);
        }
    }

    /// Writes the waiting events.
    fn flush(&mut self) {
        let run = std::mem::take(&mut self.run);
        if let Some(&Event { t, y, p, .. }) = run.first() {
            self.set(t, y);
            let p = u16::from(p & 1) << 11;
            let mut rest = &run[..];
            while let [first, ..] = rest {
                let together = rest.partition_point(|event| event.x - first.x < COLUMNS);
                let (vector, after) = rest.split_at(together);
                if together >= PAYS {
                    let mask = vector.iter().fold(0u32, |mask, e| mask | 1 << (e.x - first.x));
                    self.word(kind::VECT_BASE_X, p | first.x);
                    self.word(kind::VECT_12, mask as u16);
                    self.word(kind::VECT_12, (mask >> 12) as u16);
                    self.word(kind::VECT_8, (mask >> 24) as u16);
                    rest = after;
                } else {
                    self.word(kind::ADDR_X, p | first.x);
                    rest = &rest[1..];
                }
            }
        }
        self.run = run;
        self.run.clear();
    }
}

impl Encoder for Evt3Encoder {
    fn start(&mut self, out: &mut dyn Output) -> Result<()> {
        out.append(self.header.as_bytes())
    }

    fn push(&mut self, events: &EventBatch, out: &mut dyn Output) -> Result<()> {
        for event in events.iter() {
            let goes_on = self.run.last().is_some_and(|last| {
                (last.t, last.y, last.p) == (event.t, event.y, event.p) && last.x < event.x
            });
            if !goes_on {
                self.flush();
            }
            self.run.push(event);
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
    use crate::model::SensorSize;
    use crate::read::Recording;

    #[test]
    fn rounds_vectors_and_corners_come_back() {
        let mut events = EventBatch::new();
        let mut at = |t, x, y, p| events.push(Event { t, x, y, p });
        at(5 << 24, 0, 0, 1);
        for x in (100..180).chain(200..240).step_by(3) {
            at((5 << 24) + 1, x, 7, 1);
        }
        for x in [2047, 2047, 0, 1, 2, 3, 4, 36, 5] {
            at((5 << 24) + 4095, x, 2047, 0);
        }
        at((9 << 24) - 1, 1, 1, 1);
        at(9 << 24, 1, 1, 1);
        at((9 << 24) + (1 << 23), 1, 1, 0);
        at((1 << 40) - 1, 1, 1, 0);
        let bytes =
            bytes_of(Evt3Encoder::new(&EventSpec::new(SensorSize::new(2048, 2048))), &events);
        let strict = ReadOptions { strict: true, ..ReadOptions::default() };
        assert_eq!(Recording::from_bytes(bytes, strict).unwrap().read_all().unwrap(), events);
    }
}
