//! The `.npy` format: one array after a text header.

use super::layout::{Layout, Plan};
use crate::container::npy;
use crate::error::{Error, Result};
use crate::io::{AtomicFile, Spool};
use crate::tensor::ElementType;

/// NumPy's name for a type of elements, little-endian, as a Python literal.
pub(super) fn descr(element: ElementType) -> &'static str {
    match element {
        ElementType::Bool => "'|b1'",
        ElementType::U8 => "'|u1'",
        ElementType::I8 => "'|i1'",
        ElementType::U16 => "'<u2'",
        ElementType::I16 => "'<i2'",
        ElementType::U32 => "'<u4'",
        ElementType::I32 => "'<i4'",
        ElementType::U64 => "'<u8'",
        ElementType::I64 => "'<i8'",
        ElementType::F32 => "'<f4'",
        ElementType::F64 => "'<f8'",
    }
}

/// Writes a single array, without its name and without provenance.
#[derive(Debug, Default)]
pub(super) struct NpyLayout;

impl NpyLayout {
    fn header(plan: &Plan<'_>) -> Result<Vec<u8>> {
        let column = plan.streamed().ok_or_else(|| {
            Error::caller("no tensor was added").expected("one tensor for a .npy file")
        })?;
        Ok(npy::header(descr(column.element), &column.shape()))
    }
}

impl Layout for NpyLayout {
    fn holds_one(&self) -> bool {
        true
    }

    fn start(&mut self, out: &mut AtomicFile, plan: &Plan<'_>) -> Result<()> {
        out.append(&Self::header(plan)?)
    }

    fn finish(
        &mut self,
        out: &mut AtomicFile,
        plan: &Plan<'_>,
        _: Vec<Option<Spool>>,
    ) -> Result<()> {
        out.patch(0, &Self::header(plan)?)
    }
}
