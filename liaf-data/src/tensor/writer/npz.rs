//! The `.npz` format: a zip archive of arrays.

use std::fmt;

use super::column::Column;
use super::layout::{Layout, Plan};
use super::npy::descr;
use crate::container::deflate::DeflateLevel;
use crate::container::zip::Zip;
use crate::container::{npy, npz};
use crate::error::Result;
use crate::io::{AtomicFile, Spool};
use crate::tensor::TensorOptions;

/// Writes every tensor as a member: the streamed one first, then the others in the order in which
/// they were added, and last `liaf.npy`, the bytes of the provenance.
pub(super) struct NpzLayout {
    zip: Zip,
    level: Option<DeflateLevel>,
    streamed: Option<npz::Array>,
}

impl fmt::Debug for NpzLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NpzLayout({:?})", self.level)
    }
}

impl NpzLayout {
    pub(super) fn new(options: &TensorOptions) -> Self {
        let wanted = DeflateLevel::of(options.compression).unwrap_or(DeflateLevel::Runs);
        let level = options.npz_deflate.then_some(wanted);
        Self { zip: Zip::default(), level, streamed: None }
    }
}

fn member(column: &Column) -> String {
    format!("{}.npy", column.name)
}

fn header(column: &Column) -> Vec<u8> {
    npy::header(descr(column.element), &column.shape())
}

impl Layout for NpzLayout {
    fn start(&mut self, out: &mut AtomicFile, plan: &Plan<'_>) -> Result<()> {
        if let Some(column) = plan.streamed() {
            let array = npz::Array::start(out, &member(column), &header(column), self.level)?;
            self.streamed = Some(array);
        }
        Ok(())
    }

    fn append(&mut self, out: &mut AtomicFile, bytes: &[u8]) -> Result<()> {
        self.streamed.as_mut().map_or(Ok(()), |array| array.append(out, bytes))
    }

    fn finish(
        &mut self,
        out: &mut AtomicFile,
        plan: &Plan<'_>,
        spools: Vec<Option<Spool>>,
    ) -> Result<()> {
        let mut zip = std::mem::take(&mut self.zip);
        if let (Some(column), Some(array)) = (plan.streamed(), self.streamed.take()) {
            array.end(&mut zip, out, &header(column))?;
        }
        for (column, spool) in plan.columns.iter().zip(spools) {
            let Some(spool) = spool else { continue };
            let header = header(column);
            let mut array = npz::Array::start(out, &member(column), &header, self.level)?;
            spool.read_back(|bytes| array.append(out, bytes))?;
            array.end(&mut zip, out, &header)?;
        }
        if let Some(provenance) = plan.provenance {
            let header = npy::header("'|u1'", &[provenance.len() as u64]);
            let mut array = npz::Array::start(out, "liaf.npy", &header, self.level)?;
            array.append(out, provenance.as_bytes())?;
            array.end(&mut zip, out, &header)?;
        }
        zip.finish(out)
    }
}
