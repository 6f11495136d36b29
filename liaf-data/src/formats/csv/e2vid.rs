//! Encoding of events as the text that E2VID reads: a line with the size of the sensor, then a line for
//! each event, with times in seconds.

use std::io::Write;

use super::lines::LineEncoder;
use crate::codec::{Capabilities, Make, Target};

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
        let size = format!("{} {}\n", spec.sensor.width, spec.sensor.height);
        Ok(Box::new(LineEncoder::new(size, |event, lines| {
            let (seconds, micros) = (event.t.div_euclid(1_000_000), event.t.rem_euclid(1_000_000));
            writeln!(lines, "{seconds}.{micros:06} {} {} {}", event.x, event.y, event.p & 1)
        })))
    }),
};
