//! Encoding of events as the text that E2VID reads: a line with the size of the sensor, then a line for
//! each event, with times in seconds.

use std::io::Write;

use crate::codec::{Capabilities, Encoder, Make, Output, Target};
use crate::error::{Error, Result};
use crate::model::{EventBatch, SensorSize};

pub(crate) const TARGET: Target = Target {
    name: "e2vid",
    title: "E2VID text",
    extension: "txt",
    claims: &[],
    compressions: &[],
    capabilities: Capabilities {
        t_min: 0,
        // Programs read the times as float64, which is exact to the µs up to here.
        t_max: (1 << 52) - 1,
        // Programs read the coordinates as int16.
        x_max: i16::MAX as u16,
        y_max: i16::MAX as u16,
        // A line with two numbers alone is not recognised as a recording.
        no_events: false,
        ..Capabilities::ANYTHING
    },
    make: Make::Encoder(|spec, _| {
        Ok(Box::new(E2vidEncoder { sensor: spec.sensor, lines: Vec::new() }))
    }),
};

/// Number of bytes that are written together.
const CHUNK: usize = 64 << 10;

/// Writes the size of the sensor and a line for each event.
struct E2vidEncoder {
    sensor: SensorSize,
    lines: Vec<u8>,
}

impl Encoder for E2vidEncoder {
    fn start(&mut self, out: &mut dyn Output) -> Result<()> {
        out.append(format!("{} {}\n", self.sensor.width, self.sensor.height).as_bytes())
    }

    fn push(&mut self, events: &EventBatch, out: &mut dyn Output) -> Result<()> {
        for event in events.iter() {
            let (seconds, micros) = (event.t.div_euclid(1_000_000), event.t.rem_euclid(1_000_000));
            let (x, y, p) = (event.x, event.y, event.p & 1);
            writeln!(self.lines, "{seconds}.{micros:06} {x} {y} {p}")
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
