//! Writing the safetensors format: a JSON header followed by the bytes of the tensors.

use std::path::Path;

use super::intake::Intake;
use super::{Container, TensorOptions, TensorSpec, TensorWriter, Written, cells};
use crate::error::{Error, Result};
use crate::frames::{Dtype, Frame};
use crate::io::AtomicFile;

/// Size of the largest header that readers accept, in bytes.
const MAX_HEADER: usize = 100_000_000;

/// Writes `frames` and `timestamps`, and the provenance as the metadata `liaf`.
///
/// The timestamps come after the frames, because the number of frames is not known before. Readers
/// accept neither gaps nor unaligned numbers. If the size of the frames is not a multiple of 8,
/// they are therefore followed by a third tensor, `padding`, of up to 7 bytes.
pub(super) struct SafetensorsWriter {
    intake: Intake,
    out: AtomicFile,
    frame: Vec<u8>,
    /// Length of the JSON text with its trailing spaces.
    reserved: usize,
}

impl SafetensorsWriter {
    pub(super) fn create(path: &Path, spec: &TensorSpec, options: &TensorOptions) -> Result<Self> {
        let intake = Intake::new(path, Container::Safetensors, spec, options.limits)?;
        let [_, c, h, w] = intake.shape();
        let longest = json(spec, [u64::MAX, c, h, w], u64::MAX, u64::MAX / 32);
        let reserved = (8 + longest.len()).next_multiple_of(64) - 8;
        if reserved > MAX_HEADER {
            return Err(Error::caller("the provenance is too long for .safetensors")
                .expected(format!("at most {MAX_HEADER} bytes of header"))
                .found(reserved)
                .in_file(path));
        }
        let frame = intake.buffer(1)?;
        let mut out = AtomicFile::create(path, options.overwrite, options.sync)?;
        out.append(&vec![0; 8 + reserved])?;
        Ok(Self { intake, out, frame, reserved })
    }
}

impl TensorWriter for SafetensorsWriter {
    fn write(&mut self, frame: &Frame) -> Result<()> {
        self.intake.admit(frame)?;
        cells::put(&frame.cells, &mut self.frame);
        self.out.append(&self.frame)
    }

    fn finish(mut self: Box<Self>) -> Result<Written> {
        self.intake.complete()?;
        let frames = self.intake.frames();
        let bytes = frames * self.intake.frame_bytes() as u64;
        let padding = bytes.next_multiple_of(8) - bytes;
        self.out.append(&[0; 8][..padding as usize])?;
        self.out.append(&self.intake.timestamp_bytes())?;
        let mut header = (self.reserved as u64).to_le_bytes().to_vec();
        let json = json(self.intake.spec(), self.intake.shape(), bytes, padding);
        header.extend_from_slice(json.as_bytes());
        header.resize(8 + self.reserved, b' ');
        self.out.patch(0, &header)?;
        Ok(Written { frames, bytes: self.out.finish()? })
    }
}

/// The header for frames of this `shape` whose size is `bytes`.
fn json(spec: &TensorSpec, shape: [u64; 4], bytes: u64, padding: u64) -> String {
    let [t, c, h, w] = shape;
    let dtype = match spec.dtype {
        Dtype::U8 => "U8",
        Dtype::U16 => "U16",
        Dtype::I16 => "I16",
        Dtype::F32 => "F32",
    };
    let provenance = serde_json::Value::from(spec.provenance.as_str());
    let padded = bytes.saturating_add(padding);
    let end = padded.saturating_add(t.saturating_mul(16));
    let mut text = format!(
        r#"{{"__metadata__":{{"liaf":{provenance}}},"frames":{{"dtype":"{dtype}","shape":[{t},{c},{h},{w}],"data_offsets":[0,{bytes}]}},"#
    );
    if padding > 0 {
        text += &format!(
            r#""padding":{{"dtype":"U8","shape":[{padding}],"data_offsets":[{bytes},{padded}]}},"#
        );
    }
    text += &format!(
        r#""timestamps":{{"dtype":"I64","shape":[{t},2],"data_offsets":[{padded},{end}]}}}}"#
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::FrameShape;

    #[test]
    fn header_is_json_and_leaves_no_holes() {
        let spec = TensorSpec {
            shape: FrameShape { channels: 1, height: 3, width: 5 },
            dtype: Dtype::U8,
            frames: None,
            provenance: r#"{"name":"a \"b\""}"#.into(),
        };
        let text = json(&spec, [3, 1, 3, 5], 45, 3);
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["frames"]["data_offsets"], serde_json::json!([0, 45]));
        assert_eq!(value["padding"]["data_offsets"], serde_json::json!([45, 48]));
        assert_eq!(value["timestamps"]["data_offsets"], serde_json::json!([48, 96]));
        assert_eq!(value["__metadata__"]["liaf"], spec.provenance.as_str());
    }
}
