//! `liaf info`: what is in a recording.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use liaf::data::filter::Pixels;
use liaf::data::model::{
    EventStats, Finding, Fingerprint, RecordingInfo, SensorSource, StreamInfo, StreamKind,
};
use liaf::data::options::{Coords, StreamChoice};
use liaf::data::{
    Error, ErrorKind, EventBatch, EventSink, ReadOptions, Recording, Report, printable,
};
use serde_json::{Map, Value, json};

use super::hot_pixels::{Counting, HotPixelArgs};
use crate::args::ReadArgs;
use crate::help::{INPUT, OTHER, OUTPUT};
use crate::{applies, hints, inputs, text};

/// Contents of a recording: format, sensor, time span, rate, polarity, and everything unusual
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Recordings, folders or globs; - is standard input
    #[arg(required = true, value_name = "FILE", help_heading = INPUT, display_order = 0)]
    inputs: Vec<PathBuf>,

    /// Read all inputs as the pieces of one recording, in order of time
    #[arg(long, help_heading = INPUT)]
    join: bool,

    /// Print one JSON object per file, one per line (its keys are in docs/cli.md)
    #[arg(long, help_heading = OUTPUT)]
    json: bool,

    /// Add the xxHash64 of all events, packed little-endian as u64 t, u16 x, u16 y, u8 p
    #[arg(long, help_heading = OUTPUT)]
    fingerprint: bool,

    /// Form of the hashed and reported events: canonical (from the top left, 1 = ON) or raw (as stored)
    #[arg(long, default_value = "canonical", value_name = "WHICH", help_heading = OUTPUT)]
    coords: Coords,

    #[command(flatten)]
    hot: HotPixelArgs,

    /// Name the files of folders that are no recordings and were passed over
    #[arg(long, short, help_heading = OTHER)]
    verbose: bool,

    #[command(flatten)]
    read: ReadArgs,
}

const EXAMPLES: &str = "\
Examples:
  liaf info recording.aedat4
  liaf info day1/ --json
  liaf info *.raw --json --fingerprint --coords raw
  liaf info recording.raw --hot-pixels hot.csv";

/// What was found in one event stream.
struct Found {
    stream: Option<i32>,
    fingerprint: Fingerprint,
    report: Report,
    /// The hot pixels, if they were looked for.
    hot: Option<Pixels>,
}

