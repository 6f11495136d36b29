//! An iterator over the frames of a recording.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::convert::{Framing, check_something_read, provenance};
use crate::error::{Error, Result};
use crate::frames::{
    Binner, Cells, Dtype, Frame, FrameOptions, FrameReport, FrameShape, FrameSink, Window,
};
use crate::model::Report;
use crate::read::{EventReader, Recording};
use crate::tensor::{self, Container, TensorOptions, TensorSpec, Written};

/// Iterates over the frames of a recording; made by
/// [`Recording::frames`](crate::Recording::frames) and
/// [`Selected::frames`](super::Selected::frames).
///
/// Every frame is dense and has its own memory. If the recording cannot be read further, the frames
/// before that point are returned first, then the error, then `None`. To reuse the memory of one frame
/// and to follow the progress, use [`make_frames`](crate::convert::make_frames).
#[derive(Debug)]
pub struct Frames {
    reader: EventReader,
    /// `None` after the last frame.
    binner: Option<Binner>,
    ready: VecDeque<(Ready, Fill)>,
    /// The fill of the frame that was given last.
    last: Fill,
    failed: Option<Error>,
    shape: FrameShape,
    dtype: Dtype,
    report: FrameReport,
    path: Option<PathBuf>,
    provenance: String,
}

/// A complete frame. One block of a file may complete very many frames, almost all of which are then
/// empty or nearly so.
#[derive(Debug)]
enum Ready {
    Zeros(Window),
    Cells(Box<Frame>),
}

/// Whether the window of a frame is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fill {
    Full,
    Partial,
}

/// Where frames wait.
struct Queue<'a>(&'a mut VecDeque<(Ready, Fill)>);

impl FrameSink for Queue<'_> {
    fn frame(&mut self, frame: &Frame) -> Result<()> {
        self.0.push_back((Ready::of(frame), Fill::Full));
        Ok(())
    }

    fn partial_frame(&mut self, frame: &Frame) -> Result<()> {
        self.0.push_back((Ready::of(frame), Fill::Partial));
        Ok(())
    }
}

impl Ready {
    fn of(frame: &Frame) -> Self {
        match &frame.cells {
            Cells::Dense(cells) => match cells.nonzero() {
                0 => Self::Zeros(frame.window),
                n if n < cells.len() / 8 => Self::Cells(Box::new(frame.to_sparse())),
                _ => Self::Cells(Box::new(frame.clone())),
            },
            Cells::Sparse { .. } => Self::Cells(Box::new(frame.clone())),
        }
    }
}

impl Frames {
    pub(super) fn new(recording: &mut Recording, options: &FrameOptions) -> Result<Self> {
        let provenance = |recording: &Recording| provenance(recording, options);
        let mut go_on = |_: &_| ControlFlow::Continue(());
        let path = recording.path().map(Path::to_path_buf);
        let framing = Framing::begin(recording, options, &mut go_on);
        let mut framing = framing.map_err(|error| error.in_file_if_any(path.as_ref()))?;
        let (shape, text) = (framing.shape, provenance(framing.recording));
        let (reader, binner) =
            framing.last_pass().map_err(|error| error.in_file_if_any(path.as_ref()))?;
        Ok(Self {
            reader,
            binner: Some(binner),
            ready: VecDeque::new(),
            last: Fill::Full,
            failed: None,
            shape,
            dtype: options.dtype,
            report: FrameReport::default(),
            path,
            provenance: text,
        })
    }

    /// The shape of every frame.
    pub fn shape(&self) -> FrameShape {
        self.shape
    }

    /// Whether the window of the frame that was given last is full: see
    /// [`FrameSink::partial_frame`](crate::frames::FrameSink::partial_frame). Only the last frames can
    /// have windows that are not.
    ///
    /// ```
    /// use liaf_data::frames::FrameOptions;
    /// use liaf_data::{ReadOptions, Recording};
    ///
    /// let events = b"t,x,y,p\n0,0,0,1\n1500,1,1,1\n";
    /// let read = ReadOptions::new().sensor(2, 2);
    /// let mut recording = Recording::from_bytes(&events[..], read)?;
    /// let mut frames = recording.frames(FrameOptions::window_ms(1))?;
    /// assert!(frames.next().is_some() && frames.last_is_full());
    /// // The recording ends in the middle of the second millisecond.
    /// assert!(frames.next().is_some() && !frames.last_is_full());
    /// # Ok::<(), liaf_data::Error>(())
    /// ```
    pub fn last_is_full(&self) -> bool {
        self.last == Fill::Full
    }

    /// The report of everything that was met in the recording so far.
    pub fn report(&self) -> Report {
        self.reader.report()
    }

    /// Where the events went so far.
    pub fn frame_report(&self) -> &FrameReport {
        self.binner.as_ref().map_or(&self.report, Binner::report)
    }

