//! Encoding of events as EVT 2.0, with a `TIME_HIGH` wherever the upper bits of the time change.

use crate::codec::EventSpec;
use crate::codec::{Encoder, Make, Output, Target};
use crate::error::Result;
use crate::formats::prophesee::{CAPABILITIES, raw_header};
use crate::model::EventBatch;

pub(crate) const TARGET: Target = Target {
    name: "evt2",
    title: "EVT 2.0",
    extension: "raw",
    claims: &[],
    compressions: &[],
    capabilities: CAPABILITIES,
    make: Make::Encoder(|spec, _| Ok(Box::new(Evt2Encoder::new(spec)))),
};

const TIME_HIGH: u32 = 8 << 28;
/// Number of bytes that are written together.
const CHUNK: usize = 64 << 10;

/// Writes a word for each event, and one for each new `TIME_HIGH`.
struct Evt2Encoder {
    header: String,
    /// The last `TIME_HIGH`.
    high: Option<u32>,
    words: Vec<u8>,
}

impl Evt2Encoder {
    fn new(spec: &EventSpec) -> Self {
        Self { header: raw_header("2.0", "EVT2", None, spec.sensor), high: None, words: Vec::new() }
    }
}

impl Encoder for Evt2Encoder {
    fn start(&mut self, out: &mut dyn Output) -> Result<()> {
        out.append(self.header.as_bytes())
    }

    fn push(&mut self, events: &EventBatch, out: &mut dyn Output) -> Result<()> {
        for event in events.iter() {
            // More than 34 bits are possible only if the caller accepts a wrap.
            let high = (event.t >> 6) as u32 & 0x0fff_ffff;
            if self.high != Some(high) {
                self.words.extend_from_slice(&(TIME_HIGH | high).to_le_bytes());
                self.high = Some(high);
            }
            let pixel = u32::from(event.x) << 11 | u32::from(event.y);
            let word = u32::from(event.p & 1) << 28 | (event.t as u32 & 0x3f) << 22 | pixel;
            self.words.extend_from_slice(&word.to_le_bytes());
            if self.words.len() >= CHUNK {
                out.append(&self.words)?;
                self.words.clear();
            }
        }
        out.append(&self.words)?;
        self.words.clear();
        Ok(())
    }

    fn finish(&mut self, _: &mut dyn Output) -> Result<()> {
        Ok(())
    }
}
