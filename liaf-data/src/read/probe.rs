//! Detection of the format of a file by its first bytes. The name of the file matters only for formats
//! without a signature at the beginning.

use std::path::Path;

use crate::codec::{Detection, FileHead, Format, ReadOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::hint::Hint;
use crate::io::ByteSource;
use crate::registry::FORMATS;
use crate::unsupported::{best_guess, is_surely_other, is_unknown, known_but_unsupported};

/// Returns the format of a source, and how certain it is. A stated format is used if its files may start
/// with data immediately, if this source starts like one of its files, or if the offset of its data is
/// stated as well.
///
/// # Errors
/// [`ErrorKind::Empty`] for an empty file; [`ErrorKind::Unsupported`], with the best guess and the
/// list of supported formats, for any other format.
pub(super) fn probe(
    source: &mut ByteSource,
    options: &ReadOptions,
) -> Result<(&'static Format, Detection)> {
    let stated = options.format;
    let mut head = FileHead {
        bytes: source.head(FileHead::BYTES)?,
        len: source.len(),
        extension: extension(source.name()),
        stated: stated.is_some(),
        is_unknown: false,
    };
    head.is_unknown = is_unknown(&head);
    if head.bytes.is_empty() {
        return Err(Error::new(ErrorKind::Empty, "empty file")
            .at(0)
            .expected("an event recording"));
    }
    if let Some(format) = stated {
        if (format.detect)(&head) != Detection::No {
            return Ok((takes_offset(format, options)?, Detection::Magic));
        }
        if options.data_offset.is_some() && DATA_ANYWHERE.contains(&format.name) {
            return Ok((format, Detection::Magic));
        }
        return Err(Error::malformed(format!("the file is not {}", format.name))
            .at(0)
            .found(known_but_unsupported(&head).unwrap_or_else(|| best_guess(&head)).0));
    }
    let unsupported = known_but_unsupported(&head);
    for wanted in [Detection::Magic, Detection::Maybe] {
        // Text of any kind may be CSV, unless it is known to be something else.
        if wanted == Detection::Maybe && unsupported.is_some() && !head.starts_with(b"% ") {
            break;
        }
        let mut found = FORMATS.iter().filter(|format| (format.detect)(&head) == wanted);
        match (found.next(), found.next()) {
            (None, _) => {}
            (Some(format), None) => return Ok((takes_offset(format, options)?, wanted)),
            (Some(one), Some(other)) => return Err(ambiguous(one, other)),
        }
    }
    if is_cut_magic(&head.bytes) {
        return Err(Error::truncated("the file ends inside its first line")
            .at(0)
            .found(format!("{} bytes", head.bytes.len())));
    }
    let names: Vec<_> = FORMATS.iter().map(|format| format.name).collect();
    let read = format!("supported formats are {}", names.join(", "));
    Err(match unsupported {
        Some((name, help)) => Error::unsupported(format!("{name}: recognised, but not supported"))
            .at(0)
            .advice(help.map_or(read, str::to_owned))
            .not_a_recording(is_surely_other(&head, source.path().unwrap_or(Path::new("")))),
        None => {
            let (guess, help) = best_guess(&head);
            Error::unsupported("not an event recording of a supported format")
                .at(0)
                .found(format!("what looks like {guess}"))
                .advice(help.map_or(read, str::to_owned))
                .not_a_recording(is_surely_other(&head, source.path().unwrap_or(Path::new(""))))
        }
    })
}

/// The formats whose data may begin at any offset: records or words without a length.
const DATA_ANYWHERE: [&str; 8] =
    ["AEDAT 1.0", "AEDAT 2.0", "AEDAT 3", "EVT 2.0", "EVT 2.1", "EVT 3.0", "DAT", "ATIS bin"];

/// The format, unless it cannot begin at the offset that the options state.
fn takes_offset(format: &'static Format, options: &ReadOptions) -> Result<&'static Format> {
    if options.data_offset.is_none() || DATA_ANYWHERE.contains(&format.name) {
        return Ok(format);
    }
    Err(Error::caller(format!("{} has no data offset that can be stated", format.name))
        .expected(DATA_ANYWHERE.join(", ")))
}

/// The error for a file that may be of either of two formats, between which the caller has to choose.
fn ambiguous(one: &Format, other: &Format) -> Error {
    Error::caller("the format cannot be determined from the file")
        .found(format!("contents that may be {} or {}", one.name, other.name))
        .hint(Hint::StateFormat { names: vec![one.name.into(), other.name.into()] })
}

fn extension(path: Option<&Path>) -> String {
    let extension = path.and_then(Path::extension).unwrap_or_default();
    extension.to_string_lossy().to_lowercase()
}

/// Whether the file ends within the first line of a recording, of which these bytes are the beginning.
fn is_cut_magic(bytes: &[u8]) -> bool {
    let aedat = [&b"#!AER-DAT4.0\r\n"[..], b"#!AER-DAT3.", b"#!AER-DAT2.", b"#!AER-DAT1."];
    let others = [&b"% "[..], b"Event Stream"];
    aedat.iter().chain(&others).any(|magic| magic.starts_with(bytes))
}
