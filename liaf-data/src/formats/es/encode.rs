//! Encoding of events as Event Stream files of a DVS.

use crate::codec::EventSpec;
use crate::codec::{Capabilities, Encoder, Make, Output, Target};
use crate::error::Result;
use crate::model::{EventBatch, SensorSize};

pub(crate) const TARGET: Target = Target {
    name: "es",
    title: "Event Stream",
    extension: "es",
    claims: &["es"],
    compressions: &[],
    capabilities: Capabilities {
        t_min: 0,
        // Every 127 µs without an event take a byte: this limit corresponds to 0.5 GB.
        t_max: (1 << 36) - 1,
        step_back: 0,
        x_max: u16::MAX - 1,
        y_max: u16::MAX - 1,
        ..Capabilities::ANYTHING
    },
    make: Make::Encoder(|spec, _| Ok(Box::new(EventStreamEncoder::new(spec)))),
};

/// How much an overflow byte adds to the time, in µs.
const OVERFLOW: i64 = 127;
/// Number of bytes that are written together.
const CHUNK: usize = 64 << 10;

/// Writes five bytes for each event, and one byte for each 127 µs without an event.
struct EventStreamEncoder {
    sensor: SensorSize,
    /// Time of the last event.
    t: i64,
    bytes: Vec<u8>,
}

impl EventStreamEncoder {
    fn new(spec: &EventSpec) -> Self {
        Self { sensor: spec.sensor, t: 0, bytes: Vec::new() }
    }

    fn give(&mut self, least: usize, out: &mut dyn Output) -> Result<()> {
        if self.bytes.len() >= least {
            out.append(&self.bytes)?;
            self.bytes.clear();
        }
        Ok(())
    }
}

impl Encoder for EventStreamEncoder {
    fn start(&mut self, out: &mut dyn Output) -> Result<()> {
        out.append(b"Event Stream\x02\x00\x00\x01")?;
        out.append(&self.sensor.width.to_le_bytes())?;
        out.append(&self.sensor.height.to_le_bytes())
    }

    fn push(&mut self, events: &EventBatch, out: &mut dyn Output) -> Result<()> {
        for event in events.iter() {
            while event.t - self.t >= OVERFLOW {
                self.bytes.push(0xff);
                self.t += OVERFLOW;
                self.give(CHUNK, out)?;
            }
            // The value is below 127, so that it is never one of the two bytes with a special
            // meaning.
            let delta = (event.t - self.t).max(0) as u8;
            self.t = event.t;
            let y = (self.sensor.height - 1).wrapping_sub(event.y);
            self.bytes.push(delta << 1 | event.p & 1);
            self.bytes.extend_from_slice(&event.x.to_le_bytes());
            self.bytes.extend_from_slice(&y.to_le_bytes());
            self.give(CHUNK, out)?;
        }
        self.give(1, out)
    }

    fn finish(&mut self, _: &mut dyn Output) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::ReadOptions;
    use crate::codec::bytes_of;
    use crate::model::Event;
    use crate::read::Recording;

    #[test]
    fn pauses_of_every_length_come_back() {
        let mut t = 0;
        let events: EventBatch = [0, 0, 1, 126, 127, 128, 253, 254, 255, 100_000]
            .into_iter()
            .enumerate()
            .map(|(i, pause)| {
                t += pause;
                Event { t, x: 299, y: (i % 2 * 199) as u16, p: (i % 2) as u8 }
            })
            .collect();
        let bytes =
            bytes_of(EventStreamEncoder::new(&EventSpec::new(SensorSize::new(300, 200))), &events);
        let options = ReadOptions { strict: true, ..ReadOptions::default() };
        assert_eq!(Recording::from_bytes(bytes, options).unwrap().read_all().unwrap(), events);
    }
}
