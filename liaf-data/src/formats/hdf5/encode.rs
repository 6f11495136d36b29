//! Encoding of events as HDF5 in the layout of DSEC: a dataset for each column, and a table from ms
//! to rows.

use std::path::Path;

use liaf_hdf5::ElementType;

use crate::codec::{Capabilities, Compression, Make, Target, WriteOptions};
use crate::codec::{EventSpec, EventWriter, Written};
use crate::container::deflate::DeflateLevel;
use crate::container::hdf5::{Chunk, Chunked, ChunkedFile, FileSpec, Flow};
use crate::error::Result;
use crate::model::{EventBatch, SensorSize};

pub(crate) const TARGET: Target = Target {
    name: "h5-events",
    title: "HDF5 as DSEC has it",
    extension: "h5",
    // The extension alone selects a tensor file.
    claims: &[],
    compressions: &[Compression::Deflate(4), Compression::None],
    capabilities: Capabilities {
        t_min: 0,
        // The table has 8 bytes for each ms from 0 on, whether it has events or not: this limit is
        // 19 hours.
        t_max: (1 << 36) - 1,
        // The table assumes that the rows are in order of time.
        step_back: 0,
        ..Capabilities::ANYTHING
    },
    make: Make::Writer(|path, spec, options| Ok(Box::new(H5Writer::create(path, spec, options)?))),
};

/// Number of rows of a chunk: 512 KiB of times.
const ROOM: usize = 1 << 16;
const US_PER_MS: i64 = 1000;

/// Numbers of the datasets in [`DATASETS`].
const T: usize = 0;
const X: usize = 1;
const Y: usize = 2;
const P: usize = 3;
const MS: usize = 4;

const DATASETS: [(&str, ElementType); 5] = [
    ("events/t", ElementType::I64),
    ("events/x", ElementType::U16),
    ("events/y", ElementType::U16),
    ("events/p", ElementType::U8),
    ("ms_to_idx", ElementType::U64),
];

/// Writes `/events/{t,x,y,p}` and `/ms_to_idx`, in which row `ms` is the number of events before
/// `1000 * ms` µs.
struct H5Writer {
    columns: [Column; 5],
    flow: Flow<ChunkedFile>,
    events: u64,
    /// Number of rows of the table so far.
    ms: i64,
    sensor: SensorSize,
    t_offset: Option<i64>,
}

/// A dataset that is being written.
#[derive(Default)]
struct Column {
    /// The chunk that is being filled.
    chunk: Option<Chunk>,
    /// Number of rows so far.
    rows: u64,
}

impl H5Writer {
    fn create(path: &Path, spec: &EventSpec, options: &WriteOptions) -> Result<Self> {
        let level = options.compression.and_then(DeflateLevel::of);
        let file = FileSpec {
            path,
            overwrite: options.overwrite,
            sync: options.sync,
            provenance: Some(&spec.provenance),
            level,
            limits: options.limits,
        };
        let growing = DATASETS.map(|(name, element)| Chunked::growing(name, element, &[]));
        let file = ChunkedFile::create(file, growing.into())?;
        let columns: [Column; 5] = Default::default();
        // One chunk of each column is being filled, and each thread has two to compress.
        let most = columns.len() + 2 * rayon::current_num_threads() + 1;
        let flow = Flow::new(level, options.parallel, most, file);
        let (sensor, t_offset) = (spec.sensor, spec.t_offset);
        Ok(Self { columns, flow, events: 0, ms: 0, sensor, t_offset })
    }

    /// Appends `cells` to a dataset. They must fit into its current chunk.
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

    /// Appends the rows of the table that follow from these times, which are those of the events
    /// from number `self.events` on.
    fn add_to_table(&mut self, times: &[i64]) -> Result<()> {
        for (&t, row) in times.iter().zip(self.events..) {
            while self.ms * US_PER_MS <= t {
                let filled = self.columns[MS].chunk.as_ref().map_or(0, |chunk| chunk.rows);
                let missing = (t / US_PER_MS - self.ms + 1) as usize;
                let rows = missing.min(ROOM - filled);
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
            // Go up to the end of the chunks, so that the chunks are full at the same events
            // however the batches are cut.
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
                // There is less than one full chunk in total, so the chunk size becomes the number
                // of rows.
                chunk.room = chunk.rows;
            }
            chunk.raw.resize(chunk.room * chunk.cell, 0);
            self.flow.put(chunk)?;
        }
        let mut file = self.flow.finish()?;
        if let Some(t_offset) = self.t_offset {
            file.dataset("t_offset", &[t_offset], &[])?;
        }
        // RVT stores the size of the sensor here.
        file.dataset("events/width", &[i64::from(self.sensor.width)], &[])?;
        file.dataset("events/height", &[i64::from(self.sensor.height)], &[])?;
        Ok(Written::new(self.events, file.finish()?))
    }
}
