//! Conversion of a recording to an event file of another kind.

use std::path::Path;

use serde::Serialize;
use serde_json::json;

use super::OnProgress;
use super::kept::check_something_kept;
use super::pass::{Part, Pass, check_something_read, source};
use super::survey::Survey;
use super::time_policy::{Order, TimeAdjuster, TimePolicy};
use crate::codec::{Coords, EventSink, Target, WriteOptions};
use crate::error::{Error, Result};
use crate::filter::{Filtered, OrderedChain, Removed, Selection, Sorting};
use crate::hint::Hint;
use crate::model::{EventBatch, Finding, RecordingInfo, Report, SensorSize};
use crate::read::Recording;
use crate::write::{self, EventSpec, EventStats, EventWriter, Written};

/// Options for making an event file from a recording.
#[derive(Debug, Clone)]
pub struct EventConvertOptions {
    /// The kind of file.
    pub target: &'static Target,
    /// Which events are kept.
    pub selection: Selection,
    /// What may be done to their times.
    pub time_policy: TimePolicy,
    /// How the file is written. The option `wrap` is taken from `time_policy`.
    pub write: WriteOptions,
}

impl From<&'static Target> for EventConvertOptions {
    /// All events as they are, in a file of this kind with the default options.
    fn from(target: &'static Target) -> Self {
        Self {
            target,
            selection: Selection::default(),
            time_policy: TimePolicy::default(),
            write: WriteOptions::default(),
        }
    }
}

/// Where the events went.
///
/// The number of all events is `kept` + `out_of_window` + `out_of_crop` + the events in `filtered`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EventsReport {
    /// Events that are in the file.
    pub kept: u64,
    /// Number of events that were moved in the order or in time ([`Order`]). Events are sorted before
    /// they pass the filters, which may have removed some of them afterwards.
    pub moved: u64,
    /// Events outside `from` and `to`.
    pub out_of_window: u64,
    /// Events outside the crop.
    pub out_of_crop: u64,
    /// Events that a choice of polarity or filters removed, by stage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filtered: Vec<Filtered>,
}

impl EventsReport {
    pub(super) fn removed(self, removed: &Removed) -> Self {
        let Removed { out_of_window, out_of_crop, filtered } = removed.clone();
        Self { out_of_window, out_of_crop, filtered, ..self }
    }
}

/// The result of a conversion.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct EventConversion {
    /// What the recording says about itself.
    pub info: RecordingInfo,
    /// What was met in the recording.
    pub report: Report,
    /// Where its events went.
    pub events: EventsReport,
    /// Size of the sensor in the new file.
    pub sensor: SensorSize,
    /// The new file; `None` if nothing was to be written.
    pub written: Option<Written>,
}

impl EventConversion {
    /// What the recording contains in addition to the chosen events and the new file does not: kind
    /// and number.
    pub fn not_carried(&self) -> impl Iterator<Item = (Finding, u64)> + '_ {
        const CONTENT: &[Finding] = &[
            Finding::Frames,
            Finding::ImuSamples,
            Finding::Triggers,
            Finding::ApsWords,
            Finding::ExternalWords,
            Finding::OtherStreamEvents,
            Finding::OtherPackets,
        ];
        let counted = CONTENT.iter().map(|&finding| (finding, self.report.count(finding)));
        counted.filter(|&(_, count)| count > 0)
    }
}

