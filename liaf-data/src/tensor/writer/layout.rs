//! The interface of the containers: where in the file the bytes of tensors go.

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

/// How a container writes a file: first a start, then the streamed tensor, then all others.
pub(super) trait Layout: Debug + Send {
    /// Whether there is room for one tensor only, which is streamed.
    fn holds_one(&self) -> bool {
        false
    }

    /// Writes what comes before the streamed tensor. Numbers of rows are not final yet.
    fn start(&mut self, out: &mut AtomicFile, plan: &Plan<'_>) -> Result<()>;

    /// Writes bytes of the streamed tensor, without changing them unless the container compresses them.
    fn append(&mut self, out: &mut AtomicFile, bytes: &[u8]) -> Result<()> {
        out.append(bytes)
    }

    /// Writes the other tensors, whose bytes are in `spools` by index, and the rest of the file.
    fn finish(
        &mut self,
        out: &mut AtomicFile,
        plan: &Plan<'_>,
        spools: Vec<Option<Spool>>,
    ) -> Result<()>;
}
