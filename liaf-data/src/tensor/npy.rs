//! Writing the `.npy` format: one array after a text header.

use std::path::Path;

use super::intake::Intake;
use super::{Container, TensorOptions, TensorSpec, TensorWriter, Written, cells};
use crate::container::npy;
use crate::error::Result;
use crate::frames::{Dtype, Frame};
use crate::io::AtomicFile;

/// NumPy's name for a cell type, little-endian, as a Python literal.
pub(super) fn descr(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::U8 => "'|u1'",
        Dtype::U16 => "'<u2'",
        Dtype::I16 => "'<i2'",
        Dtype::F32 => "'<f4'",
    }
}

/// Writes the frames only.
pub(super) struct NpyWriter {
    intake: Intake,
    out: AtomicFile,
    frame: Vec<u8>,
}

impl NpyWriter {
    pub(super) fn create(path: &Path, spec: &TensorSpec, options: &TensorOptions) -> Result<Self> {
        let intake = Intake::new(path, Container::Npy, spec, options.limits)?;
        let frame = intake.buffer(1)?;
        let mut out = AtomicFile::create(path, options.overwrite, options.sync)?;
        out.append(&npy::header(descr(spec.dtype), &intake.shape()))?;
        Ok(Self { intake, out, frame })
    }
}

impl TensorWriter for NpyWriter {
    fn write(&mut self, frame: &Frame) -> Result<()> {
        self.intake.admit(frame)?;
        cells::put(&frame.cells, &mut self.frame);
        self.out.append(&self.frame)
    }

    fn finish(mut self: Box<Self>) -> Result<Written> {
        self.intake.complete()?;
        self.out.patch(0, &npy::header(descr(self.intake.spec().dtype), &self.intake.shape()))?;
        Ok(Written { frames: self.intake.frames(), bytes: self.out.finish()? })
    }
}
