//! Events from a decoder over a byte source.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::path::PathBuf;

use super::check::{Check, Checked};
use crate::codec::{Body, Checkpoint, EventSink, Opened};
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::model::{EventBatch, Finding, RecordingInfo, Report, SensorSize};

/// Reads the events of a recording, in file order. It is a decoder, or the reader of a container,
/// over the open bytes.
///
/// Readers are independent: several readers of one [`Recording`](crate::Recording) do not affect
/// each other, and may be moved to other threads.
pub struct EventReader {
    pub(super) source: ByteSource,
    pub(super) body: Body,
    pub(super) step: usize,
    bytes_per_event: f64,
    info: RecordingInfo,
    /// The check for the current stream; if there are several streams, the current one is number
    /// `stream`.
    pub(super) check: Check,
    stream: Option<i32>,
    /// The checks for the other streams, if there are several.
    checks: BTreeMap<i32, Check>,
    /// Events that are decoded and have not been returned yet.
    pending: Pending,
    /// Number of the pending events that have been returned.
    taken: usize,
    /// An error that occurred after the pending events.
    failed: Option<Error>,
    finished: bool,
    /// If decoding a stream of bytes is to end early: the checkpoint at which it ends.
    end: Option<Checkpoint>,
    /// Whether only a part of the file is read.
    pub(super) is_cut: bool,
    /// Whether the part was found with an index, which has seen every event.
    pub(super) is_indexed: bool,
}

impl std::fmt::Debug for EventReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventReader").field("info", &self.info).finish_non_exhaustive()
    }
}

/// Events that wait, in order. All events of a batch belong to the same stream.
#[derive(Debug, Default)]
struct Pending {
    queue: VecDeque<(Option<i32>, EventBatch)>,
    stream: Option<i32>,
    /// Memory that is reused for the next batch.
    spare: EventBatch,
}

impl Pending {
    fn drop_first(&mut self) {
        if let Some((_, mut batch)) = self.queue.pop_front() {
            batch.clear();
            self.spare = batch;
        }
    }
}

impl EventSink for Pending {
    fn events(&mut self, events: &mut EventBatch, offset: u64) -> Result<()> {
        if self.queue.back().is_none_or(|(stream, _)| *stream != self.stream) {
            self.queue.push_back((self.stream, mem::take(&mut self.spare)));
        }
        self.queue.back_mut().map_or(Ok(()), |(_, batch)| batch.events(events, offset))
    }

    fn stream(&mut self, stream: i32) {
        self.stream = Some(stream);
    }
}

/// A decoder may need to read this many bytes after the checkpoint at which it is to end.
const LOOKAHEAD: u64 = 64 << 10;

impl EventReader {
    pub(super) fn new(
        source: ByteSource,
        opened: Opened,
        info: RecordingInfo,
        check: Check,
    ) -> Self {
        Self {
            source,
            body: opened.body,
            step: opened.step,
            bytes_per_event: opened.bytes_per_event,
            info,
            check,
            stream: None,
            checks: BTreeMap::new(),
            pending: Pending::default(),
            taken: 0,
            failed: None,
            finished: false,
            end: None,
            is_cut: false,
            is_indexed: false,
        }
    }

    fn path(&self) -> PathBuf {
        self.source.path().map(PathBuf::from).unwrap_or_default()
    }

    /// Prepares a pass over several streams, of which these are the ids and sensors.
    pub(super) fn with_streams(
        mut self,
        sensors: impl IntoIterator<Item = (i32, Option<SensorSize>)>,
    ) -> Self {
        let strict = self.check.strict;
        let check = |(id, sensor)| (id, Check::new(sensor, strict));
        self.checks = sensors.into_iter().map(check).collect();
        self
    }

    /// Restricts reading to the part from `start` to `end`. If the part was found with an index,
    /// the state of the decoder at `end` is compared with that of the index.
    pub(super) fn cut(
        &mut self,
        start: Option<&Checkpoint>,
        end: Option<Checkpoint>,
    ) -> Result<()> {
        if let Some(checkpoint) = start {
            self.body.resume(&mut self.source, checkpoint)?;
        }
        if let (Some(checkpoint), Body::Blocks(reader)) = (&end, &mut self.body) {
            reader.stop(&mut self.source, checkpoint)?;
        } else {
            self.end = end;
        }
        self.is_cut = true;
        Ok(())
    }

    /// Whether everything up to the end has been decoded. More bytes than that may have been read.
    fn is_at_end(&self) -> Result<bool> {
        let Some(end) = self.end.as_ref().filter(|end| self.source.position() >= end.offset) else {
            return Ok(false);
        };
        let Some(here) = self.body.checkpoint().filter(|here| here.offset >= end.offset) else {
            return Ok(false);
        };
        if self.is_indexed && here.offset == end.offset && here != *end {
            return Err(Error::malformed("the index does not belong to this file")
                .at(end.offset)
                .expected(format!("the decoder state {:?}", end.state))
                .found(format!("the decoder state {:?}", here.state))
                .in_file(self.path()));
        }
        Ok(true)
    }

    /// Number of bytes to decode next.
    fn next_step(&self) -> usize {
        let Some(end) = &self.end else { return self.step };
        let left = match end.offset.checked_sub(self.source.position()) {
            None | Some(0) => LOOKAHEAD,
            Some(left) => left,
        };
        usize::try_from(left).map_or(self.step, |left| left.min(self.step))
    }

