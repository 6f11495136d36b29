//! Conversion of errors of the HDF5 library.

use std::io;
use std::path::Path;

use crate::error::Error;

/// The error for `error`, which occurred while doing `what` to `path`. If the cause was an error of
/// the operating system, it becomes the source of the error.
pub(crate) fn system(what: &str, error: &hdf5::Error, path: &Path) -> Error {
    let cause = error
        .stack()
        .and_then(|stack| stack.iter().find_map(|frame| errno(frame.desc())))
        .map_or_else(|| io::Error::other(error.to_string()), io::Error::from_raw_os_error);
    Error::system(what, cause).in_file(path)
}

/// The number in texts such as `…, errno = 28, error message = 'No space left on device', …`.
fn errno(text: &str) -> Option<i32> {
    let (_, rest) = text.split_once("errno = ")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok().filter(|&errno| errno != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_the_system_is_found() {
        let text = "file write failed: time = Mon, filename = 'a', file descriptor = 3, errno = 28, \
                    error message = 'No space left on device', buf = 0x1";
        assert_eq!(errno(text), Some(28));
        assert_eq!(errno("errno = 0, "), None);
        assert_eq!(errno("unable to write"), None);
    }

    #[test]
    fn a_missing_folder_is_said_in_the_words_of_the_system() {
        let path = Path::new("/nowhere/at/all.h5");
        let error = hdf5::File::create(path).expect_err("no such folder");
        let error = system("cannot create", &error, path);
        assert_eq!(error.kind(), crate::ErrorKind::System);
        let text = error.to_string().to_lowercase();
        assert!(text.contains("no such file"), "{text}");
    }
}
