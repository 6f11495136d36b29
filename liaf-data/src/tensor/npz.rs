//! The `.npz` format: a zip archive of arrays.

use std::path::Path;

use crc32fast::Hasher;

use super::deflate::{Deflate, Wrap};
use super::intake::Intake;
use super::zip::{Member, Method, Zip};
use super::{Compression, Container, TensorOptions, TensorSpec, TensorWriter, Written, cells, npy};
use crate::file::AtomicFile;
use crate::frames::Frame;
use crate::{Error, Result};

/// Writes `frames.npy`, `timestamps.npy` and `liaf.npy`: the bytes of the provenance text, which
/// `bytes(archive["liaf"])` gives back.
pub(super) struct NpzWriter {
    intake: Intake,
    out: AtomicFile,
    zip: Zip,
    frames: Body,
    frame: Vec<u8>,
}

impl NpzWriter {
    pub(super) fn create(path: &Path, spec: &TensorSpec, options: &TensorOptions) -> Result<Self> {
        let intake = Intake::new(path, Container::Npz, spec, options.limits)?;
        let packing = options.npz_deflate.then_some(options.compress);
        if packing.is_some() && spec.frames.is_none() {
            return Err(Error::caller(
                "a compressed .npz needs the number of frames before the first one",
            )
            .advice("write it stored, or as .h5")
            .in_file(path));
        }
        let mut out = AtomicFile::create(path, options.overwrite, options.sync)?;
        let [_, c, h, w] = intake.shape();
        let header = npy::header(npy::descr(spec.dtype), &[spec.frames.unwrap_or(0), c, h, w]);
        let frames = Body::start(&mut out, "frames.npy", &header, packing)?;
        let frame = intake.buffer(1)?;
        Ok(Self { intake, out, zip: Zip::default(), frames, frame })
    }
}

impl TensorWriter for NpzWriter {
    fn write(&mut self, frame: &Frame) -> Result<()> {
        self.intake.admit(frame)?;
        cells::put(&frame.cells, &mut self.frame);
        self.frames.append(&mut self.out, &self.frame)
    }

    fn finish(self: Box<Self>) -> Result<Written> {
        let Self { intake, mut out, mut zip, frames, .. } = *self;
        intake.complete()?;
        let packing = frames.packing;
        let header = npy::header(npy::descr(intake.spec().dtype), &intake.shape());
        frames.end(&mut zip, &mut out, &header)?;
        let provenance = intake.spec().provenance.as_bytes();
        for (name, descr, shape, bytes) in [
            ("timestamps.npy", "<i8", &[intake.frames(), 2][..], &intake.timestamp_bytes()[..]),
            ("liaf.npy", "|u1", &[provenance.len() as u64][..], provenance),
        ] {
            let header = npy::header(descr, shape);
            let mut body = Body::start(&mut out, name, &header, packing)?;
            body.append(&mut out, bytes)?;
            body.end(&mut zip, &mut out, &header)?;
        }
        zip.finish(&mut out)?;
        Ok(Written { frames: intake.frames(), bytes: out.finish()? })
    }
}

/// A member in the making: a header that may change at the end, and what follows it.
struct Body {
    member: Member,
    packing: Option<Compression>,
    deflate: Option<Deflate>,
    packed: Vec<u8>,
    /// Of what follows the header.
    crc: Hasher,
    size: u64,
}

impl Body {
    fn start(
        out: &mut AtomicFile,
        name: &'static str,
        header: &[u8],
        packing: Option<Compression>,
    ) -> Result<Self> {
        let method = if packing.is_some() { Method::Deflated } else { Method::Stored };
        let mut body = Self {
            member: Zip::start(out, name, method)?,
            packing,
            deflate: packing.map(|packing| Deflate::new(packing, Wrap::None)),
            packed: Vec::new(),
            crc: Hasher::new(),
            size: 0,
        };
        body.put(out, header)?;
        Ok(body)
    }

    fn append(&mut self, out: &mut AtomicFile, bytes: &[u8]) -> Result<()> {
        self.crc.update(bytes);
        self.size += bytes.len() as u64;
        self.put(out, bytes)
    }

    fn put(&mut self, out: &mut AtomicFile, bytes: &[u8]) -> Result<()> {
        let Some(deflate) = &mut self.deflate else { return out.append(bytes) };
        deflate.add(bytes, &mut self.packed).map_err(|error| error.in_file(out.target()))?;
        out.append(&self.packed)?;
        self.packed.clear();
        Ok(())
    }

    /// Completes the member under its final `header`, as long as the first one.
    fn end(mut self, zip: &mut Zip, out: &mut AtomicFile, header: &[u8]) -> Result<()> {
        match &mut self.deflate {
            // The number of frames was known, so that the header is the first one.
            Some(deflate) => {
                deflate.end(&mut self.packed).map_err(|error| error.in_file(out.target()))?;
                out.append(&self.packed)?;
            }
            None => out.patch(self.member.start(), header)?,
        }
        let mut crc = Hasher::new();
        crc.update(header);
        crc.combine(&self.crc);
        zip.end(out, self.member, crc.finalize(), header.len() as u64 + self.size)
    }
}
