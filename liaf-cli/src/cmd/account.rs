//! The closing lines of a conversion: what the file holds, and where every byte and event went.

use liaf::data::Report;
use liaf::data::convert::{Conversion, EventConversion, MeasurementConversion};
use liaf::data::filter::Filtered;
use liaf::data::frames::FrameReport;
use liaf::data::model::Finding;

use super::info::report_lines;
use crate::hints;
use crate::outputs::Job;
use crate::text::{self, thousands as count};

/// What was made.
pub enum Done {
    Tensor(Conversion),
    Events(EventConversion),
    Measurements(MeasurementConversion),
}

/// How many events or measurements were kept or not, and how large the output is.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    pub kept: u64,
    pub out_of_window: u64,
    pub out_of_crop: u64,
    pub filtered: Vec<Filtered>,
    /// Number of events that were earlier than an event before them, and were moved in the order or in
    /// time.
    pub moved: u64,
    /// Bytes of the output. If nothing was written, bytes of its tensors before compression.
    pub bytes: u64,
}

impl Done {
    /// What the reader counted in the recording.
    pub fn report(&self) -> &Report {
        match self {
            Self::Tensor(done) => &done.report,
            Self::Events(done) => &done.report,
            Self::Measurements(done) => &done.report,
        }
    }

    /// Whether an output was written, which a dry run does not do.
    pub fn is_written(&self) -> bool {
        match self {
            Self::Tensor(done) => done.written.is_some(),
            Self::Events(done) => done.written.is_some(),
            Self::Measurements(done) => done.written.is_some(),
        }
    }

    /// Where the events or measurements went.
    pub fn counts(&self) -> Counts {
        match self {
            Self::Tensor(done) => Counts {
                bytes: done.written.map_or(done.tensor_bytes, |written| written.bytes),
                ..frame_counts(&done.frames)
            },
            Self::Events(done) => Counts {
                kept: done.events.kept,
                out_of_window: done.events.out_of_window,
                out_of_crop: done.events.out_of_crop,
                filtered: done.events.filtered.clone(),
                moved: done.events.moved,
                bytes: done.written.as_ref().map_or(0, |written| written.bytes),
            },
            Self::Measurements(done) => Counts {
                kept: done.kept,
                out_of_window: done.out_of_window,
                bytes: done.written.map_or(0, |written| written.bytes),
                ..Counts::default()
            },
        }
    }

    /// What the file holds, and where every byte and event went.
    pub fn account(&self, job: &Job) -> String {
        let read = self.report();
        let (what, events) = match self {
            Self::Tensor(done) => (tensor(done), events(read, &self.counts())),
            Self::Events(done) => (event_file(done), events(read, &self.counts())),
            Self::Measurements(done) => (measurement_file(done), measurement_counts(done)),
        };
        let mut lines = vec![
            format!("{}: {what}", text::path(&job.output)),
            format!("  {}: {}", text::path(&job.input), bytes(read, self.stream())),
            format!("  {events}"),
        ];
        lines.extend(report_lines(read).into_iter().map(|also| format!("  also {also}")));
        lines.join("\n")
    }

    /// The stream that was read.
    pub fn stream(&self) -> &str {
        match self {
            Self::Tensor(_) | Self::Events(_) => "events",
            Self::Measurements(done) => stream(done),
        }
    }

    /// What a user should know even with `--quiet`.
    pub fn warnings(&self) -> Vec<String> {
        match self {
            Self::Tensor(done) => frame_warnings(&done.report, &done.frames),
            Self::Events(done) => {
                let mut warnings = file_warnings(done);
                warnings.extend(lost_warnings(&done.report, &self.counts()));
                warnings
            }
            Self::Measurements(done) => measurement_warnings(done),
        }
    }
}

/// Where every byte went. `stream` names the stream whose bytes come first.
pub fn bytes(read: &Report, stream: &str) -> String {
    let bytes = &read.bytes;
    let passed = match bytes.passed_over {
        0 => String::new(),
        passed => format!(", {} passed over", count(passed)),
    };
    format!(
        "read {} bytes ({} of {stream}, {} of headers, {} of other streams, {} unusable){passed}",
        count(bytes.total() - bytes.passed_over),
        count(bytes.events),
        count(bytes.header),
        count(bytes.other),
        count(bytes.skipped),
    )
}

fn frame_counts(frames: &FrameReport) -> Counts {
    Counts {
        kept: frames.kept,
        out_of_window: frames.out_of_window,
        out_of_crop: frames.out_of_crop,
        filtered: frames.filtered.clone(),
        moved: frames.moved,
        bytes: 0,
    }
}

