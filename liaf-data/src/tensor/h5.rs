//! Writing HDF5 files, in chunks of whole frames that are compressed by this crate.

use std::path::{Path, PathBuf};

use super::intake::Intake;
use super::{Container, ElementType, TensorOptions, TensorSpec, TensorWriter, Written, cells};
use crate::container::deflate::DeflateLevel;
use crate::container::hdf5::{Chunk, Chunked, ChunkedFile, FileSpec, Flow};
use crate::error::{Error, Result};
use crate::frames::{Frame, FrameShape};
use crate::limits::Limits;

/// A chunk contains as many frames as fit into this many bytes, and at least one.
const CHUNK_BYTES: usize = 1 << 20;

/// Writes `/frames` `[T, C, H, W]`, `/timestamps` `[T, 2]` and the attribute `liaf` of the root.
pub(super) struct H5Writer {
    intake: Intake,
    flow: Flow<ChunkedFile>,
    /// The chunk that is being filled.
    chunk: Option<Chunk>,
    /// Number of frames of a chunk.
    room: usize,
    path: PathBuf,
    /// Whether an earlier call failed, so that chunks are missing.
    broken: bool,
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
        let level = DeflateLevel::of(options.compression);
        let room = (CHUNK_BYTES / frame_bytes).max(1);
        let FrameShape { channels, height, width } = spec.shape;
        let element = ElementType::from(spec.dtype).into();
        let frames = Chunked::growing("frames", element, &[channels, height, width]);
        let file = FileSpec {
            path,
            overwrite: options.overwrite,
            sync: options.sync,
            provenance: Some(&spec.provenance),
            level,
            // The frames are counted before they are compressed.
            limits: Limits { output_bytes: u64::MAX, ..options.limits },
        };
        let sink = ChunkedFile::create(file, vec![frames])?;
        let most =
            if options.parallel { most_chunks(level, room * frame_bytes, options) } else { 1 };
        Ok(Self {
            intake,
            flow: Flow::new(level, options.parallel, most, sink),
            chunk: None,
            room,
            path: path.into(),
            broken: false,
        })
    }

    fn push(&mut self, frame: &Frame) -> Result<()> {
        self.flow.poll()?;
        let mut chunk = match self.chunk.take() {
            Some(chunk) => chunk,
            None => self.flow.take()?,
        };
        if chunk.raw.is_empty() {
            chunk.raw = self.intake.buffer(self.room)?;
            (chunk.room, chunk.cell) = (self.room, self.intake.spec().dtype.bytes());
        }
        let frame_bytes = self.intake.frame_bytes();
        let start = chunk.rows * frame_bytes;
        cells::put(&frame.cells, &mut chunk.raw[start..start + frame_bytes]);
        chunk.rows += 1;
        if chunk.rows == chunk.room {
            chunk.first = self.intake.frames() - chunk.rows as u64;
            return self.flow.put(chunk);
        }
        self.chunk = Some(chunk);
        Ok(())
    }

    fn push_last(&mut self) -> Result<()> {
        let Some(mut chunk) = self.chunk.take() else { return Ok(()) };
        let end = chunk.rows * self.intake.frame_bytes();
        chunk.first = self.intake.frames() - chunk.rows as u64;
        if chunk.first == 0 {
            // There is less than one full chunk in total, so the chunk size becomes the number of
            // frames.
            chunk.room = chunk.rows;
            chunk.raw.truncate(end);
        } else {
            chunk.raw[end..].fill(0);
        }
        self.flow.put(chunk)
    }

    fn refuse(&self) -> Error {
        let cause = std::io::Error::other("an earlier write failed");
        Error::system("cannot write", cause).in_file(&self.path)
    }
}

impl TensorWriter for H5Writer {
    fn write(&mut self, frame: &Frame) -> Result<()> {
        if self.broken {
            return Err(self.refuse());
        }
        self.intake.admit(frame)?;
        let outcome = self.push(frame).map_err(|error| error.in_file(&self.path));
        self.broken = outcome.is_err();
        outcome
    }

    fn finish(mut self: Box<Self>) -> Result<Written> {
        if self.broken {
            return Err(self.refuse());
        }
        self.intake.complete()?;
        self.push_last().map_err(|error| error.in_file(&self.path))?;
        let Self { intake, flow, path, .. } = *self;
        let mut file = flow.finish().map_err(|error| error.in_file(&path))?;
        let frames = intake.frames();
        file.dataset_in_pieces("timestamps", ElementType::I64.into(), &[frames, 2], |put| {
            intake.read_windows(put)
        })?;
        Ok(Written::new(frames, file.finish()?))
    }
}

/// How many chunks of `bytes` bytes may be filled, compressed and written at the same time.
fn most_chunks(level: Option<DeflateLevel>, bytes: usize, options: &TensorOptions) -> usize {
    // One chunk is filled, one is written, and one waits; the others are compressed. A chunk of
    // noise is as large after compression as before.
    let (copies, wanted) = match level {
        None => (1, 3),
        Some(_) => (2, 2 * rayon::current_num_threads() + 1),
    };
    (options.limits.in_flight_bytes / (copies * bytes)).clamp(2, wanted)
}
