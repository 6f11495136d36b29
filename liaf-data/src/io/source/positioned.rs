//! Reads of a file at an offset. They leave alone the position that all who share the file have in
//! common, except on Windows, where nothing else here depends on it.

use std::fs::File;
use std::io;

/// Reads at most the length of `buffer` from byte `at` on; 0 bytes are the end of the file.
#[cfg(unix)]
pub(super) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

/// Reads at most the length of `buffer` from byte `at` on; 0 bytes are the end of the file.
#[cfg(windows)]
pub(super) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}
