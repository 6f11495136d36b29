//! Formats that are recognised, so that the error can name them, but not read.

use crate::codec::FileHead;

/// Name of the format, how it is recognised, and what helps.
type Unsupported = (&'static str, fn(&FileHead) -> bool, Option<&'static str>);
/// Name of the kind of file, and how it is recognised.
type Foreign = (&'static str, fn(&FileHead) -> bool);

const UNSUPPORTED: &[Unsupported] = &[
    ("an AEDAT of an unknown version", |head| head.starts_with(b"#!AER-DAT"), None),
    ("Prophesee HISTO3D or DIFF3D RAW", |head| prophesee(head, &["HISTO3D", "DIFF3D"]), None),
    ("a Prophesee RAW file of an unknown encoding", |head| head.starts_with(b"% "), None),
    (
        "a ROS 1 bag of an old version",
        |head| head.starts_with(b"#ROSBAG V"),
        Some("write it anew as version 2.0 with `rosbag filter IN OUT True`"),
    ),
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

/// Whether the `% ` header of a Prophesee file contains one of `words`.
fn prophesee(head: &FileHead, words: &[&str]) -> bool {
    head.starts_with(b"% ") && {
        let text = String::from_utf8_lossy(&head.bytes);
        text.split_inclusive('\n')
            .take_while(|line| line.starts_with("% "))
            .any(|line| words.iter().any(|word| line.contains(word)))
    }
}
