//! The checks of frames that all writers share.

use std::path::{Path, PathBuf};

use super::{Container, TensorSpec};
use crate::error::{Error, Result};
use crate::frames::{CellValues, Cells, Frame};
use crate::hint::Hint;
use crate::io::Spool;
use crate::limits::Limits;

/// Checks frames against the spec and the limits, and stores their windows, of which only the first are
/// kept in memory.
#[derive(Debug)]
pub(super) struct Intake {
    spec: TensorSpec,
    container: Container,
    limits: Limits,
    path: PathBuf,
    cells: usize,
    frame_bytes: usize,
    frames: u64,
    /// Start and end of every frame, in µs, little-endian.
    windows: Spool,
}

impl Intake {
    /// Returns an error for a spec that cannot be written to `path`.
    pub(super) fn new(
        path: &Path,
        container: Container,
        spec: &TensorSpec,
        limits: Limits,
    ) -> Result<Self> {
        let shape = spec.shape;
        let cells = shape
            .channels
            .checked_mul(shape.height)
            .and_then(|cells| cells.checked_mul(shape.width))
            .filter(|&cells| cells > 0 && u32::try_from(cells).is_ok());
        let Some(cells) = cells else {
            return Err(Error::caller("the shape of the frames is invalid")
                .expected("1 to 4294967295 cells")
                .found(format!("{}x{}x{}", shape.channels, shape.height, shape.width))
                .in_file(path));
        };
        let intake = Self {
            spec: spec.clone(),
            container,
            limits,
            path: path.to_path_buf(),
            cells,
            frame_bytes: cells * spec.dtype.bytes(),
            frames: 0,
            windows: Spool::new(path),
        };
        intake.check_limits(spec.frames.unwrap_or(1))?;
        Ok(intake)
    }

    /// Stores the window of `frame`, or returns an error if the frame cannot be written. After an
    /// error the state is unchanged.
    pub(super) fn admit(&mut self, frame: &Frame) -> Result<()> {
        self.check_cells(&frame.cells).map_err(|error| error.in_file(&self.path))?;
        let frames = self.frames + 1;
        if let Some(promised) = self.spec.frames
            && frames > promised
        {
            return Err(self.broken_promise(promised, "more"));
        }
        self.check_limits(frames)?;
        let window = [frame.window.start, frame.window.end].map(i64::to_le_bytes);
        self.windows.append(window.as_flattened()).map_err(|error| error.in_file(&self.path))?;
        self.frames = frames;
        Ok(())
    }

    /// Returns an error if fewer frames have been written than the spec announced.
    pub(super) fn complete(&self) -> Result<()> {
        match self.spec.frames {
            Some(promised) if self.frames != promised => {
                Err(self.broken_promise(promised, self.frames))
            }
            _ => Ok(()),
        }
    }

    #[cfg_attr(not(feature = "hdf5"), expect(dead_code, reason = "only HDF5 needs it"))]
    pub(super) fn spec(&self) -> &TensorSpec {
        &self.spec
    }

    /// Number of frames so far.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Size of one dense frame in bytes.
    #[cfg_attr(not(feature = "hdf5"), expect(dead_code, reason = "only HDF5 needs it"))]
    pub(super) fn frame_bytes(&self) -> usize {
        self.frame_bytes
    }

    /// Passes start and end of every frame, in µs and little-endian, to `give`: whole frames at a time.
    pub(super) fn read_windows(self, give: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.windows.read_back(give)
    }

    /// A buffer of zeros for `frames` dense frames.
    pub(super) fn buffer(&self, frames: usize) -> Result<Vec<u8>> {
        let bytes = self.frame_bytes.saturating_mul(frames);
        let mut buffer = Vec::new();
        buffer.try_reserve_exact(bytes).map_err(|error| {
            Error::system(format!("cannot allocate {bytes} bytes for frames"), error.into())
                .in_file(&self.path)
        })?;
        buffer.resize(bytes, 0);
        Ok(buffer)
    }

    fn check_cells(&self, frames: &Cells) -> Result<()> {
        let cells = match frames {
            Cells::Dense(cells) | Cells::Sparse { cells, .. } => cells,
        };
        self.check_dtype(cells)?;
        match frames {
            Cells::Dense(cells) if cells.len() != self.cells => {
                Err(Error::caller("a frame has another shape than the file")
                    .expected(self.cells)
                    .found(format!("{} cells", cells.len())))
            }
            Cells::Sparse { index, cells } if index.len() != cells.len() => {
                Err(Error::caller("a sparse frame must have as many indices as cells")
                    .expected(cells.len())
                    .found(index.len()))
            }
            Cells::Sparse { index, .. } if !index.is_sorted_by(|a, b| a < b) => {
                Err(Error::caller("the indices of a sparse frame must be ascending"))
            }
            Cells::Sparse { index, .. }
                if index.last().is_some_and(|&last| last as usize >= self.cells) =>
            {
                Err(Error::caller("an index of a sparse frame is outside the frame")
                    .expected(format!("indices below {}", self.cells))
                    .found(index.last().copied().unwrap_or_default()))
            }
            _ => Ok(()),
        }
    }

    fn check_dtype(&self, cells: &CellValues) -> Result<()> {
        if cells.dtype() == self.spec.dtype {
            return Ok(());
        }
        Err(Error::caller("a frame has another type of cells than the file")
            .expected(self.spec.dtype)
            .found(cells.dtype()))
    }

    fn check_limits(&self, frames: u64) -> Result<()> {
        if frames > self.limits.frames {
            return Err(Error::limit("too many frames")
                .expected(format!("at most {}", self.limits.frames))
                .found(frames)
                .hint(Hint::raise("frames", None))
                .in_file(&self.path));
        }
        let bytes = self.container.size(&self.spec, frames);
        if bytes > self.limits.output_bytes {
            return Err(Error::limit(format!("the tensor of {frames} frames is too large"))
                .expected(format!("at most {} bytes", self.limits.output_bytes))
                .found(format!("{bytes} bytes"))
                .hint(Hint::raise("output_bytes", None))
                .in_file(&self.path));
        }
        Ok(())
    }

    fn broken_promise(&self, promised: u64, found: impl std::fmt::Display) -> Error {
        Error::caller("the number of frames differs from the announced one")
            .expected(promised)
            .found(found)
            .in_file(&self.path)
    }
}
