//! Measurements as text: a header line with the names of the columns, then one line per measurement.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::{MeasurementOptions, MeasurementWriter, MeasurementsWritten, other_kind};
use crate::codec::check_size;
use crate::error::Result;
use crate::io::Destination;
use crate::model::{ImuReading, Measurement, StreamKind, Trigger};

const IMU: &str = "t,ax,ay,az,gx,gy,gz,temperature,mx,my,mz";
const TRIGGERS: &str = "t,type,channel";

/// Writes inertial readings (µs, g, °/s, °C, µT; empty without a magnetometer) or triggers.
pub(super) struct CsvWriter {
    out: Destination,
    path: PathBuf,
    kind: StreamKind,
    options: MeasurementOptions,
    line: String,
    measurements: u64,
}

impl CsvWriter {
    pub fn create(path: &Path, kind: StreamKind, options: &MeasurementOptions) -> Result<Self> {
        let mut out = Destination::create(path, options.overwrite, options.sync)?;
        let names = if kind == StreamKind::Imu { IMU } else { TRIGGERS };
        out.append(format!("{names}\n").as_bytes())?;
        let (path, options) = (path.to_path_buf(), *options);
        Ok(Self { out, path, kind, options, line: String::new(), measurements: 0 })
    }
}

impl MeasurementWriter for CsvWriter {
    fn write(&mut self, measurement: &Measurement) -> Result<()> {
        self.line.clear();
        // Writing to a string never fails.
        let _ = match (self.kind, measurement) {
            (StreamKind::Imu, Measurement::Imu(measurement)) => imu(&mut self.line, measurement),
            (StreamKind::Triggers, Measurement::Trigger(trigger)) => {
                let Trigger { t, kind, channel } = trigger;
                writeln!(self.line, "{t},{kind},{channel}")
            }
            _ => return Err(other_kind(measurement).in_file(&self.path)),
        };
        check_size(self.out.length() + self.line.len() as u64, &self.options.limits, &self.path)?;
        self.measurements += 1;
        self.out.append(self.line.as_bytes())
    }

    fn finish(self: Box<Self>) -> Result<MeasurementsWritten> {
        Ok(MeasurementsWritten { measurements: self.measurements, bytes: self.out.finish()? })
    }
}

fn imu(line: &mut String, measurement: &ImuReading) -> std::fmt::Result {
    let ImuReading { t, accelerometer, gyroscope, temperature, magnetometer } = measurement;
    write!(line, "{t}")?;
    for value in accelerometer.iter().chain(gyroscope).chain([temperature]) {
        write!(line, ",{value}")?;
    }
    match magnetometer {
        Some([x, y, z]) => writeln!(line, ",{x},{y},{z}"),
        None => writeln!(line, ",,,"),
    }
}
