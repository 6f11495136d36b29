//! HDF5: deflated in chunks of whole frames, which are packed by us and written as they are.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use hdf5::types::VarLenUnicode;
use hdf5::{Dataset, File, H5Type};

use super::atomic::AtomicFile;
use super::deflate::RUNS_LEVEL;
use super::h5_chunk::write_chunk;
use super::h5_error::system;
use super::h5_pack::{Chunk, Packing, ParallelPacker};
use super::intake::Intake;
use super::{Compression, Container, TensorOptions, TensorSpec, TensorWriter, Written, cells};
use crate::frames::{Dtype, Frame};
use crate::{Error, Result};

/// A chunk holds as many frames as fit in this, and at least one.
const CHUNK_BYTES: usize = 1 << 20;
/// Whether the bytes of cells are sorted by their place before they are deflated: counts are small,
/// so that their high bytes make long runs.
const SHUFFLE: bool = true;

/// Writes `/frames` `[T, C, H, W]`, `/timestamps` `[T, 2]` and the attribute `liaf` of the root.
pub(super) struct H5Writer {
    intake: Intake,
    packer: ParallelPacker,
    sink: Sink,
    chunk: Option<Chunk>,
    /// Frames in `chunk`.
    filled: usize,
    /// Whether an earlier call failed, so that chunks are missing.
    broken: bool,
}

/// The file as HDF5 sees it. Its fields are dropped in this order.
struct Sink {
    frames: Option<Dataset>,
    file: File,
    out: AtomicFile,
    path: PathBuf,
    provenance: VarLenUnicode,
    packing: Option<Packing>,
    /// Frames a chunk.
    chunk_frames: usize,
}

impl H5Writer {
    pub(super) fn create(path: &Path, spec: &TensorSpec, options: &TensorOptions) -> Result<Self> {
        let intake = Intake::new(path, Container::H5, spec, options.limits)?;
        let frame_bytes = intake.frame_bytes();
        if u32::try_from(frame_bytes).is_err() {
            return Err(Error::caller("a frame is too large for HDF5")
                .expected("less than 4 GiB")
                .found(format!("{frame_bytes} bytes"))
                .in_file(path));
        }
        let provenance = VarLenUnicode::from_str(&spec.provenance)
            .map_err(|_| Error::caller("the provenance holds a zero character").in_file(path))?;
        let packing = match options.compress {
            Compression::None => None,
            compression => Some(Packing {
                compression,
                shuffle: Some(spec.dtype.bytes()).filter(|&bytes| SHUFFLE && bytes > 1),
            }),
        };
        let chunk_frames = (CHUNK_BYTES / frame_bytes).max(1);
        let most = match options.parallel {
            // A chunk of noise is as large packed as before.
            true => (options.limits.in_flight_bytes / (2 * chunk_frames * frame_bytes))
                .clamp(2, 2 * rayon::current_num_threads() + 1),
            false => 1,
        };
        let mut out = AtomicFile::create(path, options.overwrite, options.sync)?;
        let file = File::with_options()
            // Read by every version of the library; and newer headers bear a time.
            .with_fapl(|fapl| fapl.libver_earliest())
            .with_fcpl(|fcpl| fcpl.obj_track_times(false))
            .create(out.lend()?)
            .map_err(|error| system("cannot create the file", &error, path))?;
        Ok(Self {
            packer: ParallelPacker::new(packing, most),
            sink: Sink {
                frames: None,
                file,
                out,
                path: path.into(),
                provenance,
                packing,
                chunk_frames,
            },
            chunk: None,
            filled: 0,
            intake,
            broken: false,
        })
    }

    fn push(&mut self, frame: &Frame) -> Result<()> {
        let (intake, sink) = (&self.intake, &mut self.sink);
        let mut write = |index, bytes: &[u8]| sink.write(intake, index, bytes);
        let mut chunk = match self.chunk.take() {
            Some(chunk) => chunk,
            None => self.packer.take(&mut write)?,
        };
        let frame_bytes = intake.frame_bytes();
        let chunk_frames = (CHUNK_BYTES / frame_bytes).max(1);
        if chunk.raw.is_empty() {
            chunk.raw = intake.buffer(chunk_frames)?;
        }
        let start = self.filled * frame_bytes;
        cells::put(&frame.cells, &mut chunk.raw[start..start + frame_bytes]);
        self.filled += 1;
        if self.filled == chunk_frames {
            self.filled = 0;
            return self.packer.put(chunk, &mut write);
        }
        self.chunk = Some(chunk);
        Ok(())
    }

