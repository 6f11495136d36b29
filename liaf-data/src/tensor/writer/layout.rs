//! What the containers have in common: where in the file the bytes of tensors go.

use std::fmt::Debug;

use super::column::Column;
use crate::error::Result;
use crate::io::{AtomicFile, Spool};

/// All tensors of a file.
pub(super) struct Plan<'a> {
    pub columns: &'a [Column],
    /// Index of the tensor that is written straight into the file.
    pub streamed: Option<usize>,
    pub provenance: Option<&'a str>,
}

impl<'a> Plan<'a> {
    /// The tensor that is written straight into the file.
    pub fn streamed(&self) -> Option<&'a Column> {
        self.streamed.and_then(|index| self.columns.get(index))
    }
}

/// The order of a file: a start, the streamed tensor, and all others.
pub(super) trait Layout: Debug + Send {
    /// Whether there is room for one tensor only, which is streamed.
    fn holds_one(&self) -> bool {
        false
    }

    /// Writes what comes before the streamed tensor. Numbers of rows are not final yet.
    fn start(&mut self, out: &mut AtomicFile, plan: &Plan<'_>) -> Result<()>;

    /// Writes bytes of the streamed tensor, as they are unless the container packs them.
    fn append(&mut self, out: &mut AtomicFile, bytes: &[u8]) -> Result<()> {
        out.append(bytes)
    }

    /// Writes the other tensors, whose bytes are in `spools` by index, and what else the file needs.
    fn finish(
        &mut self,
        out: &mut AtomicFile,
        plan: &Plan<'_>,
        spools: Vec<Option<Spool>>,
    ) -> Result<()>;
}
