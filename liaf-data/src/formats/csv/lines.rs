//! Encoding of events as text: a first line, then a line for each event.

use std::io;

use crate::codec::{Encoder, Output};
use crate::error::{Error, Result};
use crate::model::{Event, EventBatch};

/// Number of bytes that are written together.
const CHUNK: usize = 64 << 10;

/// Writes the first line and the line that `line` makes of each event.
pub(super) struct LineEncoder<F> {
    first: String,
    line: F,
    lines: Vec<u8>,
}

impl<F: FnMut(Event, &mut Vec<u8>) -> io::Result<()>> LineEncoder<F> {
    pub fn new(first: String, line: F) -> Self {
        Self { first, line, lines: Vec::new() }
    }
}

impl<F: FnMut(Event, &mut Vec<u8>) -> io::Result<()> + Send> Encoder for LineEncoder<F> {
    fn start(&mut self, out: &mut dyn Output) -> Result<()> {
        out.append(self.first.as_bytes())
    }

    fn push(&mut self, events: &EventBatch, out: &mut dyn Output) -> Result<()> {
        for event in events.iter() {
            (self.line)(event, &mut self.lines)
                .map_err(|error| Error::system("cannot write", error))?;
            if self.lines.len() >= CHUNK {
                out.append(&self.lines)?;
                self.lines.clear();
            }
        }
        out.append(&self.lines)?;
        self.lines.clear();
        Ok(())
    }

    fn finish(&mut self, _: &mut dyn Output) -> Result<()> {
        Ok(())
    }
}
