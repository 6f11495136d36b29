//! The triggers of Prophesee's layout, in `/EXT_TRIGGER/events`.

use liaf_hdf5::{Buffers, Datatype, File, Object};

use super::layout::number_of;
use super::table::{Column, Table, is_final};
use crate::codec::{BlockReader, EventSink, ReadOptions};
use crate::container::hdf5::{self, Shared};
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::limits::Limits;
use crate::model::{Finding, Measurement, Report, Trigger, TriggerKind};

/// The path of the dataset.
const PLACE: &str = "/EXT_TRIGGER/events";
/// Number of rows that are read at a time.
const ROWS: u64 = 16 << 10;

/// The triggers of a file.
pub(super) struct Triggers {
    table: Table,
    /// Where p, t and the channel are in a row.
    columns: [Column; 3],
}

impl Triggers {
    /// The triggers, if the file has any. A dataset of another shape is not taken for triggers.
    pub fn find(file: &File) -> Option<Self> {
        let Ok(Object::Dataset(dataset)) = file.object(PLACE) else { return None };
        let Datatype::Compound { members, .. } = dataset.datatype() else { return None };
        let column = |name: &str| {
            let member = members.iter().find(|member| member.name == name)?;
            Some(Column { number: number_of(&member.datatype)?, offset: member.offset })
        };
        let columns = [column("p")?, column("t")?, column("id")?];
        let is_list = dataset.shape().len() == 1;
        let table = Table::new(dataset, 1).ok().filter(|_| is_list)?;
        Some(Self { table, columns })
    }

    /// Adds to the report of a reader of events that there are triggers, in a file of so many bytes.
    pub fn beside(&self, report: &mut Report, file_bytes: u64) {
        let mut table = self.table.clone();
        let offset = table.offset(0).unwrap_or(0);
        report.add(Finding::Triggers, table.rows, offset);
        report.bytes.other += table.dataset.stored_bytes().unwrap_or(0).min(file_bytes);
    }
}

/// Reads the triggers, row by row.
pub(super) struct TriggerReader {
    triggers: Triggers,
    shared: Shared,
    file_bytes: u64,
    row: u64,
    strict: bool,
    limits: Limits,
    offset: i64,
    /// Number of events in the file.
    events: u64,
    buffers: Buffers,
    /// Number of rows that could not be read.
    lost: u64,
    report: Report,
    ended: bool,
}

impl TriggerReader {
    /// A reader; `offset` is added to the times, in µs, and `events` are in the file as well.
    ///
    /// # Errors
    /// If a chunk of the dataset is larger than the limits allow.
    pub fn new(
        triggers: Triggers,
        shared: Shared,
        offset: i64,
        events: u64,
        options: &ReadOptions,
    ) -> Result<Self> {
        let limits = options.limits;
        let what = format!("a chunk of {PLACE}");
        Limits::check(&what, triggers.table.chunk_bytes, limits.packet_bytes)?;
        Ok(Self {
            triggers,
            file_bytes: liaf_hdf5::Source::size(&shared),
            shared,
            row: 0,
            strict: options.strict,
            limits,
            offset,
            events,
            buffers: Buffers::default(),
            lost: 0,
            report: Report::default(),
            ended: false,
        })
    }

    /// Passes on the triggers of the rows from `self.row` to `end`, whose bytes these are.
    fn give(&mut self, end: u64, bytes: &[u8], sink: &mut dyn EventSink) -> Result<()> {
        let Triggers { table, columns } = &self.triggers;
        let rows = (end - self.row) as usize;
        let [p, t, id] = columns.map(|column| table.view(column, bytes).integers(rows));
        let first = std::mem::replace(&mut self.row, end);
        for (row, ((p, t), id)) in (first..).zip(p.into_iter().zip(t).zip(id)) {
            let t = t.and_then(|t| t.checked_add(self.offset));
            let is_rising = p.and_then(|p| match p {
                1 => Some(true),
                0 | -1 => Some(false),
                _ => None,
            });
            let channel = id.and_then(|id| u32::try_from(id).ok());
            let (Some(t), Some(is_rising), Some(channel)) = (t, is_rising, channel) else {
                self.report.add_event(Finding::BadValues, 1, row);
                if self.strict {
                    let what = format!("row {row} of {PLACE} is not a trigger");
                    return Err(Error::malformed(what).expected("a time, p 0 or 1, and a channel"));
                }
                continue;
            };
            let kind = TriggerKind::edge(is_rising);
            sink.measurement(Measurement::Trigger(Trigger { t, kind, channel }), 0)?;
        }
        Ok(())
    }

    fn finish(&mut self) {
        self.ended = true;
        self.shared.notes().iter().for_each(|note| self.report.note(note.clone()));
        let table = &self.triggers.table;
        let stored = table.dataset.stored_bytes().unwrap_or(0).min(self.file_bytes);
        let lost = u128::from(stored) * u128::from(self.lost) / u128::from(table.rows.max(1));
        let bytes = &mut self.report.bytes;
        bytes.skipped = (lost as u64).max(u64::from(self.lost > 0)).min(stored);
        bytes.events = stored - bytes.skipped;
        self.report.add(Finding::OtherStreamEvents, self.events, 0);
        let bytes = &mut self.report.bytes;
        // The events of the file are not read, and their share is not known without reading them.
        bytes.other = self.file_bytes.saturating_sub(stored);
    }
}

impl BlockReader for TriggerReader {
    fn pump(&mut self, _source: &mut ByteSource, sink: &mut dyn EventSink) -> Result<bool> {
        let table = &mut self.triggers.table;
        if self.ended || self.row >= table.rows {
            if !self.ended {
                self.finish();
            }
            return Ok(false);
        }
        let most = (self.limits.packet_bytes / table.row_bytes.max(1)).max(1) as u64;
        let end = table.next_chunk(self.row).min(self.row + ROWS.min(most));
        let mut bytes = Vec::new();
        if let Err(error) = table.read(self.row..end, &mut self.buffers, &mut bytes) {
            if is_final(&error) {
                return Err(hdf5::error(error));
            }
            let error =
                Error::malformed(format!("{PLACE} cannot be read from row {} on", self.row))
                    .found(error.what());
            if self.strict {
                return Err(error);
            }
            // The rest is not tried: triggers are few, and one chunk holds all of most recordings.
            self.report.add_event(Finding::DamagedPackets, 1, self.row);
            self.report.note(&error);
            self.lost = table.rows - self.row;
            self.row = table.rows;
            return Ok(true);
        }
        self.give(end, &bytes, sink)?;
        Ok(true)
    }

    fn report(&self) -> &Report {
        &self.report
    }

    fn position(&self) -> u64 {
        let rows = self.triggers.table.rows.max(1);
        (self.file_bytes as f64 * (self.row as f64 / rows as f64)) as u64
    }

    fn expected_events(&self) -> usize {
        0
    }
}
