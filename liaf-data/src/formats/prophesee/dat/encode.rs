//! Encoding of events as DAT, version 2, as Metavision writes it.

use crate::codec::EventSpec;
use crate::codec::{Capabilities, Encoder, Make, Output, Target};
use crate::error::Result;
use crate::model::EventBatch;

pub(crate) const TARGET: Target = Target {
    name: "dat",
    title: "DAT",
    extension: "dat",
    claims: &["dat"],
    compressions: &[],
    capabilities: Capabilities {
        t_min: 0,
        t_max: u32::MAX as i64,
        wraps: Some(1 << 32),
        // A reader takes a longer step back for a wrap of the clock.
        step_back: 1 << 31,
        x_max: 0x3fff,
        y_max: 0x3fff,
        ..Capabilities::ANYTHING
    },
    make: Make::Encoder(|spec, _| Ok(Box::new(DatEncoder::new(spec)))),
};

/// Type and size of the records.
const EVENT_CD: [u8; 2] = [12, 8];
/// Number of events whose records are made at a time.
const CHUNK: usize = 4096;

/// Writes a record of 8 bytes for each event.
struct DatEncoder {
    header: Vec<u8>,
    records: Vec<u8>,
}

impl DatEncoder {
    fn new(spec: &EventSpec) -> Self {
        let (width, height) = (spec.sensor.width, spec.sensor.height);
        let header = format!(
            "% Data file containing CD events.\n% Version 2\n% Height {height}\n% Width {width}\n"
        );
        Self { header: [header.as_bytes(), &EVENT_CD].concat(), records: Vec::new() }
    }
}

impl Encoder for DatEncoder {
    fn start(&mut self, out: &mut dyn Output) -> Result<()> {
        out.append(&self.header)
    }

    fn push(&mut self, events: &EventBatch, out: &mut dyn Output) -> Result<()> {
        let columns =
            events.x.chunks(CHUNK).zip(events.y.chunks(CHUNK)).zip(events.p.chunks(CHUNK));
        for (t, ((x, y), p)) in events.t.chunks(CHUNK).zip(columns) {
            self.records.resize(8 * t.len(), 0);
            let (records, _) = self.records.as_chunks_mut::<8>();
            for ((((record, &t), &x), &y), &p) in records.iter_mut().zip(t).zip(x).zip(y).zip(p) {
                let data = u32::from(p & 1) << 28 | u32::from(y) << 14 | u32::from(x);
                // More than 32 bits are possible only if the caller accepts a wrap.
                *record = (u64::from(data) << 32 | u64::from(t as u32)).to_le_bytes();
            }
            out.append(&self.records)?;
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut dyn Output) -> Result<()> {
        Ok(())
    }
}
