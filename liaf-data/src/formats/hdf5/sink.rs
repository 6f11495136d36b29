//! The datasets of an event file that is being written.

use hdf5::{Dataset, H5Type};

use crate::codec::{EventSpec, check_size};
use crate::container::deflate::DeflateLevel;
use crate::container::hdf5::{Chunk, ChunkSink, WholeFile, write_chunk};
use crate::error::Result;
use crate::limits::Limits;
use crate::model::SensorSize;

pub(crate) const T: usize = 0;
pub(crate) const X: usize = 1;
pub(crate) const Y: usize = 2;
pub(crate) const P: usize = 3;
pub(crate) const MS: usize = 4;

const NAMES: [&str; 5] = ["events/t", "events/x", "events/y", "events/p", "ms_to_idx"];

/// The open HDF5 file. The order of the fields is the order in which they are dropped.
pub(crate) struct EventSink {
    /// `None` before the first chunk of a dataset.
    datasets: [Option<Dataset>; 5],
    out: WholeFile,
    level: Option<DeflateLevel>,
    sensor: SensorSize,
    t_offset: Option<i64>,
    /// Size of all chunks so far, in bytes.
    bytes: u64,
    limits: Limits,
}

impl EventSink {
    pub fn new(
        out: WholeFile,
        spec: &EventSpec,
        level: Option<DeflateLevel>,
        limits: Limits,
    ) -> Self {
        Self {
            datasets: Default::default(),
            out,
            level,
            sensor: spec.sensor,
            t_offset: spec.t_offset,
            bytes: 0,
            limits,
        }
    }

    /// Writes everything that is not in chunks, completes the file and returns its size.
    pub fn finish(mut self) -> Result<u64> {
        self.complete().map_err(|error| self.out.failed(&error))?;
        self.datasets = Default::default();
        self.out.finish()
    }

    fn complete(&mut self) -> hdf5::Result<()> {
        for dataset in 0..NAMES.len() {
            // Without any rows, the chunk size is one row.
            self.extend(dataset, 1, 0)?;
        }
        if let Some(t_offset) = self.t_offset {
            self.number("t_offset", t_offset)?;
        }
        // RVT stores the size of the sensor here.
        self.number("events/width", self.sensor.width.into())?;
        self.number("events/height", self.sensor.height.into())
    }

    fn number(&self, name: &str, value: i64) -> hdf5::Result<()> {
        let builder = self.out.file().new_dataset_builder().obj_track_times(false);
        builder.empty::<i64>().create(name)?.write_scalar(&value)
    }

    /// The dataset, extended to `rows` rows; a new dataset has chunks of `room` rows.
    fn extend(&mut self, dataset: usize, room: usize, rows: u64) -> hdf5::Result<&Dataset> {
        let slot = self.datasets.get_mut(dataset).ok_or("no dataset of this number")?;
        let made = match slot.take() {
            Some(made) => made,
            None => {
                let (file, level, name) = (self.out.file(), self.level, NAMES[dataset]);
                match dataset {
                    T => make::<i64>(file, name, room, level),
                    X | Y => make::<u16>(file, name, room, level),
                    P => make::<u8>(file, name, room, level),
                    _ => make::<u64>(file, name, room, level),
                }?
            }
        };
        if rows > 0 {
            made.resize(rows as usize)?;
        }
        Ok(slot.insert(made))
    }
}

/// Creates a dataset of one dimension that can grow.
fn make<N: H5Type>(
    file: &hdf5::File,
    name: &str,
    room: usize,
    level: Option<DeflateLevel>,
) -> hdf5::Result<Dataset> {
    let builder = file.new_dataset_builder().obj_track_times(false);
    let mut builder = builder.empty::<N>().shape(0..).chunk(room);
    if let Some(level) = level {
        if size_of::<N>() > 1 {
            builder = builder.shuffle();
        }
        builder = builder.deflate(level.number());
    }
    builder.create(name)
}

impl ChunkSink for EventSink {
    /// Writes `chunk`, after extending its dataset to include its rows.
    fn write(&mut self, chunk: &Chunk) -> Result<()> {
        self.bytes += chunk.bytes().len() as u64;
        check_size(self.bytes, &self.limits, self.out.path())?;
        self.extend(chunk.dataset, chunk.room, chunk.first + chunk.rows as u64)
            .and_then(|dataset| write_chunk(dataset, &[chunk.first], chunk.bytes()))
            .map_err(|error| self.out.failed(&error))
    }
}