/// Makes an event file from a recording. Without `output`, this only finds out whether it can be
/// made.
///
/// If the target cannot store everything that the recording might contain, a first pass examines
/// the events, and violations are reported before anything is written. So does one before sorting,
/// and another one if sorted events pass filters. A pipe can only be read
/// once: there, the first event that cannot be stored ends the conversion, and no file is left
/// either.
///
/// ```no_run
/// use liaf_data::convert::{EventConvertOptions, TimePolicy, convert_events};
/// use liaf_data::write;
/// use liaf_data::{ReadOptions, Recording};
/// use std::ops::ControlFlow;
///
/// # fn main() -> liaf_data::Result<()> {
/// let mut recording = Recording::open("recording.raw", ReadOptions::default())?;
/// let options = EventConvertOptions {
///     time_policy: TimePolicy { zero_time: true, ..TimePolicy::default() },
///     ..write::target("aedat2").expect("is written").into()
/// };
/// let output = Some("recording.aedat".as_ref());
/// let done = convert_events(&mut recording, output, &options, &mut |_| {
///     ControlFlow::Continue(())
/// })?;
/// println!("{} events", done.events.kept);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If the target cannot store the events, if the recording cannot be read or nothing in it can be
/// used, or if the file cannot be written; [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) if
/// `progress` asked for it. No file is left in these cases.
pub fn convert_events(
    recording: &mut Recording,
    output: Option<&Path>,
    options: &EventConvertOptions,
    progress: &mut OnProgress<'_>,
) -> Result<EventConversion> {
    if recording.options().coords == Coords::Raw {
        return Err(Error::caller("event files are made of canonical coordinates")
            .found("coordinates as stored"));
    }
    let recorded = recording.find_sensor()?;
    let sensor = options.selection.check(recorded)?;
    let part = Part::find(recording, &options.selection)?;
    let sorts = options.time_policy.order == Order::Sort;
    if sorts && !recording.is_seekable() {
        return Err(Error::caller("sorting by time needs a first pass over the recording")
            .found("a pipe, which can be read only once")
            .advice("name a file")
            .hint(Hint::ClampTimes));
    }
    let memory = sorts.then_some(options.write.limits.reorder_bytes);
    let check =
        |stats| options.target.check(&options.time_policy.stats(stats), options.time_policy.wrap);
    let write = WriteOptions { wrap: options.time_policy.wrap, ..options.write };
    let Some(path) = output else {
        let mut pass = Pass { number: 0, passes: 1, progress };
        let survey = Survey::make(recording, &part, recorded, memory, &mut pass);
        let Survey { stats, events, mut report, .. } = survey.map_err(or_clamp)?;
        check_something_read(recording.path(), &report)?;
        check_something_kept(recording, &part, &mut report, events.kept)?;
        check(stats)?;
        let known = needs_facts(options, sensor).then_some(stats);
        write::check(options.target, &spec(recording, options, sensor, known), &write)?;
        let info = recording.info().clone();
        return Ok(EventConversion { info, report, events, sensor, written: None });
    };
    let surveys = recording.is_seekable() && needs_facts(options, sensor);
    let mut pass = Pass { number: 0, passes: 1 + u32::from(surveys), progress };
    let (stats, sorting) = match surveys {
        true => {
            let survey = Survey::make(recording, &part, recorded, memory, &mut pass);
            let Survey { stats, sorting, .. } = survey.map_err(or_clamp)?;
            check(stats)?;
            (Some(stats), sorting)
        }
        false => (None, Sorting::Keep),
    };
    let spec = spec(recording, options, sensor, stats);
    let mut reader = part.reader(recording)?;
    let mut stage = Stage {
        chain: OrderedChain::new(&part.selection, recorded, sorting)?,
        adjuster: TimeAdjuster::new(options.time_policy, stats.as_ref()),
        writer: write::create(path, options.target, &spec, &write)?,
        report: EventsReport::default(),
    };
    pass.number += 1;
    while reader.pump(&mut stage).map_err(or_clamp)? {
        pass.tell(&reader, stage.report.kept, 0)?;
    }
    let mut report = reader.report();
    check_something_read(recording.path(), &report)?;
    let mut held = EventBatch::new();
    stage.chain.finish(&mut held)?;
    stage.write(&mut held)?;
    let Stage { chain, writer, report: mut events, .. } = stage;
    events.moved += chain.moved();
    let events = events.removed(chain.removed());
    check_something_kept(recording, &part, &mut report, events.kept)?;
    let written = Some(writer.finish()?);
    Ok(EventConversion { info: reader.info().clone(), report, events, sensor, written })
}

/// The description of the file, with the statistics of the chosen events if they are known.
fn spec(
    recording: &Recording,
    options: &EventConvertOptions,
    sensor: SensorSize,
    stats: Option<EventStats>,
) -> EventSpec {
    EventSpec {
        sensor,
        source: device(recording.info()),
        provenance: provenance(recording, options),
        t_offset: options.time_policy.offset(stats.as_ref()),
        stats: stats.map(|stats| options.time_policy.stats(stats)),
    }
}

/// Whether statistics of the events are needed, in addition to the fact that they are on the
/// sensor.
fn needs_facts(options: &EventConvertOptions, sensor: SensorSize) -> bool {
    let holds = &options.target.capabilities;
    !holds.any_times()
        || options.time_policy.zero_time
        || options.time_policy.order == Order::Sort
        || sensor.width.saturating_sub(1) > holds.x_max
        || sensor.height.saturating_sub(1) > holds.y_max
}

/// The stage between the reader and the writer.
struct Stage {
    chain: OrderedChain,
    adjuster: TimeAdjuster,
    writer: Box<dyn EventWriter>,
    report: EventsReport,
}

impl EventSink for Stage {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        self.chain.apply(events)?;
        self.write(events)
    }
}

impl Stage {
    /// Writes events that are chosen and, if that was asked for, sorted.
    fn write(&mut self, events: &mut EventBatch) -> Result<()> {
        self.report.kept += events.len() as u64;
        self.adjuster.adjust(events, &mut self.report);
        if events.is_empty() { Ok(()) } else { self.writer.write(events) }
    }
}

/// Too many events to be sorted may still be clamped.
fn or_clamp(error: Error) -> Error {
    let is_memory =
        |hint: &Hint| matches!(hint, Hint::RaiseLimit { limit, .. } if limit == "reorder_bytes");
    if error.hints().iter().any(is_memory) { error.hint(Hint::ClampTimes) } else { error }
}

/// The device that recorded the chosen stream.
fn device(info: &RecordingInfo) -> Option<String> {
    let stream = info.streams.iter().find(|stream| Some(stream.id) == info.stream)?;
    stream.source.clone()
}

fn provenance(recording: &Recording, options: &EventConvertOptions) -> String {
    json!({
        "liaf": env!("CARGO_PKG_VERSION"),
        "source": source(recording),
        "selection": options.selection,
        "times": options.time_policy,
    })
    .to_string()
}
