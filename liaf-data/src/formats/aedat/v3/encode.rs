//! Encoding of events as AEDAT 3.1.

use super::packet::{HEADER, POLARITY};
use crate::codec::EventSpec;
use crate::codec::{Capabilities, Encoder, Make, Output, Target};
use crate::error::Result;
use crate::model::{EventBatch, SensorSize};

pub(crate) const TARGET: Target = Target {
    name: "aedat3",
    title: "AEDAT 3.1",
    extension: "aedat",
    claims: &["aedat3"],
    compressions: &[],
    capabilities: Capabilities {
        t_min: 0,
        // After damage, readers search for packets, and take a packet with a later time for damaged.
        t_max: (1 << 52) - 1,
        x_max: 0x7fff,
        y_max: 0x7fff,
        ..Capabilities::ANYTHING
    },
    make: Make::Encoder(|spec, _| Ok(Box::new(Aedat3Encoder::new(spec)))),
};

/// Devices whose name tells a reader the size of the sensor.
const DEVICES: &[(&str, SensorSize)] = &[
    ("DVS128", SensorSize::new(128, 128)),
    ("DAVIS240C", SensorSize::new(240, 180)),
    ("DAVIS346B", SensorSize::new(346, 260)),
    ("DAVIS640", SensorSize::new(640, 480)),
];

/// Number of events in a packet.
const PACKET: usize = 4096;
/// The number of the only source.
const SOURCE: i16 = 1;

/// Writes packets of polarity events.
struct Aedat3Encoder {
    header: String,
    note: Option<String>,
    /// The bits above the 31 bits of the times in the packet that is being filled.
    overflow: i64,
    /// The events of that packet, after space for its header.
    packet: Vec<u8>,
}

impl Aedat3Encoder {
    fn new(spec: &EventSpec) -> Self {
        let device = DEVICES.iter().find(|(_, size)| *size == spec.sensor).map(|&(name, _)| name);
        let mut header = format!(
            "#!AER-DAT3.1\r\n#Format: RAW\r\n#Source {SOURCE}: {}\r\n",
            device.unwrap_or("unknown")
        );
        if !spec.provenance.is_empty() {
            header += &format!("#liaf: {}\r\n", spec.provenance.replace(['\r', '\n'], " "));
        }
        header += "#!END-HEADER\r\n";
        let note = device.is_none().then(|| {
            format!(
                "AEDAT 3.1 cannot store that the sensor has {} pixels: state it when reading the file",
                spec.sensor
            )
        });
        Self { header, note, overflow: 0, packet: vec![0; HEADER] }
    }

    fn events(&self) -> usize {
        (self.packet.len() - HEADER) / 8
    }

    fn give(&mut self, out: &mut dyn Output) -> Result<()> {
        let number = self.events() as i32;
        if number == 0 {
            return Ok(());
        }
        let mut header = [POLARITY.to_le_bytes(), SOURCE.to_le_bytes()].concat();
        for word in [8, 4, self.overflow as i32, number, number, number] {
            header.extend(i32::to_le_bytes(word));
        }
        for (byte, stated) in self.packet.iter_mut().zip(header) {
            *byte = stated;
        }
        out.append(&self.packet)?;
        self.packet.truncate(HEADER);
        Ok(())
    }
}

impl Encoder for Aedat3Encoder {
    fn start(&mut self, out: &mut dyn Output) -> Result<()> {
        out.append(self.header.as_bytes())
    }

    fn push(&mut self, events: &EventBatch, out: &mut dyn Output) -> Result<()> {
        for event in events.iter() {
            let overflow = event.t >> 31;
            if overflow != self.overflow || self.events() == PACKET {
                self.give(out)?;
                self.overflow = overflow;
            }
            let (x, y, p) = (u32::from(event.x), u32::from(event.y), u32::from(event.p & 1));
            let data = x << 17 | y << 2 | p << 1 | 1;
            let time = (event.t & 0x7fff_ffff) as u32;
            self.packet.extend_from_slice(&data.to_le_bytes());
            self.packet.extend_from_slice(&time.to_le_bytes());
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<()> {
        self.give(out)
    }

    fn notes(&self) -> Vec<String> {
        self.note.iter().cloned().collect()
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
    fn times_about_the_overflow_come_back_in_any_order() {
        let late = 1_600_000_000_000_000;
        let times = [0, 1 << 31, (1 << 31) - 1, 1 << 32, 5, late, late + 1, (1 << 52) - 1];
        let events: EventBatch = times
            .into_iter()
            .cycle()
            .take(10_000)
            .map(|t| Event { t, x: 239, y: 179, p: (t & 1) as u8 })
            .collect();
        let bytes =
            bytes_of(Aedat3Encoder::new(&EventSpec::new(SensorSize::new(240, 180))), &events);
        let options = ReadOptions { strict: true, ..ReadOptions::default() };
        let mut recording = Recording::from_bytes(bytes, options).unwrap();
        assert_eq!(recording.info().sensor, Some(SensorSize::new(240, 180)));
        assert_eq!(recording.read_all().unwrap(), events);
    }
}
