//! The `.npy` format, version 1.0: one array behind a text header.

use std::path::Path;

use super::intake::Intake;
use super::{Container, TensorOptions, TensorSpec, TensorWriter, Written, cells};
use crate::Result;
use crate::file::AtomicFile;
use crate::frames::{Dtype, Frame};

const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";

/// NumPy's name of a cell type, little-endian.
pub(super) fn descr(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::U8 => "|u1",
        Dtype::U16 => "<u2",
        Dtype::I16 => "<i2",
        Dtype::F32 => "<f4",
    }
}

/// The header of an array of type `descr` and `shape`, row-major.
///
/// Its length, a multiple of 64, does not depend on the first dimension, which so can be patched
/// when it is known.
pub(super) fn header(descr: &str, shape: &[u64]) -> Vec<u8> {
    let mut longest = shape.to_vec();
    if let Some(first) = longest.first_mut() {
        *first = u64::MAX;
    }
    let prefix = MAGIC.len() + 2;
    let total = (prefix + text(descr, &longest).len() + 1).next_multiple_of(64);
    let mut header = Vec::with_capacity(total);
    header.extend_from_slice(MAGIC);
    // At most 21 bytes a dimension: far below the 65,535 of version 1.0.
    header.extend_from_slice(&((total - prefix) as u16).to_le_bytes());
    header.extend_from_slice(text(descr, shape).as_bytes());
    header.resize(total - 1, b' ');
    header.push(b'\n');
    header
}

fn text(descr: &str, shape: &[u64]) -> String {
    let dims = match shape {
        [n] => format!("{n},"),
        _ => shape.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
    };
    format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({dims}), }}")
}

/// Writes the frames alone.
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
        out.append(&header(descr(spec.dtype), &intake.shape()))?;
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
        self.out.patch(0, &header(descr(self.intake.spec().dtype), &self.intake.shape()))?;
        Ok(Written { frames: self.intake.frames(), bytes: self.out.finish()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_aligned_and_of_one_length() {
        let a = header("<u2", &[0, 2, 260, 346]);
        let b = header("<u2", &[u64::MAX, 2, 260, 346]);
        assert_eq!(a.len(), 128);
        assert_eq!(a.len(), b.len());
        assert_eq!(a.last(), Some(&b'\n'));
        assert_eq!(&a[8..10], &118u16.to_le_bytes());
        assert!(a[10..].starts_with(
            b"{'descr': '<u2', 'fortran_order': False, 'shape': (0, 2, 260, 346), }  "
        ));
        let text = String::from_utf8(header("|u1", &[7])[10..].to_vec()).expect("text");
        assert!(text.contains("'shape': (7,), }"));
    }
}
