//! Encoding of events as ATIS records of 5 bytes.

use super::decode::{OVERFLOW, OVERFLOW_Y, RECORD};
use crate::codec::EventSpec;
use crate::codec::{Capabilities, Encoder, Make, Output, Target};
use crate::error::Result;
use crate::model::{EventBatch, SensorSize};

/// The range of times that a record can store, in µs.
const STORED: i64 = 1 << 23;
/// The stored time to which overflows return, in µs. This happens once in 4 s, so that stored times
/// mostly increase, by which a reader recognises the format; and the stored time is not 0, so that
/// late events can follow.
const BACK_TO: i64 = 1 << 22;

pub(crate) const TARGET: Target = Target {
    name: "atis-bin",
    title: "ATIS bin",
    extension: "bin",
    claims: &["bin"],
    compressions: &[],
    capabilities: Capabilities {
        t_min: 0,
        // Every 8192 µs after the first 8 s take a record: this limit corresponds to 40 MB.
        t_max: (1 << 36) - 1,
        // An overflow cannot be undone.
        lateness: BACK_TO as u64,
        x_max: u8::MAX as u16,
        y_max: OVERFLOW_Y as u16 - 1,
        no_events: false,
        ..Capabilities::ANYTHING
    },
    make: Make::Encoder(|spec, _| Ok(Box::new(AtisBinEncoder::new(spec)))),
};

/// The only sensor that a reader can recognise from the events alone.
const SMALLEST: SensorSize = SensorSize::new(34, 34);
/// Number of bytes that are written together.
const CHUNK: usize = 64 << 10;

/// Writes a record for each event, and one for each overflow.
struct AtisBinEncoder {
    sensor: SensorSize,
    /// What overflows have added so far, in µs.
    epoch: i64,
    bytes: Vec<u8>,
}

impl AtisBinEncoder {
    fn new(spec: &EventSpec) -> Self {
        Self { sensor: spec.sensor, epoch: 0, bytes: Vec::new() }
    }

    fn record(&mut self, x: u8, y: u8, p: u8, t: u32) {
        let [_, high, middle, low] = t.to_be_bytes();
        self.bytes.extend_from_slice(&[x, y, (p & 1) << 7 | high & 0x7f, middle, low]);
    }

    fn give(&mut self, least: usize, out: &mut dyn Output) -> Result<()> {
        if self.bytes.len() >= least {
            out.append(&self.bytes)?;
            self.bytes.clear();
        }
        Ok(())
    }
}

impl Encoder for AtisBinEncoder {
    fn start(&mut self, _: &mut dyn Output) -> Result<()> {
        Ok(())
    }

    fn push(&mut self, events: &EventBatch, out: &mut dyn Output) -> Result<()> {
        for event in events.iter() {
            if event.t - self.epoch >= STORED {
                while event.t - self.epoch >= BACK_TO + OVERFLOW {
                    self.record(0, OVERFLOW_Y, 0, BACK_TO as u32);
                    self.epoch += OVERFLOW;
                    self.give(CHUNK, out)?;
                }
            }
            let t = (event.t - self.epoch).max(0) as u32;
            self.record(event.x as u8, event.y as u8, event.p, t);
            self.give(CHUNK, out)?;
        }
        self.give(RECORD, out)
    }

    fn finish(&mut self, _: &mut dyn Output) -> Result<()> {
        Ok(())
    }

    fn notes(&self) -> Vec<String> {
        let note = || {
            format!(
                "ATIS bin cannot store that the sensor has {} pixels: state it when reading the file",
                self.sensor
            )
        };
        (self.sensor != SMALLEST).then(note).into_iter().collect()
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
    fn times_beyond_23_bits_come_back_and_so_do_late_events() {
        let hour = 3_600_000_000;
        let times = [
            0,
            STORED - 1,
            STORED,
            STORED - BACK_TO,
            STORED + BACK_TO - 1,
            STORED + BACK_TO,
            hour,
            hour - BACK_TO,
            hour - 1,
            hour + BACK_TO,
            hour + 2 * BACK_TO,
        ];
        for shift in [0, 1, OVERFLOW - 1] {
            let events: EventBatch = times
                .into_iter()
                .map(|t| Event { t: t + shift, x: 255, y: 239, p: (t & 1) as u8 })
                .collect();
            let bytes =
                bytes_of(AtisBinEncoder::new(&EventSpec::new(SensorSize::new(256, 240))), &events);
            let strict = ReadOptions { strict: true, ..ReadOptions::default() };
            let options = ReadOptions { format: Some(&super::super::FORMAT), ..strict };
            assert_eq!(Recording::from_bytes(bytes, options).unwrap().read_all().unwrap(), events);
        }
    }
}
