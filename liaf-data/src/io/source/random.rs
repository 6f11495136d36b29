//! Access to the bytes of a source in any order.

use std::fs::File;
use std::io;

use super::mapped::Visit;
use super::{ByteSource, Kind, positioned};
use crate::error::{Error, Result};

impl ByteSource {
    /// A copy of the bytes from `at` on, at most `max`; fewer only at the end. The caller limits
    /// `max` according to [`Limits`](crate::Limits).
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) on a stream,
    /// [`ErrorKind::System`](crate::ErrorKind::System) if reading fails.
    pub fn read_at(&mut self, at: u64, max: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; self.most_at(at, max)];
        let filled = self.read_into(at, &mut bytes)?;
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// Fills `buffer` with the bytes from `at` on, and returns how many there were: fewer only at the
    /// end, which is where a file ends now if it shrank.
    ///
    /// # Errors
    /// As for [`read_at`](Self::read_at).
    pub(crate) fn read_into(&mut self, at: u64, buffer: &mut [u8]) -> Result<usize> {
        let max = self.most_at(at, buffer.len());
        if max == 0 && self.is_seekable() {
            return Ok(0);
        }
        let buffer = &mut buffer[..max];
        if let Kind::Mapped { mapped, released } = &mut self.kind {
            match mapped.visit(at, max, released, |bytes| buffer.copy_from_slice(bytes)) {
                Visit::Done(()) => return Ok(max),
                Visit::Revoked => self.fall_back(),
            }
        }
        match &mut self.kind {
            Kind::Memory(bytes) => {
                buffer.copy_from_slice(&bytes[at as usize..at as usize + max]);
                Ok(max)
            }
            Kind::Read { file, .. } => read_fully_at(file, buffer, at),
            Kind::Mapped { .. } | Kind::Stream { .. } | Kind::Packed(_) => {
                Err(Error::caller("a pipe cannot be read out of order").advice("name a file"))
            }
        }
    }

    /// How many of `max` bytes there are from `at` on; none for a stream.
    fn most_at(&self, at: u64, max: usize) -> usize {
        let rest = self.len().map_or(0, |len| len.saturating_sub(at));
        usize::try_from(rest).unwrap_or(max).min(max)
    }

    /// The `len` bytes from `at` on, without a copy and independent of the position. `None` if there
    /// are not as many, and for files, unless they are mapped with
    /// [`MapChoice::always`](crate::MapChoice::always): others must not have to wait for as long as
    /// somebody has a slice of the map.
    pub(crate) fn lend(&self, at: u64, len: usize) -> Option<&[u8]> {
        match &self.kind {
            Kind::Memory(bytes) => {
                let at = usize::try_from(at).ok()?;
                bytes.get(at..at.checked_add(len)?)
            }
            Kind::Mapped { mapped, .. } => mapped.lend(at, len),
            Kind::Read { .. } | Kind::Stream { .. } | Kind::Packed(_) => None,
        }
    }
}

/// Fills `buffer` from byte `at` on; fewer bytes only at the end of the file.
pub(super) fn read_fully_at(file: &File, buffer: &mut [u8], at: u64) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match positioned::read_at(file, &mut buffer[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(Error::system("cannot read", error).at(at + filled as u64));
            }
        }
    }
    Ok(filled)
}
