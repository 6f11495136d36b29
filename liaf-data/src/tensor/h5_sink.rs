//! The HDF5 file, into which compressed chunks are written directly.

use std::path::Path;

use hdf5::{Dataset, H5Type};

use super::intake::Intake;
use super::{TensorOptions, TensorSpec};
use crate::container::deflate::DeflateLevel;
use crate::container::hdf5::{Chunk, ChunkSink, WholeFile, write_chunk};
use crate::error::Result;
use crate::frames::{Dtype, FrameShape};

/// The open HDF5 file. The order of the fields is the order in which they are dropped.
pub(super) struct EventSink {
    /// `None` before the first chunk.
    frames: Option<Dataset>,
    out: WholeFile,
    shape: FrameShape,
    dtype: Dtype,
    level: Option<DeflateLevel>,
}

impl EventSink {
    /// Creates an empty file that will be named `path`, for chunks compressed with this `level`.
    pub(super) fn create(
        path: &Path,
        spec: &TensorSpec,
        options: &TensorOptions,
        level: Option<DeflateLevel>,
    ) -> Result<Self> {
        let out = WholeFile::create(path, options.overwrite, options.sync, &spec.provenance)?;
        Ok(Self { frames: None, out, shape: spec.shape, dtype: spec.dtype, level })
    }

    /// Writes everything that is not in chunks, completes the file and returns its size.
    pub(super) fn finish(mut self, intake: &Intake) -> Result<u64> {
        self.complete(intake).map_err(|error| self.out.failed(&error))?;
        self.frames = None;
        self.out.finish()
    }

    fn complete(&mut self, intake: &Intake) -> hdf5::Result<()> {
        let t = intake.frames();
        // Without any frames, the chunk size is one frame.
        self.frames(1, t)?;
        let timestamps = self
            .out
            .file()
            .new_dataset_builder()
            .obj_track_times(false)
            .empty::<i64>()
            .shape((t as usize, 2))
            .create("timestamps")?;
        if t > 0 {
            timestamps.write_raw(intake.timestamps())?;
        }
        Ok(())
    }

    /// The dataset of frames, extended to `t` frames; a new dataset has chunks of `room` frames.
    fn frames(&mut self, room: usize, t: u64) -> hdf5::Result<&Dataset> {
        let frames = match self.frames.take() {
            Some(frames) => frames,
            None => match self.dtype {
                Dtype::U8 => self.make_frames::<u8>(room),
                Dtype::U16 => self.make_frames::<u16>(room),
                Dtype::I16 => self.make_frames::<i16>(room),
                Dtype::F32 => self.make_frames::<f32>(room),
            }?,
        };
        if t > 0 {
            let FrameShape { channels, height, width } = self.shape;
            frames.resize((t as usize, channels, height, width))?;
        }
        Ok(self.frames.insert(frames))
    }

    fn make_frames<T: H5Type>(&self, room: usize) -> hdf5::Result<Dataset> {
        let FrameShape { channels, height, width } = self.shape;
        let mut builder = self
            .out
            .file()
            .new_dataset_builder()
            .obj_track_times(false)
            .empty::<T>()
            .shape((0.., channels, height, width))
            .chunk((room, channels, height, width));
        if let Some(level) = self.level {
            if size_of::<T>() > 1 {
                builder = builder.shuffle();
            }
            builder = builder.deflate(level.number());
        }
        builder.create("frames")
    }
}

impl ChunkSink for EventSink {
    /// Writes `chunk`, after extending the dataset to include its frames.
    fn write(&mut self, chunk: &Chunk) -> Result<()> {
        self.frames(chunk.room, chunk.first + chunk.rows as u64)
            .and_then(|frames| write_chunk(frames, &[chunk.first, 0, 0, 0], chunk.bytes()))
            .map_err(|error| self.out.failed(&error))
    }
}