/// Prints what is in each file. The exit code is a failure if one of them could not be read.
pub fn run(args: &Args) -> Result<ExitCode> {
    let options = args.read.options(args.coords)?;
    args.read.say_fewer_threads();
    let found = inputs::expand(&args.inputs, &options.columns);
    applies::check_inputs(&found.files, &options)?;
    let mut failed = !found.failed.is_empty();
    for (input, error) in &found.failed {
        if args.json {
            let cause = error.downcast_ref::<Error>();
            writeln!(
                io::stdout().lock(),
                "{}",
                text::json(&error_json(input, cause, hints::message(error)))
            )?;
        }
        text::say(format_args!("liaf: {}", hints::message(error)));
    }
    if args.json {
        for (path, why) in &found.passed_over {
            let line = json!({ "path": path.display().to_string(), "passed_over": why });
            writeln!(io::stdout().lock(), "{}", text::json(&line))?;
        }
    }
    found.about_passed_over(args.verbose).iter().for_each(text::say);
    let files = &found.files;
    let recordings = if args.join { files.len().min(1) } else { files.len() };
    args.hot.check(recordings, files, args.coords)?;
    for file in &files[..recordings] {
        let open = || match args.join {
            true => Recording::join(files, options.clone()),
            false => Recording::open(file, options.clone()),
        };
        let opened = args.read.on_threads(open)?;
        if let Ok(recording) = &opened {
            args.hot.check_stream(recording.info())?;
        }
        let looked = args.read.on_threads(|| look(opened?, &options, &args.hot))?;
        if let Ok((info, _)) = &looked
            && file.as_os_str() == "-"
        {
            applies::check_formats(&[info.format])?;
        }
        if let Ok((_, found)) = &looked
            && let Some(pixels) = found.first().and_then(|only| only.hot.as_ref())
        {
            args.hot.write(pixels)?;
        }
        let mut out = io::stdout().lock();
        match looked {
            Ok((info, found)) if args.json => {
                writeln!(out, "{}", text::json(&as_json(file, &info, &found, args.fingerprint)))?;
            }
            Ok((info, found)) => print(&mut out, file, &info, &found, args.fingerprint)?,
            Err(error) => {
                failed = true;
                let message = hints::of_error(&error);
                if args.json {
                    let line = error_json(file, Some(&error), message.clone());
                    writeln!(out, "{}", text::json(&line))?;
                }
                text::say(format_args!("liaf: {message}"));
            }
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Reads the whole recording, with all of its event streams. Of a recording without event streams, only
/// the account of its bytes is made.
fn look(
    mut recording: Recording,
    options: &ReadOptions,
    hot: &HotPixelArgs,
) -> liaf::data::Result<(RecordingInfo, Vec<Found>)> {
    if recording.info().stream.is_some() && !recording.info().reads_events() {
        let mut measurements = recording.measurements()?;
        while measurements.pump(&mut EventStats::default())? {}
        let (info, report) = (measurements.info().clone(), measurements.report());
        let found = Found { stream: None, fingerprint: Fingerprint::default(), report, hot: None };
        return Ok((info, vec![found]));
    }
    if recording.info().stream.is_some() {
        let found = read(&mut recording, hot)?;
        return Ok((recording.info().clone(), vec![found]));
    }
    let info = recording.info().clone();
    if info.event_streams().next().is_none() {
        let report = recording.account()?;
        return Ok((
            info,
            vec![Found { stream: None, fingerprint: Fingerprint::default(), report, hot: None }],
        ));
    }
    let mut all = Vec::new();
    if let Some(mut reader) = recording.all_events()? {
        let mut streams = Streams::default();
        while reader.pump(&mut streams)? {}
        for stream in info.event_streams() {
            let fingerprint = streams.found.remove(&stream.id).unwrap_or_default();
            let report = reader.stream_report(stream.id).unwrap_or_default();
            all.push(Found { stream: Some(stream.id), fingerprint, report, hot: None });
        }
        return Ok((info, all));
    }
    for stream in info.event_streams() {
        let stream = Some(StreamChoice::Id(stream.id));
        let mut one = recording.with_options(ReadOptions { stream, ..options.clone() })?;
        all.push(read(&mut one, hot)?);
    }
    Ok((info, all))
}

/// Keeps the events of the streams apart.
#[derive(Default)]
struct Streams {
    found: BTreeMap<i32, Fingerprint>,
    current: i32,
}

impl EventSink for Streams {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> liaf::data::Result<()> {
        self.found.entry(self.current).or_default().add(events);
        Ok(())
    }

    fn stream(&mut self, stream: i32) {
        self.current = stream;
    }
}

fn read(recording: &mut Recording, hot: &HotPixelArgs) -> liaf::data::Result<Found> {
    let mut pixels = hot.finder(recording)?;
    let mut reader = recording.reader()?;
    let mut fingerprint = Fingerprint::default();
    let mut sink = Counting { fingerprint: &mut fingerprint, pixels: pixels.as_mut() };
    while reader.pump(&mut sink)? {}
    let hot = pixels.map(|pixels| hot.find(&pixels));
    Ok(Found { stream: recording.info().stream, fingerprint, report: reader.report(), hot })
}

fn as_json(file: &Path, info: &RecordingInfo, found: &[Found], fingerprint: bool) -> Value {
    let mut object = Map::new();
    object.insert("path".into(), json!(file.display().to_string()));
    let info_fields = serde_json::to_value(info).unwrap_or_default();
    merge(&mut object, info_fields);
    object.insert("notes".into(), json!(hints::of_notes(&info.notes)));
    if let Some(Value::Array(streams)) = object.get_mut("streams") {
        for (value, stream) in streams.iter_mut().zip(&info.streams) {
            if let (Some(Some(count)), Value::Object(value)) = (holding(stream, info, found), value)
            {
                value.insert("samples".into(), json!(count));
            }
        }
    }
    if let [only] = found
        && only.stream == info.stream
    {
        merge(&mut object, found_json(only, fingerprint));
    } else {
        let streams: Vec<_> = found
            .iter()
            .map(|found| {
                let mut one = Map::from_iter([("stream".to_owned(), json!(found.stream))]);
                merge(&mut one, found_json(found, fingerprint));
                Value::Object(one)
            })
            .collect();
        object.insert("event_streams".into(), Value::Array(streams));
    }
    Value::Object(object)
}

fn found_json(found: &Found, fingerprint: bool) -> Value {
    let summary = &found.fingerprint.stats;
    let mut object = Map::new();
    merge(&mut object, serde_json::to_value(summary).unwrap_or_default());
    object.insert("duration_us".into(), json!(span(summary)));
    object.insert("events_per_second".into(), json!(rate(summary)));
    let mut report = json!(found.report);
    report["notes"] = json!(hints::of_notes(&found.report.notes));
    object.insert("report".into(), report);
    if let Some(hot) = &found.hot {
        object.insert("hot_pixels".into(), json!(hot.iter().collect::<Vec<_>>()));
    }
    if fingerprint {
        object.insert("xxh64".into(), json!(format!("{:016x}", found.fingerprint.xxh64())));
    }
    Value::Object(object)
}

fn merge(into: &mut Map<String, Value>, from: Value) {
    if let Value::Object(fields) = from {
        into.extend(fields);
    }
}

fn error_json(file: &Path, error: Option<&Error>, message: String) -> Value {
    let kind = error.map_or(ErrorKind::Other, Error::kind);
    json!({
        "path": file.display().to_string(),
        "error": { "kind": kind.name(), "offset": error.and_then(Error::offset), "message": message },
    })
}

fn span(summary: &EventStats) -> u64 {
    summary.t_last.abs_diff(summary.t_first)
}

fn rate(summary: &EventStats) -> Option<f64> {
    let seconds = span(summary) as f64 / 1e6;
    (seconds > 0.0).then(|| summary.events as f64 / seconds)
}

fn print(
    out: &mut impl Write,
    file: &Path,
    info: &RecordingInfo,
    found: &[Found],
    fingerprint: bool,
) -> io::Result<()> {
    let size = match (info.bytes, info.details.get("packed")) {
        (Some(bytes), _) => text::bytes(bytes),
        (None, Some(_)) => "packed".into(),
        (None, None) if info.details.contains_key("pieces") => "packed pieces".into(),
        (None, None) => "a pipe".into(),
    };
    writeln!(out, "{}: {}, {size}", text::path(file), info.format)?;
    let width = info.details.keys().map(|key| key.len()).max().unwrap_or(0).max(8);
    let mut line =
        |key: &str, value: String| writeln!(out, "  {key:<width$} {}", printable(&value));
    let how = match info.sensor_source {
        SensorSource::Stated => "as stated",
        SensorSource::Header => "from the header",
        SensorSource::Device => "of the device that the header names",
        SensorSource::Assumed => "assumed: the file names no device that is known",
        SensorSource::BoundingBox => "around all events",
        SensorSource::Unknown if hints::may_advise("sensor") => {
            "the file does not say; state it with --sensor WxH"
        }
        _ => "the file does not say",
    };
    let several = info.stream.is_none() && found.len() > 1;
    match info.sensor {
        Some(sensor) => line("sensor", format!("{sensor} ({how})"))?,
        None if several => {}
        None if info.stream.is_some() && !info.reads_events() => {}
        None => line("sensor", format!("unknown ({how})"))?,
    }
    let streams: Vec<_> = info
        .streams
        .iter()
        .filter_map(|stream| Some((stream, holding(stream, info, found)?)))
        .collect();
    if streams.len() > 1 {
        for (stream, count) in streams {
            line("stream", stream_text(stream, count))?;
        }
    }
    for (key, value) in &info.details {
        // The only detail for which there is an option.
        let advice = match *key == "t_offset" && hints::may_advise("t-offset") {
            true => "; --t-offset adds it",
            false => "",
        };
        line(key, format!("{value}{advice}"))?;
    }
    for found in found {
        if several {
            line("--", format!("stream {}", found.stream.unwrap_or_default()))?;
        }
        let summary = &found.fingerprint.stats;
        match found.stream {
            Some(_) => line("events", events_text(summary))?,
            None if info.stream.is_some() => {}
            None => line("events", "no event stream".into())?,
        }
        for (name, measurements) in &found.report.measurements {
            let (count, first, last) =
                (measurements.count, measurements.t_first, measurements.t_last);
            let text = format!("{} of {name}, {first} .. {last} µs", text::thousands(count));
            line("samples", text)?;
        }
        if summary.events > 0 {
            line("time", format!("{} .. {} µs", summary.t_first, summary.t_last))?;
            let (x, y) = ((summary.x_min, summary.x_max), (summary.y_min, summary.y_max));
            line("pixels", format!("x {}..{}, y {}..{}", x.0, x.1, y.0, y.1))?;
        }
        if let Some(hot) = &found.hot {
            line("hot pixels", text::thousands(hot.len() as u64))?;
        }
        if fingerprint && found.stream.is_some() {
            line("xxh64", format!("{:016x}", found.fingerprint.xxh64()))?;
        }
        for text in report_lines(&found.report) {
            line("also", text)?;
        }
        for note in &found.report.notes {
            line("note", hints::of_note(note))?;
        }
    }
    Ok(())
}

/// How many measurements a stream has: `Some(None)` if they were not counted, and `None` if the file
/// has none and does not list the stream.
fn holding(stream: &StreamInfo, info: &RecordingInfo, found: &[Found]) -> Option<Option<u64>> {
    let is_alone = info.streams.iter().filter(|other| other.kind == stream.kind).count() == 1;
    let own = found.iter().find(|found| found.stream == Some(stream.id));
    let met = |finding| found.first().map_or(0, |found| found.report.count(finding));
    let count = match (stream.kind, own) {
        (StreamKind::Events, Some(own)) => Some(own.fingerprint.stats.events),
        (StreamKind::Frames, _) if met(Finding::ApsWords) > 0 => return Some(None),
        (StreamKind::Frames, _) if is_alone => Some(met(Finding::Frames)),
        (StreamKind::Imu, _) if is_alone => Some(met(Finding::ImuSamples)),
        (StreamKind::Triggers, _) if is_alone => {
            Some(met(Finding::Triggers) + met(Finding::ExternalWords))
        }
        _ => None,
    };
    let chosen = found.first().and_then(|found| found.report.measurements.get(stream.kind.name()));
    let count = match chosen {
        Some(measurements) if info.stream == Some(stream.id) => Some(measurements.count),
        _ => count,
    };
    let is_there = !stream.is_possible || count.is_some_and(|count| count > 0);
    is_there.then_some(count)
}

/// A stream's number and name, its count, its size and its device.
fn stream_text(stream: &StreamInfo, count: Option<u64>) -> String {
    let mut text = format!("{} {}", stream.id, stream.name);
    if stream.name != stream.kind.name() {
        text += &format!(" ({})", stream.kind.name());
    }
    if let Some(count) = count {
        text += &format!(", {}", text::thousands(count));
    }
    if let Some(size) = stream.sensor {
        text += &format!(", {size}");
    }
    if let Some(source) = &stream.source {
        text += &format!(", of {source}");
    }
    text
}

fn events_text(summary: &EventStats) -> String {
    let mut line = text::thousands(summary.events);
    if summary.events > 0 {
        let on = 100.0 * summary.on as f64 / summary.events as f64;
        line += &format!(" ({on:.1} % ON) in {}", text::duration(span(summary)));
    }
    if let Some(rate) = rate(summary) {
        line += &format!(", {}", text::rate(rate));
    }
    line
}

/// Everything besides events that the reader counted, one line each.
pub fn report_lines(report: &Report) -> Vec<String> {
    let mut lines: Vec<_> = report
        .findings
        .iter()
        .map(|(finding, tally)| {
            let name = finding.name().replace('_', " ");
            let first = match (tally.first_offset, tally.first_event) {
                (Some(offset), _) => format!(", the first at byte {offset}"),
                (None, Some(event)) => format!(", the first is event {event}"),
                (None, None) => String::new(),
            };
            format!("{} {name}{first}", text::thousands(tally.count))
        })
        .collect();
    if report.bytes.skipped > 0 {
        lines.push(format!("{} could not be used", text::bytes(report.bytes.skipped)));
    }
    lines
}