    /// Writes the remaining frames into a tensor file with the default options. The extension selects
    /// the kind of file (`.npz`, `.npy`, `.safetensors`, `.h5`). An existing file is not replaced.
    ///
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the extension is not that of a tensor file or
    /// the file exists already; other kinds if the recording cannot be read or the file cannot be
    /// written. In all of these cases no new file remains.
    pub fn write(mut self, path: impl AsRef<Path>) -> Result<Written> {
        let path = path.as_ref();
        let container = Container::from_path(path)?;
        let spec = TensorSpec {
            shape: self.shape,
            dtype: self.dtype,
            frames: None,
            provenance: std::mem::take(&mut self.provenance),
        };
        let mut writer = tensor::create(path, container, &spec, &TensorOptions::default())?;
        for frame in &mut self {
            writer.write(&frame?)?;
        }
        writer.finish()
    }

    /// Decodes the next block of the recording. Returns whether there may be more.
    fn pump(&mut self) -> Result<bool> {
        let Self { reader, binner, ready, report, .. } = self;
        let mut sink = Queue(ready);
        let Some(current) = binner else { return Ok(false) };
        if reader.pump(&mut current.to(&mut sink))? {
            return Ok(true);
        }
        check_something_read(self.path.as_deref(), &reader.report())?;
        if let Some(last) = binner.take() {
            *report = last.finish(&mut sink)?;
        }
        Ok(false)
    }
}

impl Iterator for Frames {
    type Item = Result<Frame>;

    fn next(&mut self) -> Option<Result<Frame>> {
        loop {
            if let Some((ready, fill)) = self.ready.pop_front() {
                self.last = fill;
                return Some(Ok(match ready {
                    Ready::Zeros(window) => {
                        Frame { window, ..Frame::zeros(self.shape, self.dtype) }
                    }
                    Ready::Cells(frame) => frame.into_dense(),
                }));
            }
            if let Some(error) = self.failed.take() {
                return Some(Err(error));
            }
            self.binner.as_ref()?;
            if let Err(error) = self.pump() {
                self.report = self.frame_report().clone();
                self.binner = None;
                self.failed = Some(error.in_file_if_any(self.path.as_ref()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::ReadOptions;
    use crate::convert::make_frames;
    use crate::error::ErrorKind;
    use crate::fixtures::fixture;
    use crate::frames::SIGNED;

    const RECORDING: &str = "good/aedat4/dv_lz4.aedat4";

    #[cfg_attr(not(feature = "xml"), ignore = "reads AEDAT 4.0")]
    #[test]
    fn frames_are_those_of_make_frames() {
        let Some(path) = fixture(RECORDING) else { return };
        for options in [
            FrameOptions::window_ms(3),
            FrameOptions::bins(7).size(20, 10).dtype(Dtype::U8),
            FrameOptions::count(500).representation(&SIGNED),
            FrameOptions::window_ms(1).size(2, 2).dtype(Dtype::F32),
        ] {
            let mut recording = Recording::open(&path, ReadOptions::default()).unwrap();
            let mut expected = Vec::new();
            let mut sink = |frame: &Frame| {
                expected.push(frame.clone());
                Ok(())
            };
            let mut go_on = |_: &_| ControlFlow::Continue(());
            let made = make_frames(&mut recording, &options, &mut sink, &mut go_on).unwrap();
            let mut frames = recording.frames(options.clone()).unwrap();
            let found: Vec<_> = frames.by_ref().map(Result::unwrap).collect();
            assert_eq!(found, expected);
            assert_eq!(*frames.frame_report(), made.frames);
            assert_eq!(frames.report(), made.report);
            assert!(found.len() > 3 && frames.next().is_none());
        }
    }

    #[cfg_attr(not(feature = "xml"), ignore = "reads AEDAT 4.0")]
    #[test]
    fn a_file_has_all_frames() {
        let Some(recording) = fixture(RECORDING) else { return };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frames.npz");
        let mut recording = Recording::open(recording, ReadOptions::default()).unwrap();
        let count = recording.frames(FrameOptions::window_ms(10)).unwrap().count() as u64;
        let frames = recording.frames(FrameOptions::window_ms(10)).unwrap();
        assert_eq!(frames.write(&path).unwrap().frames, count);
        let again = recording.frames(FrameOptions::window_ms(10)).unwrap().write(&path);
        assert_eq!(again.unwrap_err().kind(), ErrorKind::Caller);
    }

    #[test]
    fn frames_come_first_then_the_error_then_the_end() {
        let mut bytes = b"#!AER-DAT2.0\r\n# AEChip: DVS128\r\n".to_vec();
        for t in [0, 1_000, 500_000u32] {
            bytes.extend_from_slice(&[0, 0, 1, 2]);
            bytes.extend_from_slice(&t.to_be_bytes());
        }
        bytes.extend_from_slice(&[0; 4]);
        let options = ReadOptions { strict: true, ..ReadOptions::default() };
        let mut recording = Recording::from_bytes(bytes, options).unwrap();
        let mut frames = recording.frames(FrameOptions::window_ms(10)).unwrap();
        // Those that are open when the error comes are not complete.
        let whole: Vec<_> = frames.by_ref().map_while(Result::ok).collect();
        assert_eq!(whole.len(), 40);
        assert_eq!(whole[0].to_f32().iter().sum::<f32>(), 2.0);
        assert!(whole[1..].iter().all(|frame| frame.to_f32().iter().sum::<f32>() == 0.0));
        assert!(frames.next().is_none());
    }
}
