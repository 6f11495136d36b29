//! Files that are recognised but not read, so that the error can say what they are and what to do.

use std::ffi::OsStr;
use std::path::Path;

use crate::codec::FileHead;
use crate::registry::FORMATS;

/// Name of the format, how it is recognised, and what helps.
type Unsupported = (&'static str, fn(&FileHead) -> bool, Option<&'static str>);
/// Name of the kind of file, how it is recognised, and what helps.
type Foreign = (&'static str, fn(&FileHead) -> bool, Option<&'static str>);

/// Recordings, and files that stand for one or hold one.
const UNSUPPORTED: &[Unsupported] = &[
    ("an AEDAT of an unknown version", |head| head.starts_with(b"#!AER-DAT"), None),
    ("Prophesee HISTO3D or DIFF3D RAW", |head| prophesee(head, &["HISTO3D", "DIFF3D"]), None),
    ("a Prophesee RAW file of an unknown encoding", |head| head.starts_with(b"% "), None),
    (
        "a ROS 1 bag of an old version",
        |head| {
            let is_old = [&b"#ROSRECORD V"[..], b"#ROSLOG V"].iter().any(|it| head.starts_with(it));
            is_old || head.starts_with(b"#ROSBAG V") && !head.starts_with(b"#ROSBAG V2.0")
        },
        Some("write it anew as version 2.0 with `rosbag filter IN OUT True`"),
    ),
    (
        "SQLite database, as ROS 2 bags are (.db3)",
        |head| head.starts_with(b"SQLite format 3\0"),
        Some(
            "convert a ROS 2 bag to MCAP: `ros2 bag convert`, or `rosbags-convert` of the Python package rosbags",
        ),
    ),
    (
        "Git LFS pointer, which stands for a file that was not downloaded",
        |head| head.starts_with(b"version https://git-lfs.github.com/spec/"),
        Some("run `git lfs pull` in the repository, or download the file itself"),
    ),
    (
        "web page",
        is_html,
        Some(
            "the download gave a page in place of the file: open it in a browser to see why, and download the file again",
        ),
    ),
    ("tar archive", |head| head.bytes.get(257..262) == Some(b"ustar"), UNPACK),
    ("7-Zip archive", |head| head.starts_with(b"7z\xbc\xaf\x27\x1c"), UNPACK),
    ("RAR archive", |head| head.starts_with(b"Rar!\x1a\x07"), UNPACK),
    ("LZ4 file", |head| head.starts_with(b"\x04\x22\x4d\x18"), Some("unpack it with `lz4 -d`")),
    (
        "LZMA file",
        |head| head.starts_with(b"\x5d\0\0") && head.bytes.get(5..13) == Some(&[0xff; 8]),
        Some("unpack it with `xz -d`"),
    ),
    (
        "Python pickle",
        // The protocol, then the opcode of a frame, or of what pickles usually start with.
        |head| {
            matches!(
                head.bytes[..],
                [0x80, 2..=5, 0x95 | b'}' | b']' | b'c' | b'(' | 0x8a | b'X' | 0x8c, ..]
            )
        },
        PICKLE,
    ),
    (
        "capture of network packets (pcap)",
        |head| {
            [
                &b"\xd4\xc3\xb2\xa1"[..],
                b"\xa1\xb2\xc3\xd4",
                b"\x4d\x3c\xb2\xa1",
                b"\x0a\x0d\x0d\x0a",
            ]
            .iter()
            .any(|magic| head.starts_with(magic))
        },
        Some("extract the events from the packets with the software of the camera"),
    ),
    (
        "AVI video",
        |head| head.starts_with(b"RIFF") && head.bytes.get(8..12) == Some(b"AVI "),
        VIDEO,
    ),
    ("MP4 or QuickTime video", |head| head.bytes.get(4..8) == Some(b"ftyp"), VIDEO),
    ("Matroska or WebM video", |head| head.starts_with(b"\x1a\x45\xdf\xa3"), VIDEO),
    (
        "Parquet",
        |head| head.starts_with(b"PAR1"),
        Some(
            "Parquet is written but not read: convert it to CSV, for example with DuckDB or Polars",
        ),
    ),
    // Before UTF-16, whose mark of the byte order is the same with fewer zeros.
    (
        "text in UTF-32",
        |head| head.starts_with(b"\xff\xfe\0\0") || head.starts_with(b"\0\0\xfe\xff"),
        Some("save it in UTF-8, for example with `iconv -f UTF-32 -t UTF-8`"),
    ),
    (
        "text in UTF-16",
        |head| head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff"),
        Some("save it in UTF-8, for example with `iconv -f UTF-16 -t UTF-8`"),
    ),
    (
        "MATLAB 4 file",
        is_matlab4,
        Some("save it anew in MATLAB with `save -v7`, or in Python with scipy.io.savemat"),
    ),
    ("HDF5", |head| head.starts_with(b"\x89HDF\r\n\x1a\n"), HDF5),
    ("MATLAB 7.3 file", |head| head.starts_with(b"MATLAB 7.3 MAT-file"), HDF5),
];

const UNPACK: Option<&str> = Some("unpack it and name the recording in it");
/// What helps with files of Python objects.
pub(crate) const PICKLE: Option<&str> = Some(
    "reading it would run the code in it: load it in Python and save the events with numpy.savez",
);
const VIDEO: Option<&str> =
    Some("a video has images and no events; the recording of events is another file");

