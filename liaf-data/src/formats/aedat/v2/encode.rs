//! Encoding of events as AEDAT 2.0, as jAER writes it.

use byteorder::{BigEndian, ByteOrder};

use super::layout::{Layout, Stored};
use crate::codec::EventSpec;
use crate::codec::{Capabilities, Encoder, Make, Output, Target, WriteOptions};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::model::{EventBatch, SensorSize};

pub(crate) const TARGET: Target = Target {
    name: "aedat2",
    title: "AEDAT 2.0",
    extension: "aedat",
    claims: &["aedat", "aedat2"],
    compressions: &[],
    capabilities: Capabilities {
        t_min: 0,
        t_max: u32::MAX as i64,
        wraps: Some(1 << 32),
        // A reader takes a longer step back for a wrap of the clock.
        step_back: 1 << 31,
        x_max: 639,
        y_max: 479,
        ..Capabilities::ANYTHING
    },
    make: Make::Encoder(|spec, options| Ok(Box::new(Aedat2Encoder::new(spec, options)?))),
};

/// The chips that files can be written for, by their class in jAER, ordered by size.
const CHIPS: &[(&str, Layout, SensorSize)] = &[
    ("ch.unizh.ini.jaer.chip.retina.DVS128", Layout::Dvs128, SensorSize::new(128, 128)),
    ("eu.seebetter.ini.chips.davis.DAVIS240C", Layout::Davis, SensorSize::new(240, 180)),
    ("eu.seebetter.ini.chips.davis.Davis346B", Layout::Davis, SensorSize::new(346, 260)),
    ("eu.seebetter.ini.chips.davis.Davis640", Layout::Davis, SensorSize::new(640, 480)),
];

/// Number of events whose records are made at a time.
const CHUNK: usize = 4096;

/// Writes a record of 8 bytes for each event.
struct Aedat2Encoder {
    header: String,
    stored: Stored,
    records: Vec<u8>,
    note: Option<String>,
}

impl Aedat2Encoder {
    fn new(spec: &EventSpec, _: &WriteOptions) -> Result<Self> {
        let sensor = spec.sensor;
        let exact = CHIPS.iter().find(|(.., size)| *size == sensor);
        // Both axes are stored from the far end, so that the reader must know the same size. A
        // DVS128 is never used as a larger frame for another sensor, because its readers disagree.
        let holds = |size: SensorSize| sensor.width <= size.width && sensor.height <= size.height;
        let around =
            || CHIPS.iter().find(|&&(_, layout, size)| layout == Layout::Davis && holds(size));
        let &(chip, layout, size) = exact.or_else(around).ok_or_else(|| {
            Error::caller("AEDAT 2.0 has no camera with a sensor of this size")
                .expected("at most 640x480 pixels")
                .found(sensor)
                .hint(Hint::Crop)
        })?;
        let class = chip.rsplit('.').next().unwrap_or(chip);
        let note = (size != sensor).then(|| {
            format!("no camera of AEDAT 2.0 has {sensor} pixels: written as a {class} with {size} pixels")
        });
        let mut header = format!(
            "#!AER-DAT2.0\r\n\
             # Events, big-endian: 32-bit address, 32-bit timestamp in us\r\n\
             # AEChip: {chip}\r\n"
        );
        if !spec.provenance.is_empty() {
            header += &format!("# liaf: {}\r\n", spec.provenance.replace(['\r', '\n'], " "));
        }
        header += "# End of ASCII Header\r\n";
        Ok(Self { header, stored: Stored::new(layout, size), records: Vec::new(), note })
    }
}

impl Encoder for Aedat2Encoder {
    fn start(&mut self, out: &mut dyn Output) -> Result<()> {
        out.append(self.header.as_bytes())
    }

    fn push(&mut self, events: &EventBatch, out: &mut dyn Output) -> Result<()> {
        let columns =
            events.x.chunks(CHUNK).zip(events.y.chunks(CHUNK)).zip(events.p.chunks(CHUNK));
        for (t, ((x, y), p)) in events.t.chunks(CHUNK).zip(columns) {
            self.records.resize(8 * t.len(), 0);
            let (records, _) = self.records.as_chunks_mut::<8>();
            for ((((record, &t), &x), &y), &p) in records.iter_mut().zip(t).zip(x).zip(y).zip(p) {
                BigEndian::write_u32(&mut record[..4], self.stored.address(x, y, p));
                // More than 32 bits are possible only if the caller accepts a wrap.
                BigEndian::write_u32(&mut record[4..], t as u32);
            }
            out.append(&self.records)?;
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut dyn Output) -> Result<()> {
        Ok(())
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

    fn written(sensor: SensorSize, events: &EventBatch) -> Vec<u8> {
        let mut spec = EventSpec::new(sensor);
        spec.provenance = "{\"a\":\n1}".into();
        bytes_of(Aedat2Encoder::new(&spec, &WriteOptions::default()).unwrap(), events)
    }

    #[test]
    fn corners_come_back_from_every_chip() {
        for sensor in
            [(128, 128), (240, 180), (346, 260), (640, 480), (1, 1), (127, 90), (300, 200)]
        {
            let sensor = SensorSize::new(sensor.0, sensor.1);
            let (x, y) = (sensor.width - 1, sensor.height - 1);
            let events: EventBatch = [(0, 0, 0), (x, 0, 1), (0, y, 1), (x, y, 0)]
                .into_iter()
                .map(|(x, y, p)| Event { t: u32::MAX.into(), x, y, p })
                .collect();
            let bytes = written(sensor, &events);
            let mut recording = Recording::from_bytes(bytes, ReadOptions::default()).unwrap();
            assert_eq!(recording.read_all().unwrap(), events, "{sensor}");
            let found = recording.info().sensor.unwrap();
            assert!(found.width >= sensor.width && found.height >= sensor.height, "{found}");
        }
    }

    #[test]
    fn a_sensor_that_no_chip_has_is_said_or_refused() {
        let options = WriteOptions::default();
        let encoder = |w, h| Aedat2Encoder::new(&EventSpec::new(SensorSize::new(w, h)), &options);
        assert_eq!(encoder(346, 260).unwrap().notes(), Vec::<String>::new());
        assert!(encoder(100, 100).unwrap().notes()[0].contains("DAVIS240C with 240x180"));
        assert!(encoder(1280, 720).is_err());
    }
}
