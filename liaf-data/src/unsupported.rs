//! Formats that are recognised so that the message can name them, but are not read yet.

use crate::codec::FileHead;

/// Name of the format, how it is told, and what helps.
type Unsupported = (&'static str, fn(&FileHead) -> bool, Option<&'static str>);
/// Name and how it is told.
type Foreign = (&'static str, fn(&FileHead) -> bool);

const UNSUPPORTED: &[Unsupported] = &[
    ("an AEDAT of an unknown version", |head| head.starts_with(b"#!AER-DAT"), None),
    ("Prophesee HISTO3D or DIFF3D RAW", |head| prophesee(head, &["HISTO3D", "DIFF3D"]), None),
    ("a Prophesee RAW file of an unknown encoding", |head| head.starts_with(b"% "), None),
    ("ROS 1 bag", |head| head.starts_with(b"#ROSBAG V2.0"), None),
    (
        "Parquet",
        |head| head.starts_with(b"PAR1"),
        Some("it is written, not read: DuckDB and Polars make CSV of it, which is read"),
    ),
    ("HDF5", |head| head.starts_with(b"\x89HDF\r\n\x1a\n"), HDF5),
    ("MATLAB 7.3 file", |head| head.starts_with(b"MATLAB 7.3 MAT-file"), HDF5),
];

/// With the feature, only a file of MATLAB's is told here whose HDF5 is missing.
const HDF5: Option<&str> = Some(if cfg!(feature = "hdf5") {
    "it should go on with HDF5 at byte 512, and does not: the file is cut or damaged"
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

/// The name of a format that is recognised and not read, and what helps.
pub(crate) fn known_but_unsupported(
    head: &FileHead,
) -> Option<(&'static str, Option<&'static str>)> {
    UNSUPPORTED.iter().find(|(_, detect, _)| detect(head)).map(|&(name, _, help)| (name, help))
}

/// Whether the file begins like nothing that has a beginning of its own.
pub(crate) fn is_unknown(head: &FileHead) -> bool {
    known_but_unsupported(head).is_none() && !FOREIGN.iter().any(|(_, detect)| detect(head))
}

/// What a file that is no event recording looks like.
pub(crate) fn best_guess(head: &FileHead) -> &'static str {
    FOREIGN.iter().find(|(_, detect)| detect(head)).map_or("binary data", |&(name, _)| name)
}

/// Whether the `% ` header of a Prophesee file has one of `words`.
fn prophesee(head: &FileHead, words: &[&str]) -> bool {
    head.starts_with(b"% ") && {
        let text = String::from_utf8_lossy(&head.bytes);
        text.split_inclusive('\n')
            .take_while(|line| line.starts_with("% "))
            .any(|line| words.iter().any(|word| line.contains(word)))
    }
}
