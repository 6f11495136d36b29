//! Formats that are recognised, so that the error can name them, but not read.

use std::ffi::OsStr;
use std::path::Path;

use crate::codec::FileHead;
use crate::registry::FORMATS;

/// Name of the format, how it is recognised, and what helps.
type Unsupported = (&'static str, fn(&FileHead) -> bool, Option<&'static str>);
/// Name of the kind of file, and how it is recognised.
type Foreign = (&'static str, fn(&FileHead) -> bool);

const UNSUPPORTED: &[Unsupported] = &[
    ("an AEDAT of an unknown version", |head| head.starts_with(b"#!AER-DAT"), None),
    ("Prophesee HISTO3D or DIFF3D RAW", |head| prophesee(head, &["HISTO3D", "DIFF3D"]), None),
    ("a Prophesee RAW file of an unknown encoding", |head| head.starts_with(b"% "), None),
    ("ROS 1 bag", |head| head.starts_with(b"#ROSBAG V2.0"), None),
    (
        "Parquet",
        |head| head.starts_with(b"PAR1"),
        Some(
            "Parquet is written but not read: convert it to CSV, for example with DuckDB or Polars",
        ),
    ),
    ("HDF5", |head| head.starts_with(b"\x89HDF\r\n\x1a\n"), HDF5),
    ("MATLAB 7.3 file", |head| head.starts_with(b"MATLAB 7.3 MAT-file"), HDF5),
];

/// With the feature, the only files that reach this are MATLAB files without the HDF5 signature.
const HDF5: Option<&str> = Some(if cfg!(feature = "hdf5") {
    "the HDF5 data at byte 512 is missing: the file is truncated or damaged"
} else {
    "this build cannot read HDF5: build it with the feature `hdf5`"
});

const FOREIGN: &[Foreign] = &[
    ("a PNG image", |head| head.starts_with(b"\x89PNG")),
    ("a JPEG image", |head| head.starts_with(b"\xff\xd8\xff")),
    ("a program (ELF)", |head| head.starts_with(b"\x7fELF")),
    ("a gzip archive", |head| head.starts_with(b"\x1f\x8b")),
    ("a PDF document", |head| head.starts_with(b"%PDF")),
    ("zeros", |head| !head.bytes.is_empty() && head.bytes.iter().all(|&byte| byte == 0)),
    ("text", |head| {
        head.bytes.iter().all(|&b| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..))
    }),
];

/// The name of a format that is recognised but not read, and what helps.
pub(crate) fn known_but_unsupported(
    head: &FileHead,
) -> Option<(&'static str, Option<&'static str>)> {
    UNSUPPORTED.iter().find(|(_, detect, _)| detect(head)).map(|&(name, _, help)| (name, help))
}

/// Whether the file does not begin with the signature of any known format.
pub(crate) fn is_unknown(head: &FileHead) -> bool {
    known_but_unsupported(head).is_none() && !FOREIGN.iter().any(|(_, detect)| detect(head))
}

/// The kind of file that this probably is, if it is not an event recording.
pub(crate) fn best_guess(head: &FileHead) -> &'static str {
    FOREIGN.iter().find(|(_, detect)| detect(head)).map_or("binary data", |&(name, _)| name)
}

/// Extensions of recordings in formats that are not read. Their contents may be damaged, so that they are
/// not recognised.
const UNSUPPORTED_EXTENSIONS: &[&str] = &["bag", "db3", "mcap", "bs2"];
/// Extensions of compressed files. What precedes them in a name is that of the file inside.
const PACKED_EXTENSIONS: &[&str] = &["gz", "xz", "zst", "bz2", "lz4", "zip", "tar", "tgz", "7z"];

/// Whether a file of this name is a recording by its name: by an extension of a format that is read or
/// known, or by that of compressed files.
pub(crate) fn is_named_as_recording(name: &Path) -> bool {
    let Some(extension) = name.extension().and_then(OsStr::to_str) else { return false };
    let is = |known: &&str| known.eq_ignore_ascii_case(extension);
    FORMATS.iter().any(|format| format.extensions.iter().any(is))
        || UNSUPPORTED_EXTENSIONS.iter().any(is)
        || PACKED_EXTENSIONS.iter().any(is)
}

/// Whether a file that no format takes is surely no recording. That depends on its name as well: a
/// picture called `a.aedat4` is what a user takes for a recording, and is not left out of a folder.
pub(crate) fn is_surely_other(head: &FileHead, name: &Path) -> bool {
    if known_but_unsupported(head).is_some() {
        return false;
    }
    let kind = FOREIGN.iter().find(|(_, detect)| detect(head)).map(|&(name, _)| name);
    // Extensions that recordings share with other files.
    let is_text_name = ["csv", "txt"].contains(&&*head.extension);
    let is_shared = is_text_name || ["bin", "dat", "raw"].contains(&&*head.extension);
    match kind {
        Some("text") => (is_text_name || !is_named_as_recording(name)) && is_prose(&head.bytes),
        Some("zeros" | "a gzip archive") | None => !is_named_as_recording(name),
        Some(_) => is_shared || !is_named_as_recording(name),
    }
}

/// Whether a text has words and no rows of numbers. Comments are neither.
fn is_prose(head: &[u8]) -> bool {
    let is_row = |line: &[u8]| {
        let fields = line.split(|b| b",; \t".contains(b)).filter(|field| !field.is_empty());
        let is_number = |field: &[u8]| {
            std::str::from_utf8(field).is_ok_and(|text| text.trim().parse::<f64>().is_ok())
        };
        let mut numbers = 0;
        fields.map(is_number).all(|is| {
            numbers += 1;
            is
        }) && numbers >= 3
    };
    !head.split(|b| matches!(b, b'\n' | b'\r')).any(is_row)
}

/// Whether the `% ` header of a Prophesee file contains one of `words`.
fn prophesee(head: &FileHead, words: &[&str]) -> bool {
    head.starts_with(b"% ") && {
        let text = String::from_utf8_lossy(&head.bytes);
        text.split_inclusive('\n')
            .take_while(|line| line.starts_with("% "))
            .any(|line| words.iter().any(|word| line.contains(word)))
    }
}
