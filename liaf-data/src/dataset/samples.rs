//! The samples of one recording.

use std::ops::ControlFlow;

use super::contents::Contents;
use super::event_samples::EventRule;
use super::part::{PartWriter, Row};
use super::source::Source;
use super::{EventCounts, SampleRule, Split, SplitRule};
use crate::convert::Framing;
use crate::error::{Error, Result};
use crate::filter::Selection;
use crate::frames::{Cells, Frame, FrameCounts, FrameOptions, FrameSink, WindowRule};
use crate::model::{Finding, TimePoint};
use crate::read::Recording;
use crate::tensor::put_cells;

/// How samples are made from a stretch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recipe<'a> {
    pub frames: &'a FrameOptions,
    pub rule: SampleRule,
    pub split: SplitRule,
    pub contents: Contents,
}

impl Recipe<'_> {
    /// Writes the samples of a stretch.
    ///
    /// # Errors
    /// If the recording cannot be read or a part cannot be written;
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) if `go_on` says so.
    pub fn make(
        self,
        recording: &mut Recording,
        source: Source,
        part: &mut PartWriter<'_>,
        go_on: &dyn Fn() -> bool,
    ) -> Result<()> {
        let SplitRule::Time { fraction } = self.split else {
            return self.make_one(recording, source, part, go_on);
        };
        let Some((first, border)) = source.border(recording, fraction)? else { return Ok(()) };
        let [first, border] = [first, border].map(|t| Some(TimePoint::Absolute(t)));
        let train = Source { split: Some(Split::Train), from: first, to: border, ..source };
        let test = Source { split: Some(Split::Test), from: border, ..source };
        self.make_one(recording, train, part, go_on)?;
        self.make_one(recording, test, part, go_on)
    }

    fn make_one(
        self,
        recording: &mut Recording,
        source: Source,
        part: &mut PartWriter<'_>,
        go_on: &dyn Fn() -> bool,
    ) -> Result<()> {
        let selection = self.frames.selection.clone();
        let selection = Selection { from: source.from, to: source.to, ..selection };
        let class = source.class.map_or(-1, |class| class as i64);
        let split = source.split;
        if let (Contents::Events, WindowRule::Time { us, .. }) =
            (self.contents, self.frames.windows)
        {
            let rule = EventRule {
                class,
                split,
                samples: self.rule,
                window: us,
                limits: self.frames.limits,
            };
            return rule.make(recording, &selection, part, go_on);
        }
        let mut options = FrameOptions { selection, ..self.frames.clone() };
        if let SampleRule::Bins { steps } = self.rule {
            options.windows = WindowRule::Bins { n: steps as u64 };
        }
        // What the caller did not choose, and is in no window, is in no sample.
        let is_all = options.selection.from.is_none() && options.selection.to.is_none();
        let mut collect = Collect {
            rule: self.rule,
            class,
            split,
            is_sparse: self.contents == Contents::Sparse,
            part,
            open: None,
            full: true,
            bytes: Vec::new(),
            next: FrameCounts::default(),
            counts: EventCounts::default(),
            of_open: EventCounts::default(),
            is_done: false,
        };
        let mut progress = |_: &_| match go_on() {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        };
        let mut framing = Framing::begin(recording, &options, &mut progress)?;
        let made = framing.run_any(&mut collect)?;
        collect.end();
        let (frames, mut counts) = (&made.frames, collect.counts);
        counts.in_no_sample = frames.kept - counts.kept;
        counts.left_out = frames.events() - frames.kept - frames.out_of_window;
        counts.left_out += made.report.count(Finding::OutOfSensor);
        if is_all {
            counts.in_no_sample += frames.out_of_window;
        }
        part.head.events += counts;
        part.head.has_rest |= !made.is_whole;
        frames.notes.iter().for_each(|note| part.head.note(note));
        for note in made.report.notes.iter().chain(&made.info.notes) {
            part.head.note(&note.to_string());
        }
        Ok(())
    }
}

/// Groups frames into samples.
struct Collect<'a, 's> {
    rule: SampleRule,
    class: i64,
    split: Option<Split>,
    is_sparse: bool,
    part: &'a mut PartWriter<'s>,
    /// The sample that is not complete yet, and whether all of its windows are full.
    open: Option<Row>,
    full: bool,
    bytes: Vec<u8>,
    /// Where the events of the next frame came from, those of all samples, and those of the open one.
    next: FrameCounts,
    counts: EventCounts,
    of_open: EventCounts,
    /// Whether nothing more is needed.
    is_done: bool,
}

