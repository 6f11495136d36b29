//! Complete conversions: from a recording to a tensor file or another event file, batch by batch.

#[cfg(test)]
mod tests;
mod time_policy;

mod events;
mod framing;
mod kept;
mod measurements;
mod pass;
mod survey;

use std::ops::ControlFlow;
use std::path::Path;

use serde_json::{Value, json};

pub use events::{EventConversion, EventConvertOptions, EventsReport, convert_events};
pub use framing::{Framed, make_frames};
pub use measurements::{MeasurementConversion, MeasurementConvertOptions, convert_measurements};
pub use time_policy::{Order, TimePolicy};

use crate::error::Result;
use crate::frames::{Frame, FrameOptions, FrameRecipe, FrameReport, FrameShape};
use crate::model::{RecordingInfo, Report};
use crate::read::Recording;
use crate::tensor::{self, Container, TensorOptions, TensorSpec, Written};
pub(crate) use framing::Framing;
pub(crate) use kept::check_meets;
use pass::source;
pub(crate) use pass::{Part, check_something_read};

/// Options for making a tensor file from a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct ConvertOptions {
    /// Which frames are made.
    pub frames: FrameOptions,
    /// The kind of file.
    pub container: Container,
    /// How the file is written.
    pub tensor: TensorOptions,
}

/// How far a conversion has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Number of the pass over the recording, from 1.
    pub pass: u32,
    /// Total number of passes.
    pub passes: u32,
    /// Number of bytes of the recording that were read in this pass.
    pub bytes: u64,
    /// Size of the recording in bytes; `None` for a pipe.
    pub total: Option<u64>,
    /// Number of events binned or written so far.
    pub events: u64,
    /// Number of frames made so far.
    pub frames: u64,
}

/// Is called with the progress of a conversion several times a second, and may cancel it.
pub type OnProgress<'a> = dyn FnMut(&Progress) -> ControlFlow<()> + 'a;

/// The result of a conversion.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Conversion {
    /// What the recording says about itself.
    pub info: RecordingInfo,
    /// What was met in the recording.
    pub report: Report,
    /// Where its events went.
    pub frames: FrameReport,
    /// The shape of every frame.
    pub shape: FrameShape,
    /// Size of the tensors before compression, in bytes.
    pub tensor_bytes: u64,
    /// The new file; `None` if nothing was to be written.
    pub written: Option<Written>,
}

/// Makes a tensor file from a recording. Without `output`, this only finds out what the file would
/// contain.
///
/// Memory is bounded whatever the length of the recording. The recording is read once, or twice if
/// the windows depend on all of it or its events are sorted (three times for both, if there are
/// filters).
///
/// ```no_run
/// use liaf_data::convert::{ConvertOptions, convert};
/// use liaf_data::frames::FrameOptions;
/// use liaf_data::tensor::{Container, TensorOptions};
/// use liaf_data::{ReadOptions, Recording};
/// use std::ops::ControlFlow;
///
/// # fn main() -> liaf_data::Result<()> {
/// let mut recording = Recording::open("recording.aedat4", ReadOptions::default())?;
/// let options = ConvertOptions {
///     frames: FrameOptions::default(),
///     container: Container::Npz,
///     tensor: TensorOptions::default(),
/// };
/// let done = convert(&mut recording, Some("frames.npz".as_ref()), &options, &mut |_| {
///     ControlFlow::Continue(())
/// })?;
/// println!("{} frames of {} events", done.frames.frames, done.frames.kept);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If the options do not fit the recording, if the recording cannot be read or nothing in it can be
/// used, or if the file cannot be written; [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) if
/// `progress` asked for it. No file is left in these cases.
pub fn convert(
    recording: &mut Recording,
    output: Option<&Path>,
    options: &ConvertOptions,
    progress: &mut OnProgress<'_>,
) -> Result<Conversion> {
    let framing = Framing::begin(recording, &options.frames, progress)?;
    let spec = TensorSpec {
        shape: framing.shape,
        dtype: options.frames.dtype,
        frames: None,
        provenance: provenance(framing.recording, &options.frames),
    };
    let mut writer = match output {
        Some(path) => Some(tensor::create(path, options.container, &spec, &options.tensor)?),
        None => None,
    };
    let mut write = |frame: &Frame| writer.as_mut().map_or(Ok(()), |writer| writer.write(frame));
    let Framed { info, report, frames, shape, .. } = framing.run(&mut write)?;
    let written = writer.map(|writer| writer.finish()).transpose()?;
    let tensor_bytes = options.container.size(&spec, frames.frames);
    Ok(Conversion { info, report, frames, shape, tensor_bytes, written })
}

/// A JSON text that says how the file was made, without time, host, path or number of threads. It
/// is parsed by [`Provenance::parse`](crate::frames::Provenance::parse).
pub(crate) fn provenance(recording: &Recording, options: &FrameOptions) -> String {
    let mut all = json!(FrameRecipe::from(options));
    if let Value::Object(all) = &mut all {
        all.insert("liaf".into(), env!("CARGO_PKG_VERSION").into());
        all.insert("source".into(), source(recording));
    }
    all.to_string()
}
