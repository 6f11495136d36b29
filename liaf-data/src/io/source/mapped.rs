//! Memory-mapped files. No other module of this crate maps files.
#![expect(unsafe_code, reason = "a memory map is sound only while the file does not change")]

use std::fs::File;
use std::sync::Arc;

use memmap2::Mmap;
#[cfg(unix)]
use memmap2::{Advice, UncheckedAdvice};

use super::lease::Lease;

/// Pages that have been read are returned to the kernel in steps of this many bytes, so that a
/// mapped file does not count as memory of this program.
const RELEASE_STEP: usize = 8 << 20;

/// A mapped file and its lease, unless the caller has guaranteed that the file does not change. It
/// is shared by all cursors over the file. The order of the fields is the order in which they are
/// dropped: first the map, then the lease, then the descriptor that both belong to.
pub(crate) struct Mapped {
    map: Mmap,
    lease: Option<Lease>,
    file: Arc<File>,
}

/// The result of [`Mapped::visit`].
pub(crate) enum Visit<R> {
    /// The slice was visited.
    Done(R),
    /// The lease has been released: the map must no longer be accessed.
    Revoked,
}

impl Mapped {
    /// Maps `file` if a read lease is granted; otherwise returns the file.
    pub(crate) fn leased(file: File, len: u64) -> Result<Self, File> {
        match Lease::take(&file) {
            Ok(lease) => Self::map(file, len, Some(lease)),
            Err(_) => Err(file),
        }
    }

    /// Maps `file`. The caller guarantees that nobody writes it.
    pub(crate) fn unguarded(file: File, len: u64) -> Result<Self, File> {
        Self::map(file, len, None)
    }

    fn map(file: File, len: u64, lease: Option<Lease>) -> Result<Self, File> {
        // SAFETY: the bytes stay as they are while the map is read. Either the lease holds: then
        // nobody has the file open for writing, whoever wants to waits until the lease is released,
        // and `visit` stops touching the map before that. Or the caller of `MapChoice::always`
        // promised it.
        let map = unsafe { Mmap::map(&file) };
        match map {
            Ok(map) if map.len() as u64 == len => {
                // If the advice is not followed, only speed is lost.
                #[cfg(unix)]
                let _ = map.advise(Advice::Sequential);
                Ok(Self { map, lease, file: Arc::new(file) })
            }
            _ => {
                drop(lease);
                Err(file)
            }
        }
    }

    pub(crate) fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Calls `take` with the `len` bytes from `at` on, unless the lease has been released. The
    /// caller ensures that `at + len` is within the length that the file had when it was opened.
    /// `released` is how far the cursor has returned the pages that it has read.
    pub(crate) fn visit<R>(
        &self,
        at: u64,
        len: usize,
        released: &mut usize,
        take: impl FnOnce(&[u8]) -> R,
    ) -> Visit<R> {
        let at = at as usize;
        if at >= *released + 2 * RELEASE_STEP {
            self.release(released, at - RELEASE_STEP);
        }
        let _busy = match &self.lease {
            Some(lease) => match lease.begin() {
                Some(busy) => Some(busy),
                None => return Visit::Revoked,
            },
            None => None,
        };
        Visit::Done(take(&self.map[at..at + len]))
    }

    /// The `len` bytes from `at` on for as long as the map exists, if the caller has guaranteed that
    /// the file does not change, and if they are in the file.
    pub(crate) fn lend(&self, at: u64, len: usize) -> Option<&[u8]> {
        // A lease can be lost while the bytes are in use.
        if self.lease.is_some() {
            return None;
        }
        let at = usize::try_from(at).ok()?;
        self.map.get(at..at.checked_add(len)?)
    }

    /// Returns the pages from `released` to `to` to the kernel.
    #[cfg(unix)]
    fn release(&self, released: &mut usize, to: usize) {
        let to = to / RELEASE_STEP * RELEASE_STEP;
        // SAFETY: the pages are those of a shared, read-only file map, which the kernel reads again
        // from the file if they are touched. A slice that another cursor has of them shows the same
        // bytes then, as the file does not change while it is mapped (see `map`).
        let advised = unsafe {
            let range = to - *released;
            self.map.unchecked_advise_range(UncheckedAdvice::DontNeed, *released, range)
        };
        if advised.is_ok() {
            *released = to;
        }
    }

    /// Other systems take pages back when they need memory.
    #[cfg(not(unix))]
    fn release(&self, released: &mut usize, to: usize) {
        *released = to / RELEASE_STEP * RELEASE_STEP;
    }
}
