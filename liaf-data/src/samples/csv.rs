//! Samples as text: a header line of names, then a line a sample.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::{ImuSample, Sample, SampleOptions, SampleWriter, SamplesWritten, Trigger, other_kind};
use crate::Result;
use crate::file::AtomicFile;
use crate::reader::StreamKind;
use crate::write::check_size;

const IMU: &str = "t,ax,ay,az,gx,gy,gz,temperature,mx,my,mz";
const TRIGGERS: &str = "t,type,channel";

/// Writes inertial samples (µs, g, °/s, °C, µT; empty where there is no magnetometer) or triggers.
pub(super) struct CsvWriter {
    out: AtomicFile,
    path: PathBuf,
    kind: StreamKind,
    options: SampleOptions,
    line: String,
    samples: u64,
}

impl CsvWriter {
    pub fn create(path: &Path, kind: StreamKind, options: &SampleOptions) -> Result<Self> {
        let mut out = AtomicFile::create(path, options.overwrite, options.sync)?;
        let names = if kind == StreamKind::Imu { IMU } else { TRIGGERS };
        out.append(format!("{names}\n").as_bytes())?;
        let (path, options) = (path.to_path_buf(), *options);
        Ok(Self { out, path, kind, options, line: String::new(), samples: 0 })
    }
}

impl SampleWriter for CsvWriter {
    fn write(&mut self, sample: &Sample) -> Result<()> {
        self.line.clear();
        // Writing into a string does not fail.
        let _ = match (self.kind, sample) {
            (StreamKind::Imu, Sample::Imu(sample)) => imu(&mut self.line, sample),
            (StreamKind::Triggers, Sample::Trigger(trigger)) => {
                let Trigger { t, kind, channel } = trigger;
                writeln!(self.line, "{t},{kind},{channel}")
            }
            _ => return Err(other_kind(sample).in_file(&self.path)),
        };
        check_size(self.out.length() + self.line.len() as u64, &self.options.limits, &self.path)?;
        self.samples += 1;
        self.out.append(self.line.as_bytes())
    }

    fn finish(self: Box<Self>) -> Result<SamplesWritten> {
        Ok(SamplesWritten { samples: self.samples, bytes: self.out.finish()? })
    }
}

fn imu(line: &mut String, sample: &ImuSample) -> std::fmt::Result {
    let ImuSample { t, accelerometer, gyroscope, temperature, magnetometer } = sample;
    write!(line, "{t}")?;
    for value in accelerometer.iter().chain(gyroscope).chain([temperature]) {
        write!(line, ",{value}")?;
    }
    match magnetometer {
        Some([x, y, z]) => writeln!(line, ",{x},{y},{z}"),
        None => writeln!(line, ",,,"),
    }
}
