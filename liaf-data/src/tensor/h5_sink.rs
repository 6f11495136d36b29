//! The HDF5 file: its datasets, and chunks put into it as they are.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use hdf5::types::VarLenUnicode;
use hdf5::{Dataset, File, H5Type};

use super::h5_chunk::write_chunk;
use super::h5_error::system;
use super::h5_pack::{Chunk, Packing};
use super::h5_thread::ChunkSink;
use super::intake::Intake;
use super::{TensorOptions, TensorSpec};
use crate::file::AtomicFile;
use crate::frames::{Dtype, FrameShape};
use crate::{Error, Result};

/// The file as HDF5 sees it. Its fields are dropped in this order.
pub(super) struct Sink {
    /// `None` before the first chunk.
    frames: Option<Dataset>,
    file: File,
    out: AtomicFile,
    path: PathBuf,
    shape: FrameShape,
    dtype: Dtype,
    provenance: VarLenUnicode,
    packing: Option<Packing>,
}

impl Sink {
    /// An empty file that will be called `path`, for chunks packed by `packing`.
    pub(super) fn create(
        path: &Path,
        spec: &TensorSpec,
        options: &TensorOptions,
        packing: Option<Packing>,
    ) -> Result<Self> {
        let provenance = VarLenUnicode::from_str(&spec.provenance)
            .map_err(|_| Error::caller("the provenance holds a zero character").in_file(path))?;
        let mut out = AtomicFile::create(path, options.overwrite, options.sync)?;
        let file = File::with_options()
            // Read by every version of the library; and newer headers bear a time.
            .with_fapl(|fapl| fapl.libver_earliest())
            .with_fcpl(|fcpl| fcpl.obj_track_times(false))
            .create(out.lend()?)
            .map_err(|error| system("cannot create the file", &error, path))?;
        Ok(Self {
            frames: None,
            file,
            out,
            path: path.into(),
            shape: spec.shape,
            dtype: spec.dtype,
            provenance,
            packing,
        })
    }

    /// Adds what is not in chunks, completes the file and returns its size.
    pub(super) fn finish(mut self, intake: &Intake) -> Result<u64> {
        self.complete(intake)
            .and_then(|()| {
                // Closing flushes too, but flushing first gives an error that can be acted upon.
                self.file.flush()?;
                self.frames = None;
                self.file.close()
            })
            .map_err(|error| system("cannot complete the file", &error, &self.path))?;
        self.out.finish()
    }

    fn complete(&mut self, intake: &Intake) -> hdf5::Result<()> {
        let t = intake.frames();
        // Of no frames, a chunk is of one.
        self.frames(1, t)?;
        let timestamps = self
            .file
            .new_dataset_builder()
            .obj_track_times(false)
            .empty::<i64>()
            .shape((t as usize, 2))
            .create("timestamps")?;
        if t > 0 {
            timestamps.write_raw(intake.timestamps())?;
        }
        self.file.new_attr::<VarLenUnicode>().create("liaf")?.write_scalar(&self.provenance)
    }

    /// The dataset of frames, extended to `t` of them; if it is new, with chunks of `room` frames.
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
            .file
            .new_dataset_builder()
            .obj_track_times(false)
            .empty::<T>()
            .shape((0.., channels, height, width))
            .chunk((room, channels, height, width));
        if let Some(packing) = self.packing {
            if packing.shuffle.is_some() {
                builder = builder.shuffle();
            }
            builder = builder.deflate(packing.effort.level());
        }
        builder.create("frames")
    }
}

impl ChunkSink for Sink {
    /// Writes `chunk`, extending the dataset to all its frames.
    fn write(&mut self, chunk: &Chunk) -> Result<()> {
        let first = chunk.index * chunk.room as u64;
        self.frames(chunk.room, first + chunk.frames as u64)
            .and_then(|frames| write_chunk(frames, [first, 0, 0, 0], chunk.bytes()))
            .map_err(|error| system("cannot write", &error, &self.path))
    }
}