/// What is said if all events were left out, or many of them by no choice of the user.
fn lost_warnings(read: &Report, counts: &Counts) -> Vec<String> {
    let mut warnings = Vec::new();
    let outside = read.count(Finding::OutOfSensor);
    let all = read.events + outside;
    // Rounded down: 100 % are all of them.
    let share = |part: u64| {
        let tenths = u128::from(part) * 1000 / u128::from(all.max(1));
        format!("{}.{} %", tenths / 10, tenths % 10)
    };
    if outside > 0 && outside >= all / 100 {
        let first = read.findings.get(&Finding::OutOfSensor);
        let first = match first.map(|found| (found.first_offset, found.first_event)) {
            Some((Some(offset), _)) => format!(", the first at byte {offset}"),
            Some((None, Some(event))) => format!(", the first is event {event}"),
            _ => String::new(),
        };
        let advice = match hints::may_advise("sensor") {
            true => " (state its size with --sensor WxH)",
            false => "",
        };
        warnings.push(format!(
            "{} of {} events ({}) are outside the sensor and left out{first}{advice}",
            count(outside),
            count(all),
            share(outside),
        ));
    }
    if counts.kept == 0 && read.events > 0 {
        let filtered = counts.filtered.iter().map(|row| (row.events, format!("by {}", row.filter)));
        let chosen = [
            (counts.out_of_window, "out of window".to_owned()),
            (counts.out_of_crop, "out of crop".to_owned()),
        ];
        let causes: Vec<_> = chosen
            .into_iter()
            .chain(filtered)
            .filter(|(events, _)| *events > 0)
            .map(|(events, why)| format!("{} {why}", count(events)))
            .collect();
        warnings.push(format!(
            "no event is left of {} (100 %): {}",
            count(read.events),
            causes.join(", ")
        ));
    }
    warnings
}

/// Where every event went.
pub fn events(read: &Report, counts: &Counts) -> String {
    let outside = read.count(Finding::OutOfSensor);
    let filtered = counts.filtered.iter();
    let filtered = filtered.map(|row| format!(", {} by {}", count(row.events), row.filter));
    let moved = match counts.moved {
        0 => String::new(),
        moved => format!("; {} moved", count(moved)),
    };
    format!(
        "{} events: {} kept, {} out of window, {} out of crop, {} out of sensor{}{moved}",
        count(read.events + outside),
        count(counts.kept),
        count(counts.out_of_window),
        count(counts.out_of_crop),
        count(outside),
        filtered.collect::<String>(),
    )
}

fn tensor(done: &Conversion) -> String {
    format!(
        "{} frames of {}x{}x{}, {}",
        count(done.frames.frames),
        done.shape.channels,
        done.shape.height,
        done.shape.width,
        match done.written {
            Some(written) => text::bytes(written.bytes),
            None => format!("{} to be written before compression", text::bytes(done.tensor_bytes)),
        }
    )
}

fn event_file(done: &EventConversion) -> String {
    let events = format!("{} events of {}", count(done.events.kept), done.sensor);
    match &done.written {
        Some(written) => format!("{events}, {}", text::bytes(written.bytes)),
        None => format!("{events} to be written"),
    }
}

/// What a user of frames should know about them.
pub fn frame_warnings(report: &Report, frames: &FrameReport) -> Vec<String> {
    let mut warnings = hints::of_notes(&report.notes);
    warnings.extend(frames.notes.iter().cloned());
    warnings.extend(lost_warnings(report, &frame_counts(frames)));
    warnings.extend(late_warning(frames.late));
    warnings.extend(moved_warning(frames.moved));
    warnings.extend(saturated_warning(frames.saturated_cells));
    warnings
}

/// What is said of events that came late.
pub fn late_warning(late: u64) -> Option<String> {
    let late = (late > 0).then(|| count(late))?;
    let sort = match hints::may_advise("sort") {
        true => ": --sort sorts all events by time",
        false => "",
    };
    Some(format!(
        "{late} events came before the first window or after one of theirs was closed, and are in \
         open frames{sort}"
    ))
}

/// What is said of cells that could not count all their events.
pub fn saturated_warning(cells: u64) -> Option<String> {
    let cells = (cells > 0).then(|| count(cells))?;
    let advice = if hints::has("dtype") { ": choose a wider --dtype" } else { "" };
    Some(format!("{cells} cells reached the largest value of their type{advice}"))
}

/// What is said of events that were moved.
fn moved_warning(moved: u64) -> Option<String> {
    let moved = (moved > 0).then(|| count(moved))?;
    Some(format!("{moved} events were earlier than one before them and were moved"))
}

fn file_warnings(done: &EventConversion) -> Vec<String> {
    let mut warnings = hints::of_notes(&done.report.notes);
    warnings.extend(done.written.iter().flat_map(|written| written.notes.clone()));
    let left: Vec<_> = done
        .not_carried()
        .map(|(finding, n)| format!("{} {}", count(n), finding.name().replace('_', " ")))
        .collect();
    if !left.is_empty() {
        warnings.push(format!("not written to the file: {}", left.join(", ")));
    }
    warnings.extend(moved_warning(done.events.moved));
    warnings
}

fn stream(done: &MeasurementConversion) -> &str {
    done.info.chosen().map_or("", |stream| &stream.name)
}

fn measurement_file(done: &MeasurementConversion) -> String {
    let measurements = format!("{} samples of {}", count(done.kept), stream(done));
    match done.written {
        Some(written) => format!("{measurements}, {}", text::bytes(written.bytes)),
        None => format!("{measurements} to be written"),
    }
}

fn measurement_counts(done: &MeasurementConversion) -> String {
    let (kept, out) = (done.kept, done.out_of_window);
    format!("{} samples: {} kept, {} out of window", count(kept + out), count(kept), count(out))
}

fn measurement_warnings(done: &MeasurementConversion) -> Vec<String> {
    let mut warnings = hints::of_notes(&done.report.notes);
    match (done.kept, done.out_of_window) {
        (0, 0) => warnings.push(format!("the stream {} is empty", stream(done))),
        (0, all) => warnings.push(format!(
            "none of the {} samples of {} is in the chosen interval of time",
            count(all),
            stream(done)
        )),
        _ => {}
    }
    warnings
}