    /// Clears `batch` and fills it with the next events, at most `max`. Returns their number; 0
    /// means the end. The memory of the batch is reused.
    ///
    /// Events before an error in the file are returned first, then the error, then the end.
    ///
    /// # Errors
    /// What is wrong with the file, with its path and a byte offset.
    pub fn read_into(&mut self, batch: &mut EventBatch, max: usize) -> Result<usize> {
        batch.clear();
        let max = max.max(1);
        while self.pending.queue.front().is_none_or(|(_, next)| self.taken == next.len()) {
            self.taken = 0;
            self.pending.drop_first();
            if !self.pending.queue.is_empty() {
                continue;
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            let mut pending = mem::take(&mut self.pending);
            let more = self.pump(&mut pending);
            self.pending = pending;
            match more {
                Ok(false) if self.pending.queue.is_empty() => return Ok(0),
                Ok(_) => {}
                Err(error) => self.failed = Some(error),
            }
        }
        let Some((_, next)) = self.pending.queue.front_mut() else { return Ok(0) };
        if self.taken == 0 && next.len() <= max {
            mem::swap(batch, next);
            next.clear();
        } else {
            let until = next.len().min(self.taken.saturating_add(max));
            batch.extend_from(&next[self.taken..until]);
            self.taken = until;
        }
        Ok(batch.len())
    }

    /// Appends all remaining events to `batch`.
    ///
    /// # Errors
    /// As [`read_into`](Self::read_into).
    pub fn read_to_end(&mut self, batch: &mut EventBatch) -> Result<()> {
        batch.reserve_if_possible(self.expected_events());
        while self.pump(batch)? {}
        Ok(())
    }

    /// Decodes the next block of the file and passes its events to `sink`, in batches that fit into
    /// the cache. Returns whether there may be more.
    ///
    /// The sink must not open the file of the recording for writing: that would wait for this call
    /// to end (see [`io`](crate::io)).
    ///
    /// # Errors
    /// As [`read_into`](Self::read_into), and errors of the sink.
    pub fn pump(&mut self, sink: &mut dyn EventSink) -> Result<bool> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if self.finished || self.is_at_end()? {
            self.finished = true;
            return Ok(false);
        }
        let step = self.next_step();
        let Self { source, body, check, stream, checks, .. } = self;
        let strict = check.strict;
        let mut checked = Checked { check, stream, checks, sink };
        let more = body.pump(source, step, strict, &mut checked);
        match more {
            Ok(more) => {
                self.finished = !more;
                Ok(more)
            }
            Err(error) => {
                self.finished = true;
                let path = self.path();
                Err(if path.as_os_str().is_empty() { error } else { error.in_file(path) })
            }
        }
    }

    /// What the recording says about itself.
    pub fn info(&self) -> &RecordingInfo {
        &self.info
    }

    /// The report of everything that was met so far. In a pass over several streams
    /// ([`Recording::all_events`](crate::Recording::all_events)), what the decoder met in one of them
    /// is only in its [`stream_report`](Self::stream_report).
    pub fn report(&self) -> Report {
        let mut report = self.with_notes(self.body.report());
        report.merge(&self.check.report);
        self.checks.values().for_each(|check| report.merge(&check.report));
        if self.finished {
            report.note_losses();
        }
        if let (true, true, Body::Stream(..)) = (self.is_cut, self.finished, &self.body) {
            let bytes = &mut report.bytes;
            bytes.passed_over =
                self.source.len().map_or(0, |len| len.saturating_sub(bytes.total()));
        }
        report
    }

    /// In a pass over several streams ([`Recording::all_events`](crate::Recording::all_events)),
    /// the report that a pass over `stream` alone would have at this point; `None` in any other
    /// pass.
    pub fn stream_report(&self, stream: i32) -> Option<Report> {
        let mut report = self.with_notes(&self.body.stream_report(stream)?);
        let check =
            if self.stream == Some(stream) { Some(&self.check) } else { self.checks.get(&stream) };
        check.into_iter().for_each(|check| report.merge(&check.report));
        if self.finished {
            report.note_losses();
        }
        Some(report)
    }

    /// The report of the decoder, after the notes on the header and on the source.
    fn with_notes(&self, decoded: &Report) -> Report {
        let mut report = Report::default();
        self.info.notes.iter().for_each(|note| report.note(note.clone()));
        self.source.notes().iter().for_each(|note| report.note(note.clone()));
        if let Some(damage) = self.source.damage() {
            report.add(Finding::BadParts, 1, damage.unpacked);
            report.note(damage.note());
        }
        report.merge(decoded);
        report
    }

    /// Number of bytes of the file that were read or skipped.
    pub fn position(&self) -> u64 {
        match &self.body {
            Body::Stream(..) => self.source.position(),
            Body::Blocks(reader) => reader.position(),
        }
    }

    /// Whether all bytes of the file were read or skipped, so that at most events in memory are still to come.
    pub(crate) fn is_all_read(&self) -> bool {
        self.info.bytes.is_some_and(|bytes| self.position() >= bytes)
    }

    /// An estimate of the number of events still to come, from the remaining bytes; 0 if it is
    /// unknown.
    pub fn expected_events(&self) -> usize {
        if let Body::Blocks(reader) = &self.body {
            return reader.expected_events();
        }
        let left = self.source.len().map_or(0, |len| len.saturating_sub(self.position()));
        (left as f64 / self.bytes_per_event) as usize
    }
}
