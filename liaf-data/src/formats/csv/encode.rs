//! Encoding of events as CSV: a line for each event, with times in µs.

use std::io::Write;

use crate::codec::EventSpec;
use crate::codec::{Capabilities, Encoder, Make, Output, Target};
use crate::error::{Error, Result};
use crate::model::EventBatch;

pub(crate) const TARGET: Target = Target {
    name: "csv",
    title: "CSV",
    extension: "csv",
    claims: &["csv"],
    compressions: &[],
    capabilities: Capabilities {
        t_min: 0,
        // A reader takes larger whole numbers for ns.
        t_max: 100_000_000_000_000_000,
        ..Capabilities::ANYTHING
    },
    make: Make::Encoder(|spec, _| Ok(Box::new(CsvEncoder::new(spec)))),
};

/// Number of bytes that are written together.
const CHUNK: usize = 64 << 10;

/// Writes a line of names, which contain the size of the sensor as in faery, and a line for each
/// event.
struct CsvEncoder {
    header: String,
    lines: Vec<u8>,
}

impl CsvEncoder {
    fn new(spec: &EventSpec) -> Self {
        let (width, height) = (spec.sensor.width, spec.sensor.height);
        Self { header: format!("t,x@{width},y@{height},on\n"), lines: Vec::new() }
    }
}

impl Encoder for CsvEncoder {
    fn start(&mut self, out: &mut dyn Output) -> Result<()> {
        out.append(self.header.as_bytes())
    }

    fn push(&mut self, events: &EventBatch, out: &mut dyn Output) -> Result<()> {
        for event in events.iter() {
            let (t, x, y, p) = (event.t, event.x, event.y, event.p & 1);
            writeln!(self.lines, "{t},{x},{y},{p}")
                .map_err(|error| Error::system("cannot write", error))?;
            if self.lines.len() >= CHUNK {
                out.append(&self.lines)?;
                self.lines.clear();
            }
        }
        out.append(&self.lines)?;
        self.lines.clear();
        Ok(())
    }

    fn finish(&mut self, _: &mut dyn Output) -> Result<()> {
        Ok(())
    }
}
