//! HDF5 files read by a process of their own, so that a crash of the library is an error message.
//!
//! The library takes the structure of a file from the file, in C, and older versions of it do so
//! without looking. A program sets [`ReadOptions::hdf5_program`] to itself and calls [`serve`] when it
//! is started as `PROGRAM read-hdf5 OPTIONS FILE`; the events come over its standard output.

use std::io::{BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::wire::Message;
use crate::formats::{BlockReader, Body, Opened};
use crate::reader::{
    ReadOptions, RecordingInfo, SensorSource, StreamChoice, StreamInfo, StreamKind,
};
use crate::source::{ByteSource, MapChoice};
use crate::{
    ByteAccount, Error, ErrorKind, EventBatch, Limits, Oddity, Report, Result, SensorSize, Sink,
    Tally,
};

/// The word behind the program's name that makes it a reading process.
pub const COMMAND: &str = "read-hdf5";

/// Details that the reader may give.
const DETAILS: &[&str] = &[
    "columns",
    "date",
    "events",
    "filters",
    "format",
    "index",
    "integrator_name",
    "plugin_name",
    "serial_number",
    "t_offset",
    "time unit",
    "version",
];
/// Oddities that the reader may count.
const ODDITIES: &[Oddity] =
    &[Oddity::DamagedPackets, Oddity::TruncatedTails, Oddity::BadValues, Oddity::BadParts];

/// Reads the file and writes its events to `out`, as the options say that the parent gave.
///
/// # Errors
/// If `out` cannot be written; what is wrong with the file is told to the parent.
pub fn serve(options: &str, file: &Path, out: impl Write) -> std::io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, out);
    if let Err(error) = try_serve(options, file, &mut out) {
        Message::Error(error.to_json().to_string().into_bytes()).write(&mut out)?;
    }
    out.flush()
}

fn try_serve(options: &str, file: &Path, out: &mut impl Write) -> Result<()> {
    let sent = |error| Error::system("cannot send events", error);
    let (options, threads) = options_of(options)?;
    let mut source = ByteSource::open(file, MapChoice::NEVER)?;
    let Opened { info, body, .. } = super::open_here(&mut source, &options)?;
    let json = serde_json::to_vec(&info).unwrap_or_default();
    Message::Info(json).write(out).and_then(|()| out.flush()).map_err(sent)?;
    let Body::Blocks(mut reader) = body else { return Ok(()) };
    let mut run = || -> Result<()> {
        loop {
            let progress = Message::Progress(reader.position(), reader.expected_events() as u64);
            progress.write(out).map_err(sent)?;
            if !reader.pump(&mut source, &mut Sender(out))? {
                break;
            }
        }
        let report = serde_json::to_vec(reader.report()).unwrap_or_default();
        Message::Report(report).write(out).map_err(sent)
    };
    match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) if threads > 1 => pool.in_place_scope(|_| run()),
        _ => run(),
    }
}

struct Sender<'a, W>(&'a mut W);

impl<W: Write> Sink for Sender<'_, W> {
    fn events(&mut self, events: &mut EventBatch, offset: u64) -> Result<()> {
        Message::Events(offset, std::mem::take(events))
            .write(self.0)
            .map_err(|error| Error::system("cannot send events", error))
    }
}

/// The options as the parent writes them.
fn options_text(options: &ReadOptions) -> String {
    let stream = match &options.stream {
        Some(StreamChoice::Id(id)) => json!(id),
        Some(StreamChoice::Name(name)) => json!(name),
        None => Value::Null,
    };
    json!({
        "stream": stream,
        "strict": options.strict,
        "sensor": options.sensor.map(|sensor| sensor.to_string()),
        "keys": options.keys.as_ref().map(ToString::to_string),
        "time_unit": options.time_unit.map(|unit| unit.name()),
        "t_offset": options.t_offset,
        "threads": if options.parallel { rayon::current_num_threads() } else { 1 },
        "packet_bytes": options.limits.packet_bytes,
        "in_flight_bytes": options.limits.in_flight_bytes,
    })
    .to_string()
}

fn options_of(text: &str) -> Result<(ReadOptions, usize)> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| Error::caller("not the options of a reading process").found(error))?;
    let is = |key: &str| value[key].as_bool().unwrap_or(false);
    let size = |key: &str, default| value[key].as_u64().map_or(default, |size| size as usize);
    let threads = size("threads", 1).max(1);
    let stream = match &value["stream"] {
        Value::Number(id) => id.as_i64().map(|id| StreamChoice::Id(id as i32)),
        Value::String(name) => Some(StreamChoice::Name(name.clone())),
        _ => None,
    };
    let text = |key: &str| value[key].as_str();
    let limits = Limits {
        packet_bytes: size("packet_bytes", Limits::DEFAULT.packet_bytes),
        in_flight_bytes: size("in_flight_bytes", Limits::DEFAULT.in_flight_bytes),
        ..Limits::DEFAULT
    };
    let options = ReadOptions {
        stream,
        strict: is("strict"),
        sensor: text("sensor").map(str::parse).transpose()?,
        keys: text("keys").map(str::parse).transpose()?,
        time_unit: text("time_unit").map(str::parse).transpose()?,
        t_offset: is("t_offset"),
        parallel: threads > 1,
        limits,
        ..ReadOptions::default()
    };
    Ok((options, threads))
}