    fn push_last(&mut self) -> Result<()> {
        let (intake, sink) = (&self.intake, &mut self.sink);
        let frames = intake.frames();
        if frames < sink.chunk_frames as u64 {
            // Less than one chunk in all: a chunk of just these frames.
            sink.chunk_frames = (frames as usize).max(1);
        }
        let bytes = sink.chunk_frames * intake.frame_bytes();
        let mut write = |index, bytes: &[u8]| sink.write(intake, index, bytes);
        if let Some(mut chunk) = self.chunk.take()
            && self.filled > 0
        {
            chunk.raw[self.filled * intake.frame_bytes()..].fill(0);
            chunk.raw.truncate(bytes);
            self.packer.put(chunk, &mut write)?;
        }
        self.packer.drain(&mut write)
    }
}

impl TensorWriter for H5Writer {
    fn write(&mut self, frame: &Frame) -> Result<()> {
        if self.broken {
            return Err(self.sink.refuse());
        }
        self.intake.admit(frame)?;
        let outcome = self.push(frame).map_err(|error| error.in_file(&self.sink.path));
        self.broken = outcome.is_err();
        outcome
    }

    fn finish(mut self: Box<Self>) -> Result<Written> {
        if self.broken {
            return Err(self.sink.refuse());
        }
        self.intake.complete()?;
        self.push_last().map_err(|error| error.in_file(&self.sink.path))?;
        let Self { intake, sink, .. } = *self;
        let bytes = sink.finish(&intake)?;
        Ok(Written { frames: intake.frames(), bytes })
    }
}

impl Sink {
    /// Writes chunk `index`, extending the dataset to all its frames.
    fn write(&mut self, intake: &Intake, index: u64, bytes: &[u8]) -> Result<()> {
        let first = index * self.chunk_frames as u64;
        let end = (first + self.chunk_frames as u64).min(intake.frames());
        self.frames(intake, end)
            .and_then(|frames| write_chunk(frames, [first, 0, 0, 0], bytes))
            .map_err(|error| system("cannot write", &error, &self.path))
    }

    /// The dataset of frames, extended to `t` of them.
    fn frames(&mut self, intake: &Intake, t: u64) -> hdf5::Result<&Dataset> {
        let shape = intake.spec().shape;
        let [c, h, w] = [shape.channels, shape.height, shape.width];
        let frames = match self.frames.take() {
            Some(frames) => frames,
            None => match intake.spec().dtype {
                Dtype::U8 => self.make_frames::<u8>([c, h, w]),
                Dtype::U16 => self.make_frames::<u16>([c, h, w]),
                Dtype::I16 => self.make_frames::<i16>([c, h, w]),
                Dtype::F32 => self.make_frames::<f32>([c, h, w]),
            }?,
        };
        if t > 0 {
            frames.resize((t as usize, c, h, w))?;
        }
        Ok(self.frames.insert(frames))
    }

    fn make_frames<T: H5Type>(&self, [c, h, w]: [usize; 3]) -> hdf5::Result<Dataset> {
        let mut builder = self
            .file
            .new_dataset_builder()
            .obj_track_times(false)
            .empty::<T>()
            .shape((0.., c, h, w))
            .chunk((self.chunk_frames, c, h, w));
        if let Some(packing) = self.packing {
            if packing.shuffle.is_some() {
                builder = builder.shuffle();
            }
            builder = builder.deflate(match packing.compression {
                Compression::Level(level) => level,
                _ => RUNS_LEVEL as u8,
            });
        }
        builder.create("frames")
    }

    /// Completes the file and returns its size.
    fn finish(mut self, intake: &Intake) -> Result<u64> {
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
        self.frames(intake, t)?;
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

    fn refuse(&self) -> Error {
        let cause = std::io::Error::other("an earlier write failed");
        Error::system("cannot write", cause).in_file(&self.path)
    }
}
