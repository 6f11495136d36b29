//! Encoding of events as CSV: a line for each event, with times in µs.

use std::io::Write;

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
        // A reader takes larger whole numbers for times in ns.
        t_max: 100_000_000_000_000_000,
        ..Capabilities::ANYTHING
    },
    make: Make::Encoder(|_, _| Ok(Box::new(CsvEncoder::default()))),
};

/// Number of bytes that are written together.
const CHUNK: usize = 64 << 10;

/// The first line. It has only the names of the columns, as readers of tables expect, so that the size
/// of the sensor cannot be stored.
const HEADER: &str = "t,x,y,p\n";

/// Writes a line of names and a line for each event.
#[derive(Default)]
struct CsvEncoder {
    lines: Vec<u8>,
}

impl Encoder for CsvEncoder {
    fn start(&mut self, out: &mut dyn Output) -> Result<()> {
        out.append(HEADER.as_bytes())
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
