//! Reading of HDF5 files in a worker process, so that a crash of the library becomes an error
//! message.
//!
//! The library is written in C and takes the structure of a file from the file itself; older
//! versions do so without checks. A program sets [`ReadOptions::hdf5_program`] to its own path and
//! calls [`serve`] when it is started as `PROGRAM read-hdf5 OPTIONS FILE`. The events are sent over
//! its standard output.

use std::io::{BufReader, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};

use super::wire::Message;
use crate::codec::{BlockReader, Body, Checkpoint, EventSink, Opened, ReadOptions, StreamChoice};
use crate::error::{Error, ErrorKind, Result};
use crate::hint::Hint;
use crate::io::{ByteSource, MapChoice};
use crate::model::{
    ByteAccount, EventBatch, Finding, FindingCount, Note, RecordingInfo, Report, SensorSize,
    SensorSource, StreamInfo, StreamKind,
};

/// The argument after the name of the program that makes it a worker process.
pub const COMMAND: &str = "read-hdf5";

/// The details that the worker may send.
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
/// The findings that the worker may count.
const FINDINGS: &[Finding] =
    &[Finding::DamagedPackets, Finding::TruncatedTails, Finding::BadValues, Finding::BadParts];

/// Reads the file and writes its events to `out`, with the options that the parent process passed.
///
/// # Errors
/// If `out` cannot be written. Errors of the file are sent to the parent process.
pub fn serve(options: &str, file: &Path, out: impl Write) -> std::io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, out);
    if let Err(error) = try_serve(options, file, &mut out) {
        Message::Error(error.to_json().to_string().into_bytes()).write(&mut out)?;
    }
    out.flush()
}

fn try_serve(options: &str, file: &Path, out: &mut impl Write) -> Result<()> {
    let sent = |error| Error::system("cannot send events", error);
    let (options, threads, part) = options_of(options)?;
    let mut source = ByteSource::open(file, MapChoice::NEVER)?;
    let Opened { info, body, .. } = super::open_here(&mut source, &options)?;
    let json = with_notes(json!(info), &info.notes);
    Message::Info(json).write(out).and_then(|()| out.flush()).map_err(sent)?;
    let Body::Blocks(mut reader) = body else { return Ok(()) };
    let is_narrow = part.take_of(&mut *reader, &mut source)?;
    Message::Narrowed(is_narrow).write(out).map_err(sent)?;
    let mut run = || -> Result<()> {
        loop {
            let row = reader.checkpoint().and_then(|checkpoint| checkpoint.row().ok()).unwrap_or(0);
            let expected = reader.expected_events() as u64;
            Message::Progress(reader.position(), expected, row).write(out).map_err(sent)?;
            if !reader.pump(&mut source, &mut Sender(out))? {
                break;
            }
        }
        let report = with_notes(json!(reader.report()), &reader.report().notes);
        Message::Report(report).write(out).map_err(sent)
    };
    match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) if threads > 1 => pool.in_place_scope(|_| run()),
        _ => run(),
    }
}

/// The JSON text of `value`, whose notes keep their hints apart from their text.
fn with_notes(mut value: Value, notes: &[Note]) -> Vec<u8> {
    let notes = notes.iter().map(|note| json!({ "text": note.text, "hint": note.hint }));
    value["notes"] = notes.collect();
    value.to_string().into_bytes()
}

/// The notes that [`with_notes`] wrote.
fn notes_of(value: &Value) -> Vec<Note> {
    let note = |note: &Value| {
        let hint = Option::<Hint>::deserialize(&note["hint"]).ok().flatten();
        let text = Note::new(note["text"].as_str()?);
        Some(hint.into_iter().fold(text, Note::hint))
    };
    value["notes"].as_array().into_iter().flatten().filter_map(note).collect()
}

struct Sender<'a, W>(&'a mut W);

impl<W: Write> EventSink for Sender<'_, W> {
    fn events(&mut self, events: &mut EventBatch, offset: u64) -> Result<()> {
        Message::Events(offset, std::mem::take(events))
            .write(self.0)
            .map_err(|error| Error::system("cannot send events", error))
    }
}

