//! Events to HDF5 as DSEC has them: a dataset a column, and a table that leads from ms to rows.

use std::path::Path;

use super::sink::{EventSink, MS, P, T, X, Y};
use crate::codec::{Capabilities, Compression, Make, Target, WriteOptions};
use crate::codec::{EventSpec, EventWriter, Written};
use crate::container::deflate::DeflateLevel;
use crate::container::hdf5::{Chunk, Flow, WholeFile};
use crate::error::Result;
use crate::model::EventBatch;

pub(crate) const TARGET: Target = Target {
    name: "h5-events",
    title: "HDF5 as DSEC has it",
    extension: "h5",
    // The extension alone means a tensor file.
    claims: &[],
    compressions: &[Compression::Deflate(4), Compression::None],
    capabilities: Capabilities {
        t_min: 0,
        // The table has 8 bytes for each ms from 0 on, used or not: 19 hours.
        t_max: (1 << 36) - 1,
        // The table is one of rows before and after a time.
        step_back: 0,
        ..Capabilities::ANYTHING
    },
    make: Make::Writer(|path, spec, options| Ok(Box::new(H5Writer::create(path, spec, options)?))),
};

/// Rows a chunk: 512 KiB of times.
const ROOM: usize = 1 << 16;
const US_PER_MS: i64 = 1000;

/// Writes `/events/{t,x,y,p}` and `/ms_to_idx`, whose row `ms` is the number of events before
/// `1000 * ms` µs.
struct H5Writer {
    columns: [Column; 5],
    flow: Flow<EventSink>,
    events: u64,
    /// Rows of the table so far.
    ms: i64,
}

/// A dataset in the making.
#[derive(Default)]
struct Column {
    /// The chunk that is being filled.
    chunk: Option<Chunk>,
    /// Rows so far.
    rows: u64,
}

impl H5Writer {
    fn create(path: &Path, spec: &EventSpec, options: &WriteOptions) -> Result<Self> {
        let level = options.compression.and_then(DeflateLevel::of);
        let out = WholeFile::create(path, options.overwrite, options.sync, &spec.provenance)?;
        let sink = EventSink::new(out, spec, level, options.limits);
        let columns: [Column; 5] = Default::default();
        // One of each column is filled, and each thread packs two.
        let most = columns.len() + 2 * rayon::current_num_threads() + 1;
        let flow = Flow::new(level, options.parallel, most, sink);
        Ok(Self { columns, flow, events: 0, ms: 0 })
    }

    /// Adds `cells` to a dataset; together with what its chunk holds, they fit one chunk.
    fn add<const N: usize>(
        &mut self,
        dataset: usize,
        cells: impl ExactSizeIterator<Item = [u8; N]>,
    ) -> Result<()> {
        let column = &mut self.columns[dataset];
        let mut chunk = match column.chunk.take() {
            Some(chunk) => chunk,
            None => {
                let mut chunk = self.flow.take()?;
                chunk.raw.clear();
                (chunk.dataset, chunk.first, chunk.cell) = (dataset, column.rows, N);
                chunk.room = ROOM;
                chunk
            }
        };
        chunk.rows += cells.len();
        column.rows += cells.len() as u64;
        chunk.raw.extend(cells.flatten());
        if chunk.rows == chunk.room {
            return self.flow.put(chunk);
        }
        column.chunk = Some(chunk);
        Ok(())
    }

    /// Adds the rows of the table that these times, of events from number `events` on, decide.
    fn add_to_table(&mut self, times: &[i64]) -> Result<()> {
        for (&t, row) in times.iter().zip(self.events..) {
            while self.ms * US_PER_MS <= t {
                let filled = self.columns[MS].chunk.as_ref().map_or(0, |chunk| chunk.rows);
                let behind = (t / US_PER_MS - self.ms + 1) as usize;
                let rows = behind.min(ROOM - filled);
                self.add(MS, std::iter::repeat_n(row.to_le_bytes(), rows))?;
                self.ms += rows as i64;
            }
        }
        Ok(())
    }
}

impl EventWriter for H5Writer {
    fn write(&mut self, events: &EventBatch) -> Result<()> {
        self.flow.poll()?;
        let mut from = 0;
        while from < events.len() {
            // Up to the end of the chunks, so that these are full at the same events however cut.
            let to = events.len().min(from + ROOM - (self.events % ROOM as u64) as usize);
            let range = from..to;
            self.add_to_table(&events.t[range.clone()])?;
            self.add(T, events.t[range.clone()].iter().map(|t| t.to_le_bytes()))?;
            self.add(X, events.x[range.clone()].iter().map(|x| x.to_le_bytes()))?;
            self.add(Y, events.y[range.clone()].iter().map(|y| y.to_le_bytes()))?;
            self.add(P, events.p[range].iter().map(|p| [p & 1]))?;
            self.events += (to - from) as u64;
            from = to;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Written> {
        for column in &mut self.columns {
            let Some(mut chunk) = column.chunk.take() else { continue };
            if chunk.first == 0 {
                // Less than one chunk in all: a chunk of just these rows.
                chunk.room = chunk.rows;
            }
            chunk.raw.resize(chunk.room * chunk.cell, 0);
            self.flow.put(chunk)?;
        }
        let bytes = self.flow.finish()?.finish()?;
        Ok(Written { events: self.events, bytes, notes: Vec::new() })
    }
}
