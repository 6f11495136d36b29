//! Files that are needed in memory as a whole.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};

/// Reads a file of at most `limit` bytes. Errors call it `what`: "the table".
///
/// # Errors
/// With the path, if the file cannot be read; [`ErrorKind::Limit`](crate::ErrorKind::Limit) if it is larger.
/// No more is read then, whatever size the system states for the file.
pub(crate) fn read_whole(what: &str, path: &Path, limit: usize) -> Result<Vec<u8>> {
    let failed = |cause| Error::system(format!("{what} cannot be read"), cause).in_file(path);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > limit {
        let error = Error::limit(format!("{what} is too large")).in_file(path);
        return Err(error.expected(format!("at most {limit} bytes")));
    }
    Ok(bytes)
}

/// As [`read_whole`], for text in UTF-8.
///
/// # Errors
/// As [`read_whole`]; [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) with the offset of what is no UTF-8.
pub(crate) fn read_text(what: &str, path: &Path, limit: usize) -> Result<String> {
    String::from_utf8(read_whole(what, path, limit)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to() as u64;
        Error::malformed(format!("{what} is no text in UTF-8")).at(at).in_file(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_file_beyond_the_limit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        std::fs::write(&path, "four").unwrap();
        assert_eq!(read_whole("the text", &path, 4).unwrap(), b"four");
        let error = read_whole("the text", &path, 3).unwrap_err();
        assert_eq!((error.kind(), error.path()), (ErrorKind::Limit, Some(&*path)));
        assert!(error.to_string().contains("the text is too large"), "{error}");
        let absent = read_whole("the text", &folder.path().join("b.txt"), 4).unwrap_err();
        assert_eq!(absent.kind(), ErrorKind::System);
    }

    #[test]
    fn bytes_that_are_no_text_are_named_by_their_offset() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        std::fs::write(&path, b"ab\xffc").unwrap();
        let error = read_text("the list", &path, 9).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::Malformed, Some(2)));
    }
}