/// The part of the events that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Part {
    /// Only rows that may have a time within this range.
    time: Option<Range<i64>>,
    /// Only from this row on.
    first: Option<u64>,
    /// Only up to this row.
    end: Option<u64>,
}

impl Part {
    /// Restricts a new reader to this part. Returns whether rows outside of the time are skipped.
    fn take_of(&self, reader: &mut dyn BlockReader, source: &mut ByteSource) -> Result<bool> {
        let checkpoint = |row: u64| Checkpoint { offset: 0, state: vec![row as i64] };
        if let Some(row) = self.first {
            reader.resume(source, &checkpoint(row))?;
        }
        if let Some(row) = self.end {
            reader.stop(source, &checkpoint(row))?;
        }
        self.time.as_ref().map_or(Ok(false), |time| reader.narrow(source, time))
    }

    fn of(value: &Value) -> Self {
        let time = value["from"].as_i64().zip(value["to"].as_i64());
        Self {
            time: time.map(|(from, to)| from..to),
            first: value["first_row"].as_u64(),
            end: value["end_row"].as_u64(),
        }
    }
}

/// The options in the form in which the parent process passes them.
fn options_text(options: &ReadOptions, part: &Part) -> String {
    let mut read = options.clone();
    // A worker reads one stream.
    read.stream = read.stream.filter(|stream| *stream != StreamChoice::AllEvents);
    json!({
        "read": read,
        "threads": if options.parallel { rayon::current_num_threads() } else { 1 },
        "from": part.time.as_ref().map(|time| time.start),
        "to": part.time.as_ref().map(|time| time.end),
        "first_row": part.first,
        "end_row": part.end,
    })
    .to_string()
}

fn options_of(text: &str) -> Result<(ReadOptions, usize, Part)> {
    let wrong = |error| Error::caller("not the options of a reading process").found(error);
    let value: Value = serde_json::from_str(text).map_err(wrong)?;
    let threads = value["threads"].as_u64().map_or(1, |threads| threads as usize).max(1);
    let options = ReadOptions::deserialize(&value["read"]).map_err(wrong)?;
    Ok((options, threads, Part::of(&value)))
}

/// Starts a worker process that reads the file. `stays` says whether the file can be opened again
/// later.
pub(crate) fn open(
    program: &Path,
    file: &Path,
    stays: bool,
    bytes: Option<u64>,
    options: &ReadOptions,
) -> Result<Opened> {
    let mut reader = ChildReader {
        again: stays.then(|| (program.to_owned(), file.to_owned(), options.clone())),
        part: Part::default(),
        process: Process::start(program, file, options, &Part::default())?,
        report: Report::default(),
        position: 0,
        expected: 0,
        row: 0,
        ended: false,
    };
    let info = match Message::read(&mut reader.process.output) {
        Some(Message::Info(json)) => {
            serde_json::from_slice(&json).ok().and_then(|v| info_of(&v, bytes))
        }
        Some(Message::Error(json)) => return Err(error_of(&json)),
        _ => None,
    };
    let Some(info) = info else { return Err(reader.crash()) };
    if info.stream.is_some() {
        reader.begin()?;
    }
    let body = Body::blocks(reader);
    Ok(Opened { step: 1 << 20, bytes_per_event: 4.0, ..Opened::new(info, body, 0, options) })
}

/// A worker process.
struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(program: &Path, file: &Path, options: &ReadOptions, part: &Part) -> Result<Self> {
        let mut child = Command::new(program)
            .arg(COMMAND)
            .arg(options_text(options, part))
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| Error::system("cannot start a process that reads HDF5", error))?;
        let output = child.stdout.take();
        let output = output.ok_or_else(|| Error::caller("the reading process has no output"))?;
        Ok(Self { child, output: BufReader::with_capacity(1 << 20, output) })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may be blocked writing output that nobody reads.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Receives the messages of a worker process.
