//! Images as HDF5: a chunk each, and a dataset for each of their times.

use std::path::{Path, PathBuf};

use hdf5::{Dataset, H5Type};

use super::{MeasurementOptions, MeasurementWriter, MeasurementsWritten, other_kind};
use crate::codec::check_size;
use crate::container::deflate::DeflateLevel;
use crate::container::hdf5::{Chunk, ChunkSink, Flow, WholeFile, write_chunk};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::model::{Image, Measurement, Pixels};

const LEVEL: DeflateLevel = DeflateLevel::Level(4);

/// Writes `/frames` `[N, H, W]`, or `[N, H, W, C]` in colour, of `u8` or `u16`; `/t` and the other times
/// in µs, `[N]`, -1 where one is not known; and `/x` and `/y`, where on the sensor a frame begins.
pub(super) struct H5Frames {
    /// The file before the first image comes.
    out: Option<WholeFile>,
    /// What every image is like, and their way into the file.
    flow: Option<(Like, Flow<EventSink>)>,
    limits: Limits,
    /// Of every image: time, start and end of frame and exposure, column and row.
    columns: [Vec<i64>; 7],
    path: PathBuf,
}

const NAMES: [&str; 7] =
    ["t", "frame_start", "frame_end", "exposure_start", "exposure_end", "x", "y"];

/// What all images of a file have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Like {
    width: u32,
    height: u32,
    channels: u8,
    /// Bytes of a value.
    cell: usize,
}

impl Like {
    fn of(image: &Image) -> Self {
        let Image { width, height, channels, .. } = *image;
        let cell = if matches!(image.pixels, Pixels::U8(_)) { 1 } else { 2 };
        Self { width, height, channels, cell }
    }

    /// Of a frame: rows, columns, and values if there are several.
    fn shape(self) -> Vec<usize> {
        let mut shape = vec![self.height as usize, self.width as usize];
        if self.channels > 1 {
            shape.push(self.channels.into());
        }
        shape
    }
}

impl std::fmt::Display for Like {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { width, height, channels, cell } = self;
        write!(f, "{width}x{height}, {channels} channels of {} bits", 8 * cell)
    }
}

impl H5Frames {
    pub fn create(path: &Path, provenance: &str, options: &MeasurementOptions) -> Result<Self> {
        let out = WholeFile::create(path, options.overwrite, options.sync, provenance)?;
        Ok(Self {
            out: Some(out),
            flow: None,
            limits: options.limits,
            columns: Default::default(),
            path: path.into(),
        })
    }

    fn image(&mut self, image: &Image) -> Result<()> {
        let number = self.columns[0].len();
        let advice = "write a folder of .png files";
        if image.pixels.is_empty() {
            return Err(Error::caller(format!("frame {number} has no pixel")).advice(advice));
        }
        if let Some(out) = self.out.take() {
            let like = Like::of(image);
            let sink = EventSink { frames: None, like, out, bytes: 0, limits: self.limits };
            self.flow = Some((like, Flow::new(Some(LEVEL), false, 2, sink)));
        }
        let Some((like, flow)) = &mut self.flow else { return Ok(()) };
        if Like::of(image) != *like {
            return Err(Error::caller(format!("frame {number} is unlike those before it"))
                .expected(like)
                .found(Like::of(image))
                .advice(advice));
        }
        let mut chunk = flow.take()?;
        chunk.raw.clear();
        match &image.pixels {
            Pixels::U8(values) => chunk.raw.extend_from_slice(values),
            Pixels::U16(values) => chunk.raw.extend(values.iter().flat_map(|v| v.to_le_bytes())),
        }
        chunk.first = number as u64;
        (chunk.rows, chunk.room, chunk.cell, chunk.dataset) = (1, 1, like.cell, 0);
        let times = [image.frame_start, image.frame_end, image.exposure_start, image.exposure_end];
        let [a, b, c, d] = times.map(|time| time.unwrap_or(-1));
        let row = [image.t, a, b, c, d, image.x.into(), image.y.into()];
        self.columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        flow.put(chunk)
    }
}

impl MeasurementWriter for H5Frames {
    fn write(&mut self, measurement: &Measurement) -> Result<()> {
        match measurement {
            Measurement::Image(image) => self.image(image),
            _ => Err(other_kind(measurement)),
        }
        .map_err(|error| error.in_file(&self.path))
    }

    fn finish(self: Box<Self>) -> Result<MeasurementsWritten> {
        let Self { out, flow, columns, path, .. } = *self;
        let measurements = columns[0].len() as u64;
        let bytes = match (flow, out) {
            (Some((_, flow)), _) => {
                let sink = flow.finish().map_err(|error| error.in_file(&path))?;
                complete(sink.close(), &columns)?
            }
            (None, Some(out)) => complete(out, &columns)?,
            (None, None) => 0,
        };
        Ok(MeasurementsWritten { measurements, bytes })
    }
}

/// Adds what is not in chunks, completes the file and returns its size.
fn complete(out: WholeFile, columns: &[Vec<i64>; 7]) -> Result<u64> {
    let add = |name, column: &Vec<i64>| -> hdf5::Result<()> {
        let builder = out.file().new_dataset_builder().obj_track_times(false);
        let made = builder.empty::<i64>().shape(column.len()).create(name)?;
        if column.is_empty() { Ok(()) } else { made.write_raw(column) }
    };
    let mut columns = NAMES.into_iter().zip(columns);
    columns.try_for_each(|(name, column)| add(name, column)).map_err(|error| out.failed(&error))?;
    out.finish()
}

/// The file as HDF5 sees it. Its fields are dropped in this order.
struct EventSink {
    /// `None` before the first image.
    frames: Option<Dataset>,
    like: Like,
    out: WholeFile,
    bytes: u64,
    limits: Limits,
}

impl EventSink {
    /// The file, with its frames closed.
    fn close(self) -> WholeFile {
        self.out
    }

    /// The dataset of frames, extended to `rows`.
    fn extend(&mut self, rows: u64) -> hdf5::Result<&Dataset> {
        let like = self.like;
        let made = match self.frames.take() {
            Some(made) => made,
            None if like.cell == 1 => make::<u8>(self.out.file(), like)?,
            None => make::<u16>(self.out.file(), like)?,
        };
        made.resize([vec![rows as usize], like.shape()].concat())?;
        Ok(self.frames.insert(made))
    }
}

fn make<N: H5Type>(file: &hdf5::File, like: Like) -> hdf5::Result<Dataset> {
    use hdf5::{Extent, Extents};
    let sides = like.shape();
    let extents = [Extent::resizable(0)].into_iter().chain(sides.iter().map(|&n| Extent::fixed(n)));
    let builder = file.new_dataset_builder().obj_track_times(false);
    let builder = builder.empty::<N>().shape(Extents::from(extents.collect::<Vec<_>>()));
    let mut builder = builder.chunk([vec![1], sides].concat());
    if size_of::<N>() > 1 {
        builder = builder.shuffle();
    }
    builder.deflate(LEVEL.number()).create("frames")
}

impl ChunkSink for EventSink {
    fn write(&mut self, chunk: &Chunk) -> Result<()> {
        self.bytes += chunk.bytes().len() as u64;
        check_size(self.bytes, &self.limits, self.out.path())?;
        let mut offset = vec![0; 1 + self.like.shape().len()];
        offset[0] = chunk.first;
        self.extend(chunk.first + 1)
            .and_then(|frames| write_chunk(frames, &offset, chunk.bytes()))
            .map_err(|error| self.out.failed(&error))
    }
}