impl Collect<'_, '_> {
    fn add(&mut self, frame: &Frame, full: bool) -> Result<()> {
        if self.is_done {
            return Ok(());
        }
        self.of_open.kept += self.next.kept;
        self.of_open.late += self.next.late;
        self.of_open.saturated_cells += self.next.saturated_cells;
        let (class, split) = (self.class, self.split);
        let start = frame.window.start;
        let open = self.open.get_or_insert(Row {
            class,
            split,
            start,
            frames: 0,
            items: 0,
            duration: 0,
            dropped: false,
        });
        open.items += match self.is_sparse {
            true => put_records(frame, open.frames, &mut self.bytes),
            false => {
                self.bytes.resize(frame.shape.cells() * frame.dtype().bytes(), 0);
                put_cells(&frame.cells, &mut self.bytes);
                1
            }
        };
        self.part.append(&self.bytes)?;
        open.frames += 1;
        open.duration = frame.window.end.saturating_sub(open.start);
        self.full &= full;
        if self.rule.steps().is_some_and(|steps| open.frames == steps as u64) {
            self.close(true);
            self.is_done = !matches!(self.rule, SampleRule::Cut { .. });
        }
        Ok(())
    }

    /// Completes the open sample, which has all of its frames or not.
    fn close(&mut self, has_all: bool) {
        let Some(mut row) = self.open.take() else { return };
        let is_whole = has_all && self.full;
        row.dropped = matches!(self.rule, SampleRule::Cut { keep_partial: false, .. }) && !is_whole;
        let of_open = std::mem::take(&mut self.of_open);
        if !row.dropped {
            self.counts += of_open;
        }
        self.part.head.rows.push(row);
        self.full = true;
    }

    fn end(&mut self) {
        self.close(false);
    }
}

impl FrameSink for Collect<'_, '_> {
    fn frame(&mut self, frame: &Frame) -> Result<()> {
        self.add(frame, true)
    }

    fn partial_frame(&mut self, frame: &Frame) -> Result<()> {
        self.add(frame, false)
    }

    fn counts(&mut self, counts: FrameCounts) {
        self.next = counts;
    }

    fn is_done(&self) -> bool {
        self.is_done
    }
}

/// Replaces `bytes` by the cells of frame `number` of a sample that are not zero: frame, c, y, x and value.
/// Returns their number.
fn put_records(frame: &Frame, number: u64, bytes: &mut Vec<u8>) -> u64 {
    let frame = frame.to_sparse();
    bytes.clear();
    let Cells::Sparse { index, cells } = frame.cells else { return 0 };
    let size = cells.dtype().bytes();
    let mut values = vec![0; cells.len() * size];
    put_cells(&Cells::Dense(cells), &mut values);
    let (width, area) = (frame.shape.width as u32, (frame.shape.width * frame.shape.height) as u32);
    for (&at, value) in index.iter().zip(values.chunks_exact(size)) {
        bytes.extend_from_slice(&(number as u32).to_le_bytes());
        // Sides of a sensor fit in 16 bits, and so does the number of channels, which is checked.
        for side in [at / area, at % area / width, at % width] {
            bytes.extend_from_slice(&(side as u16).to_le_bytes());
        }
        bytes.extend_from_slice(value);
    }
    index.len() as u64
}

/// Checks that rules, windows and contents fit each other.
pub(super) fn check(rule: SampleRule, frames: &FrameOptions, contents: Contents) -> Result<()> {
    if contents == Contents::Events {
        let is_time = matches!(frames.windows, WindowRule::Time { .. });
        if !is_time || matches!(rule, SampleRule::Bins { .. }) {
            return Err(Error::caller("events are divided into windows when they are used")
                .expected("samples of a length of time")
                .found("bins, or windows by number"));
        }
        if frames.size.is_some() {
            return Err(Error::caller("events are not scaled down to the size of frames")
                .advice("choose the size when they are used, or the filter downsample"));
        }
    }
    if rule.steps() == Some(0) {
        return Err(Error::caller("samples must have at least one frame"));
    }
    if !matches!(rule, SampleRule::Bins { .. })
        && matches!(frames.windows, WindowRule::Bins { .. } | WindowRule::EventBins { .. })
    {
        return Err(Error::caller("bins of a whole recording are not windows of samples")
            .advice("choose windows by time or by a number of events, or bins of each sample"));
    }
    if frames.selection.from.is_some() || frames.selection.to.is_some() {
        return Err(Error::caller("the interval of time of a sample is chosen by the set")
            .found("an interval in the frame options"));
    }
    Ok(())
}
