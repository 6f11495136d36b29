//! Writing the `.npz` format: a zip archive of arrays.

use std::path::Path;

use super::intake::Intake;
use super::npy::descr;
use super::{Container, TensorOptions, TensorSpec, TensorWriter, Written, cells};
use crate::container::deflate::DeflateLevel;
use crate::container::zip::Zip;
use crate::container::{npy, npz};
use crate::error::Result;
use crate::frames::Frame;
use crate::io::AtomicFile;

/// Writes `frames.npy`, `timestamps.npy` and `liaf.npy`. The last one contains the bytes of the
/// provenance text, which `bytes(archive["liaf"])` returns in Python.
pub(super) struct NpzWriter {
    intake: Intake,
    out: AtomicFile,
    zip: Zip,
    level: Option<DeflateLevel>,
    frames: npz::Array,
    frame: Vec<u8>,
}

impl NpzWriter {
    pub(super) fn create(path: &Path, spec: &TensorSpec, options: &TensorOptions) -> Result<Self> {
        let intake = Intake::new(path, Container::Npz, spec, options.limits)?;
        let wanted = DeflateLevel::of(options.compression).unwrap_or(DeflateLevel::Runs);
        let level = options.npz_deflate.then_some(wanted);
        let frame = intake.buffer(1)?;
        let mut out = AtomicFile::create(path, options.overwrite, options.sync)?;
        let header = npy::header(descr(spec.dtype), &intake.shape());
        let frames = npz::Array::start(&mut out, "frames.npy", &header, level)?;
        Ok(Self { intake, out, zip: Zip::default(), level, frames, frame })
    }
}

impl TensorWriter for NpzWriter {
    fn write(&mut self, frame: &Frame) -> Result<()> {
        self.intake.admit(frame)?;
        cells::put(&frame.cells, &mut self.frame);
        self.frames.append(&mut self.out, &self.frame)
    }

    fn finish(self: Box<Self>) -> Result<Written> {
        let Self { intake, mut out, mut zip, level, frames, .. } = *self;
        intake.complete()?;
        let header = npy::header(descr(intake.spec().dtype), &intake.shape());
        frames.end(&mut zip, &mut out, &header)?;
        let provenance = intake.spec().provenance.as_bytes();
        for (name, descr, shape, bytes) in [
            ("timestamps.npy", "'<i8'", &[intake.frames(), 2][..], &intake.timestamp_bytes()[..]),
            ("liaf.npy", "'|u1'", &[provenance.len() as u64][..], provenance),
        ] {
            let header = npy::header(descr, shape);
            let mut array = npz::Array::start(&mut out, name, &header, level)?;
            array.append(&mut out, bytes)?;
            array.end(&mut zip, &mut out, &header)?;
        }
        zip.finish(&mut out)?;
        Ok(Written { frames: intake.frames(), bytes: out.finish()? })
    }
}
