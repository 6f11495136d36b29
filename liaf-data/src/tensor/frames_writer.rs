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
        let frames = self.intake.frames();
        if let Some(timestamps) = self.timestamps {
            let file = &mut self.file;
            self.intake.read_windows(|bytes| file.append_bytes(timestamps, bytes))?;
        }
        Ok(Written::new(frames, self.file.finish()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::frames::{CellValues, Cells, Dtype, FrameShape, Window};
    use crate::limits::Limits;
    use crate::names::Named;
    use crate::tensor::LoadedFrames;

    /// More frames than those whose windows are kept in memory: every window comes back.
    #[test]
    fn windows_of_many_frames_are_written_from_a_temporary_file() {
        const FRAMES: i64 = 70_000;
        let folder = tempfile::tempdir().unwrap();
        let shape = FrameShape { channels: 1, height: 1, width: 1 };
        let spec =
            TensorSpec { shape, dtype: Dtype::U8, frames: None, provenance: "{}".to_owned() };
        let mut written = 0;
        for &name in Container::NAMES {
            let path = folder.path().join("a").with_extension(name);
            let container = Container::from_path(&path).unwrap();
            let made = crate::tensor::create(&path, container, &spec, &TensorOptions::default());
            let mut out = match made {
                Ok(out) => out,
                // A build without the features of the container.
                Err(error) if error.kind() == ErrorKind::Unsupported => continue,
                Err(error) => panic!("{error}"),
            };
            written += 1;
            for i in 0..FRAMES {
                let window = Window { start: 3 * i, end: 3 * i + 2 };
                let cells = Cells::Dense(CellValues::U8(vec![(i % 251) as u8]));
                out.write(&Frame { window, shape, cells }).unwrap();
            }
            assert_eq!(out.finish().unwrap().frames, FRAMES as u64);
            let back = LoadedFrames::read(&path, &Limits::default()).unwrap();
            assert_eq!(back.len(), FRAMES as usize, "{name}");
            if container != Container::Npy {
                let mut windows = back.timestamps().iter().zip(0..);
                assert!(windows.all(|(&at, i)| at == [3 * i, 3 * i + 2]), "{name}");
            }
        }
        assert!(written >= 2);
        // No temporary file has a name.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), written);
    }
}
