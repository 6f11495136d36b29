//! Encoding of events as CSV: a line for each event, with times in µs.

use std::io::Write;

use super::lines::LineEncoder;
use crate::codec::{Capabilities, Make, Target};

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
    make: Make::Encoder(|_, _| {
        Ok(Box::new(LineEncoder::new(HEADER.into(), |event, lines| {
            writeln!(lines, "{},{},{},{}", event.t, event.x, event.y, event.p & 1)
        })))
    }),
};

/// The first line. It has only the names of the columns, as readers of tables expect, so that the size
/// of the sensor cannot be stored.
const HEADER: &str = "t,x,y,p\n";