/// With the feature, the only files that reach this are MATLAB files without the HDF5 signature.
const HDF5: Option<&str> = Some(if cfg!(feature = "hdf5") {
    "the HDF5 data at byte 512 is missing: the file is truncated or damaged"
} else {
    "this build cannot read HDF5: build it with the feature `hdf5`"
});

const IMAGE: Option<&str> =
    Some("an image of a camera has no events; the recording of events is another file");

/// Files that are certainly no recordings.
const FOREIGN: &[Foreign] = &[
    ("a PNG image", |head| head.starts_with(b"\x89PNG"), IMAGE),
    ("a JPEG image", |head| head.starts_with(b"\xff\xd8\xff"), IMAGE),
    ("a GIF image", |head| head.starts_with(b"GIF8"), IMAGE),
    ("a TIFF image", |head| head.starts_with(b"II*\0") || head.starts_with(b"MM\0*"), IMAGE),
    (
        "a BMP image",
        |head| head.starts_with(b"BM") && head.bytes.get(6..10) == Some(&[0; 4]),
        IMAGE,
    ),
    ("a program (ELF)", |head| head.starts_with(b"\x7fELF"), None),
    ("a gzip file", |head| head.starts_with(b"\x1f\x8b"), None),
    ("a PDF document", |head| head.starts_with(b"%PDF"), None),
    ("zeros", |head| !head.bytes.is_empty() && head.bytes.iter().all(|&byte| byte == 0), None),
    (
        "text",
        |head| {
            head.bytes.iter().all(|&b| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..))
        },
        None,
    ),
];

/// The name of a format that is recognised but not read, and what helps.
pub(crate) fn known_but_unsupported(
    head: &FileHead,
) -> Option<(&'static str, Option<&'static str>)> {
    UNSUPPORTED.iter().find(|(_, detect, _)| detect(head)).map(|&(name, _, help)| (name, help))
}

/// Whether the file does not begin with the signature of any known format.
pub(crate) fn is_unknown(head: &FileHead) -> bool {
    known_but_unsupported(head).is_none() && !FOREIGN.iter().any(|(_, detect, _)| detect(head))
}

/// The kind of file that this probably is, if it is not an event recording, and what helps.
pub(crate) fn best_guess(head: &FileHead) -> (&'static str, Option<&'static str>) {
    let found = FOREIGN.iter().find(|(_, detect, _)| detect(head));
    found.map_or(("binary data", None), |&(name, _, help)| (name, help))
}

/// Extensions of recordings in formats that are not read. Their contents may be damaged, so that they are
/// not recognised.
const UNSUPPORTED_EXTENSIONS: &[&str] = &["db3"];
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
    if let Some((_, help)) = known_but_unsupported(head) {
        return help == VIDEO && !is_named_as_recording(name);
    }
    let kind = FOREIGN.iter().find(|(_, detect, _)| detect(head)).map(|&(name, ..)| name);
    // Extensions that recordings share with other files.
    let is_text_name = ["csv", "txt"].contains(&&*head.extension);
    let is_shared = is_text_name || ["bin", "dat", "raw"].contains(&&*head.extension);
    match kind {
        Some("text") => (is_text_name || !is_named_as_recording(name)) && is_prose(&head.bytes),
        Some("zeros" | "a gzip file") | None => !is_named_as_recording(name),
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

/// Whether the file begins with a matrix of MATLAB 4: its type, rows, columns, whether it is complex, and the
/// length of its name, which ends with a zero. Files of this version have no signature.
fn is_matlab4(head: &FileHead) -> bool {
    let Some((numbers, rest)) = head.bytes.split_first_chunk::<20>() else { return false };
    let number = |i: usize| {
        let bytes = numbers[4 * i..].first_chunk().copied().unwrap_or_default();
        // The type is below 5000, and says by its thousands that the file is big-endian.
        if numbers[2..4] == [0, 0] { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
    };
    let [kind, rows, columns, complex, length] = [0, 1, 2, 3, 4].map(number);
    let is_kind = kind / 1000 <= 1 && kind / 100 % 10 == 0 && kind / 10 % 10 <= 5 && kind % 10 <= 2;
    let name = usize::try_from(length).ok().and_then(|length| rest.get(..length));
    let is_name = name.and_then(<[u8]>::split_last).is_some_and(|(end, name)| {
        let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        *end == 0 && !name.is_empty() && name.iter().all(is_letter)
    });
    head.extension == "mat" && is_kind && rows > 0 && columns > 0 && complex <= 1 && is_name
}

/// Whether the first bytes contain one of `words`, as the names of the members of an archive.
fn names(head: &FileHead, words: &[&str]) -> bool {
    words.iter().any(|word| head.bytes.windows(word.len()).any(|bytes| bytes == word.as_bytes()))
}

/// Whether the file begins as a page of HTML does, with its tags or a comment, or is the answer of a server
/// in XML that a file is not there.
fn is_html(head: &FileHead) -> bool {
    const TAGS: [&[u8]; 4] = [b"<!doctype html", b"<html", b"<head", b"<!-- html"];
    let bytes = head.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head.bytes).trim_ascii_start();
    let begins =
        |tag: &&[u8]| bytes.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
    TAGS.iter().any(begins) || (bytes.starts_with(b"<?xml") && names(head, &["<html", "<Error>"]))
}
