//! Writing frames as named tensors.

use std::path::Path;

use super::intake::Intake;
use super::writer::{Rows, TensorFileWriter, TensorId};
use super::{Container, ElementType, TensorOptions, TensorSpec, TensorWriter, Written, cells};
use crate::error::Result;
use crate::frames::Frame;

/// Writes `frames` `[T, C, H, W]` and, unless there is room for one tensor only, `timestamps`
/// `[T, 2]`.
pub(super) struct FramesWriter {
    intake: Intake,
    file: TensorFileWriter,
    frames: TensorId,
    timestamps: Option<TensorId>,
    /// The dense bytes of one frame.
    frame: Vec<u8>,
}

impl FramesWriter {
    pub(super) fn create(
        path: &Path,
        container: Container,
        spec: &TensorSpec,
        options: &TensorOptions,
    ) -> Result<Self> {
        let intake = Intake::new(path, container, spec, options.limits)?;
        let frame = intake.buffer(1)?;
        let mut file = TensorFileWriter::create(path, container, options)?;
        file.set_provenance(&spec.provenance)?;
        // The number of frames may be known, but the intake checks that.
        let shape = [spec.shape.channels, spec.shape.height, spec.shape.width];
        let frames = file.add("frames", spec.dtype.into(), Rows::Growing, &shape)?;
        let timestamps = match container {
            Container::Npy => None,
            _ => Some(file.add("timestamps", ElementType::I64, Rows::Growing, &[2])?),
        };
        file.start()?;
        Ok(Self { intake, file, frames, timestamps, frame })
    }
}

impl TensorWriter for FramesWriter {
    fn write(&mut self, frame: &Frame) -> Result<()> {
        self.intake.admit(frame)?;
        cells::put(&frame.cells, &mut self.frame);
        self.file.append_bytes(self.frames, &self.frame)
    }

    fn finish(mut self: Box<Self>) -> Result<Written> {
        self.intake.complete()?;
        if let Some(timestamps) = self.timestamps {
            self.file.append(timestamps, self.intake.timestamps())?;
        }
        Ok(Written::new(self.intake.frames(), self.file.finish()?))
    }
}
