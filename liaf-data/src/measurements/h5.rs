//! Images as HDF5: a chunk each, and a dataset for each of their times.

use std::path::{Path, PathBuf};

use liaf_hdf5::ElementType;

use super::{MeasurementOptions, MeasurementWriter, MeasurementsWritten, other_kind};
use crate::container::deflate::DeflateLevel;
use crate::container::hdf5::{Chunked, ChunkedFile, FileSpec, Flow};
use crate::error::{Error, Result};
use crate::model::{Image, Measurement, Pixels};

const LEVEL: DeflateLevel = DeflateLevel::Level(4);

/// Writes `/frames` `[N, H, W]`, or `[N, H, W, C]` in colour, of `u8` or `u16`; `/t` and the other times
/// in µs, `[N]`, -1 where one is not known; and `/x` and `/y`, where on the sensor a frame begins.
pub(super) struct H5Frames {
    /// The file before the first image comes.
    out: Option<ChunkedFile>,
    /// What every image is like, and their way into the file.
    flow: Option<(Like, Flow<ChunkedFile>)>,
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
        let MeasurementOptions { overwrite, sync, limits } = *options;
        let (provenance, level) = (Some(provenance), Some(LEVEL));
        let file = FileSpec { path, overwrite, sync, provenance, level, limits };
        Ok(Self {
            out: Some(ChunkedFile::create(file, Vec::new())?),
            flow: None,
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
        if let Some(mut out) = self.out.take() {
            let like = Like::of(image);
            let element = if like.cell == 1 { ElementType::U8 } else { ElementType::U16 };
            out.add(Chunked::growing("frames", element, &like.shape()));
            self.flow = Some((like, Flow::new(Some(LEVEL), false, 2, out)));
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
        let file = match flow {
            Some((_, flow)) => Some(flow.finish().map_err(|error| error.in_file(&path))?),
            None => out,
        };
        let bytes = file.map_or(Ok(0), |file| complete(file, &columns))?;
        Ok(MeasurementsWritten { measurements, bytes })
    }
}

/// Adds what is not in chunks, completes the file and returns its size.
fn complete(mut out: ChunkedFile, columns: &[Vec<i64>; 7]) -> Result<u64> {
    for (name, column) in NAMES.into_iter().zip(columns) {
        out.dataset(name, column, &[column.len() as u64])?;
    }
    out.finish()
}