/// Starts a process that reads the file.
pub(super) fn open(
    program: &Path,
    file: &Path,
    bytes: Option<u64>,
    options: &ReadOptions,
) -> Result<Opened> {
    let mut process = Command::new(program)
        .arg(COMMAND)
        .arg(options_text(options))
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| Error::system("cannot start a process that reads HDF5", error))?;
    let output = process.stdout.take();
    let output = output.ok_or_else(|| Error::caller("the reading process has no output"))?;
    let mut reader = ChildReader {
        process,
        output: BufReader::with_capacity(1 << 20, output),
        report: Report::default(),
        position: 0,
        expected: 0,
        ended: false,
    };
    let info = match Message::read(&mut reader.output) {
        Some(Message::Info(json)) => {
            serde_json::from_slice(&json).ok().and_then(|v| info_of(&v, bytes))
        }
        Some(Message::Error(json)) => return Err(error_of(&json)),
        _ => None,
    };
    let Some(info) = info else { return Err(reader.crash()) };
    // How far it is, and how much is to come, is told first.
    if let Some(Message::Progress(position, expected)) =
        info.stream.and_then(|_| Message::read(&mut reader.output))
    {
        (reader.position, reader.expected) = (position, expected);
    }
    Ok(Opened {
        info,
        body: Body::blocks(reader),
        data_offset: 0,
        step: 1 << 20,
        bytes_per_event: 4.0,
        needs_sensor: false,
        fit_sensor: |bounds| bounds,
        bounds: None,
    })
}

/// Takes the messages of a reading process.
struct ChildReader {
    process: Child,
    output: BufReader<ChildStdout>,
    report: Report,
    position: u64,
    expected: u64,
    ended: bool,
}

impl ChildReader {
    /// What became of a process that ended without a word.
    fn crash(&mut self) -> Error {
        self.ended = true;
        let how =
            self.process.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
        Error::malformed("the HDF5 library crashed while it read the file")
            .at(self.position)
            .found(how)
            .advice("the file is damaged, or made to do this")
    }
}

impl BlockReader for ChildReader {
    fn pump(&mut self, _source: &mut ByteSource, sink: &mut dyn Sink) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        match Message::read(&mut self.output) {
            Some(Message::Events(offset, mut events)) => {
                self.expected = self.expected.saturating_sub(events.len() as u64);
                sink.events(&mut events, offset)?;
                Ok(true)
            }
            Some(Message::Progress(position, expected)) => {
                (self.position, self.expected) = (position, expected);
                Ok(true)
            }
            Some(Message::Report(json)) => {
                self.ended = true;
                let report = serde_json::from_slice(&json).ok().and_then(|value| report_of(&value));
                self.report = report.ok_or_else(|| self.crash())?;
                Ok(false)
            }
            Some(Message::Error(json)) => {
                self.ended = true;
                Err(error_of(&json))
            }
            Some(Message::Info(_)) | None => Err(self.crash()),
        }
    }

    fn report(&self) -> &Report {
        &self.report
    }

    fn position(&self) -> u64 {
        self.position
    }

    fn expected_events(&self) -> usize {
        self.expected as usize
    }
}

impl Drop for ChildReader {
    fn drop(&mut self) {
        // It may be waiting to write what nobody reads.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn error_of(json: &[u8]) -> Error {
    let value = serde_json::from_slice(json).unwrap_or(Value::Null);
    Error::from_json(&value)
        .unwrap_or_else(|| Error::new(ErrorKind::Malformed, "the file cannot be read").at(0))
}

fn sensor_of(value: &Value) -> Option<SensorSize> {
    let side = |i: usize| value.get(i)?.as_u64().and_then(|side| u16::try_from(side).ok());
    Some(SensorSize::new(side(0)?, side(1)?))
}

fn info_of(value: &Value, bytes: Option<u64>) -> Option<RecordingInfo> {
    let texts = |value: &Value| -> Vec<String> {
        let all = value.as_array().into_iter().flatten();
        all.filter_map(|text| Some(text.as_str()?.to_owned())).collect()
    };
    let streams = value["streams"].as_array()?.iter().map(|stream| {
        let id = i32::try_from(stream["id"].as_i64()?).ok()?;
        let name = stream["name"].as_str()?;
        Some(StreamInfo::new(id, StreamKind::Events, name, sensor_of(&stream["sensor"])))
    });
    let detail = |&key: &&'static str| Some((key, value["details"][key].as_str()?.to_owned()));
    Some(RecordingInfo {
        format: super::FORMAT.name,
        bytes,
        sensor: sensor_of(&value["sensor"]),
        sensor_source: match value["sensor_source"].as_str()? {
            "stated" => SensorSource::Stated,
            "header" => SensorSource::Header,
            "device" => SensorSource::Device,
            _ => SensorSource::Unknown,
        },
        streams: streams.collect::<Option<Vec<_>>>()?,
        stream: value["stream"].as_i64().and_then(|id| i32::try_from(id).ok()),
        details: DETAILS.iter().filter_map(detail).collect(),
        notes: texts(&value["notes"]),
    })
}

fn report_of(value: &Value) -> Option<Report> {
    let bytes = |key: &str| value["bytes"][key].as_u64();
    let mut report = Report {
        bytes: ByteAccount {
            header: bytes("header")?,
            events: bytes("events")?,
            other: bytes("other")?,
            skipped: bytes("skipped")?,
        },
        ..Report::default()
    };
    for &oddity in ODDITIES {
        let tally = &value["oddities"][oddity.name()];
        if let Some(count) = tally["count"].as_u64() {
            let first_offset = tally["first_offset"].as_u64();
            let first_event = tally["first_event"].as_u64();
            report.oddities.insert(oddity, Tally { count, first_offset, first_event });
        }
    }
    for note in value["notes"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        report.note(note);
    }
    Some(report)
}
