//! Encoding of events as `.npy`: an array of records, as tonic writes them.

use crate::codec::EventSpec;
use crate::codec::{Capabilities, Encoder, Make, Output, Target};
use crate::container::npy;
use crate::error::Result;
use crate::model::EventBatch;

pub(crate) const TARGET: Target = Target {
    name: "npy-events",
    title: "a NumPy array of events",
    extension: "npy",
    // The extension alone selects a tensor file.
    claims: &[],
    compressions: &[],
    capabilities: CAPABILITIES,
    make: Make::Encoder(|spec, _| Ok(Box::new(NpyEncoder::new(spec)))),
};

/// What arrays of events can store, either as one array of records or as one array for each column.
pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    // The lowest value means "no value".
    t_min: i64::MIN + 1,
    // A reader takes larger whole numbers for times in ns.
    t_max: 100_000_000_000_000_000,
    x_max: i16::MAX as u16,
    y_max: i16::MAX as u16,
    ..Capabilities::ANYTHING
};

/// The record type, without padding.
const RECORD: &str = "[('x', '<i2'), ('y', '<i2'), ('t', '<i8'), ('p', '|b1')]";
const RECORD_BYTES: usize = 13;
/// Number of events whose records are made at a time.
const CHUNK: usize = 4096;

/// Writes a record of 13 bytes for each event, and their number at the end.
struct NpyEncoder {
    events: u64,
    records: Vec<u8>,
    note: String,
}

impl NpyEncoder {
    fn new(spec: &EventSpec) -> Self {
        let note = format!(
            "the file cannot store the size of its sensor, {}: state it when reading the file",
            spec.sensor
        );
        Self { events: 0, records: Vec::new(), note }
    }

    fn header(&self) -> Vec<u8> {
        npy::header(RECORD, &[self.events])
    }
}

impl Encoder for NpyEncoder {
    fn start(&mut self, out: &mut dyn Output) -> Result<()> {
        out.append(&self.header())
    }

    fn push(&mut self, events: &EventBatch, out: &mut dyn Output) -> Result<()> {
        let columns =
            events.x.chunks(CHUNK).zip(events.y.chunks(CHUNK)).zip(events.p.chunks(CHUNK));
        for (t, ((x, y), p)) in events.t.chunks(CHUNK).zip(columns) {
            self.records.resize(RECORD_BYTES * t.len(), 0);
            let (records, _) = self.records.as_chunks_mut::<RECORD_BYTES>();
            for ((((record, &t), &x), &y), &p) in records.iter_mut().zip(t).zip(x).zip(y).zip(p) {
                record[0..2].copy_from_slice(&x.to_le_bytes());
                record[2..4].copy_from_slice(&y.to_le_bytes());
                record[4..12].copy_from_slice(&t.to_le_bytes());
                record[12] = p & 1;
            }
            out.append(&self.records)?;
        }
        self.events += events.len() as u64;
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<()> {
        out.patch(0, &self.header())
    }

    fn patched(&self) -> Option<&'static str> {
        Some("the number of events, which is in its header")
    }

    fn notes(&self) -> Vec<String> {
        vec![self.note.clone()]
    }
}