struct ChildReader {
    /// Program, file and options with which another process can be started.
    again: Option<(PathBuf, PathBuf, ReadOptions)>,
    part: Part,
    process: Process,
    report: Report,
    position: u64,
    expected: u64,
    row: u64,
    ended: bool,
}

impl ChildReader {
    /// The error for a process that ended without a final message.
    fn crash(&mut self) -> Error {
        self.ended = true;
        let how = self.process.child.wait();
        let how = how.map_or_else(|error| error.to_string(), |status| status.to_string());
        Error::malformed("the HDF5 library crashed while it read the file")
            .at(self.position)
            .found(how)
            .advice("the file is damaged, or made to do this")
    }

    /// Receives the messages before the first event: whether the part was narrowed, the progress,
    /// and the number of events to come.
    fn begin(&mut self) -> Result<bool> {
        match Message::read(&mut self.process.output) {
            Some(Message::Narrowed(is_narrow)) => match Message::read(&mut self.process.output) {
                Some(Message::Progress(position, expected, row)) => {
                    (self.position, self.expected, self.row) = (position, expected, row);
                    Ok(is_narrow)
                }
                Some(Message::Error(json)) => Err(error_of(&json)),
                _ => Err(self.crash()),
            },
            Some(Message::Error(json)) => Err(error_of(&json)),
            _ => Err(self.crash()),
        }
    }

    /// Starts a new process for another part. Returns `false` if that is not possible.
    fn restart(&mut self, part: Part) -> Result<bool> {
        let Some((program, file, options)) = &self.again else { return Ok(false) };
        self.process = Process::start(program, file, options, &part)?;
        self.part = part;
        match Message::read(&mut self.process.output) {
            Some(Message::Info(_)) => self.begin(),
            Some(Message::Error(json)) => Err(error_of(&json)),
            _ => Err(self.crash()),
        }
    }
}

impl BlockReader for ChildReader {
    fn pump(&mut self, _source: &mut ByteSource, sink: &mut dyn EventSink) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        match Message::read(&mut self.process.output) {
            Some(Message::Events(offset, mut events)) => {
                self.expected = self.expected.saturating_sub(events.len() as u64);
                sink.events(&mut events, offset)?;
                Ok(true)
            }
            Some(Message::Progress(position, expected, row)) => {
                (self.position, self.expected, self.row) = (position, expected, row);
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
            Some(Message::Info(_) | Message::Narrowed(_)) | None => Err(self.crash()),
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

    fn checkpoint(&self) -> Option<Checkpoint> {
        let row = i64::try_from(self.row).ok().filter(|_| self.again.is_some())?;
        Some(Checkpoint { offset: self.position, state: vec![row] })
    }

    fn resume(&mut self, _source: &mut ByteSource, checkpoint: &Checkpoint) -> Result<()> {
        let part = Part { first: Some(checkpoint.row()?), ..self.part.clone() };
        self.restart(part).map(|_| ())
    }

    fn stop(&mut self, _source: &mut ByteSource, checkpoint: &Checkpoint) -> Result<()> {
        let part = Part { end: Some(checkpoint.row()?), ..self.part.clone() };
        self.restart(part).map(|_| ())
    }

    fn narrow(&mut self, _source: &mut ByteSource, time: &Range<i64>) -> Result<bool> {
        self.restart(Part { time: Some(time.clone()), ..Part::default() })
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
        notes: notes_of(value),
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
            passed_over: bytes("passed_over").unwrap_or(0),
        },
        ..Report::default()
    };
    for &finding in FINDINGS {
        let tally = &value["oddities"][finding.name()];
        if let Some(count) = tally["count"].as_u64() {
            let first_offset = tally["first_offset"].as_u64();
            let first_event = tally["first_event"].as_u64();
            report.findings.insert(finding, FindingCount { count, first_offset, first_event });
        }
    }
    notes_of(value).into_iter().for_each(|note| report.note(note));
    Some(report)
}
