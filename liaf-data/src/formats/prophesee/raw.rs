//! Opening RAW files with words of any encoding.

use std::collections::BTreeMap;

use super::{Header, KEYS, triggers};
use crate::codec::{Body, Detection, FileHead, Opened, ReadOptions, TimeShift, choose};
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::model::{Finding, Note, RecordingInfo, Report, SensorSize, SensorSource};

/// How far the first `TIME_HIGH` is searched.
const LOOK: usize = 1 << 20;

/// Whether the header says that the words have this encoding, as in `EVT3`. If the first line of
/// the header is damaged, the header may be in any file.
pub(crate) fn detect(head: &FileHead, encoding: &str) -> Detection {
    // The available part of the header is enough to recognise the encoding, even if its end is
    // missing.
    let header = Header::parse(&head.bytes, true).ok().flatten();
    let is_encoded = header.and_then(|header| header.encoding()).as_deref() == Some(encoding);
    match (is_encoded, head.starts_with(b"% ")) {
        (false, _) => Detection::No,
        (true, true) => Detection::Magic,
        (true, false) => Detection::Maybe,
    }
}

/// The header of a file of words: version and name of the encoding, as in `3.0` and `EVT3`, and the
/// order of the halves of a word, for encodings that have two orders.
pub(crate) fn raw_header(
    version: &str,
    name: &str,
    endianness: Option<&str>,
    sensor: SensorSize,
) -> String {
    let SensorSize { width, height } = sensor;
    // The order is stored in both places, because readers differ in where they look for it.
    let (part, line) = endianness.map_or(Default::default(), |order| {
        (format!(";endianness={order}"), format!("% endianness {order}\n"))
    });
    format!(
        "% evt {version}\n% format {name}{part};height={height};width={width}\n{line}\
         % geometry {width}x{height}\n% end\n"
    )
}

/// Where the words start, and what precedes them.
pub(crate) struct Start<'a> {
    pub header: &'a Header,
    pub offset: u64,
    pub report: Report,
    /// The first words, if they are needed to find the shift of times.
    pub words: Vec<u8>,
}

/// Reads the header. `body` makes the decoder for the words after it.
pub(crate) fn open(
    source: &mut ByteSource,
    options: &ReadOptions,
    format: &'static str,
    bytes_per_event: f64,
    body: impl FnOnce(Start<'_>) -> Result<Body>,
) -> Result<Opened> {
    let mut header = Header::read(source, options)?;
    let mut report = Report::default();
    report.bytes.header = header.end;
    if header.cut > 0 {
        report.bytes.skipped = header.cut;
        report.add(Finding::TruncatedTails, 1, header.end);
        if options.strict {
            return Err(Error::truncated("the file ends inside a header line").at(header.end));
        }
    }
    let (sensor, sensor_source) = match options.sensor {
        Some(stated) => (Some(stated), SensorSource::Stated),
        None => match (header.geometry()?, header.device()) {
            (Some(stated), _) => (Some(stated), SensorSource::Header),
            (None, Some(known)) => (Some(known), SensorSource::Device),
            (None, None) => (None, SensorSource::Unknown),
        },
    };
    let offset = header.end + header.cut;
    let words = match options.evt.time_shift {
        TimeShift::None => Vec::new(),
        TimeShift::OpenEb => {
            let head = source.head(offset as usize + LOOK)?;
            head.get(offset as usize..).unwrap_or_default().to_vec()
        }
    };
    let body = body(Start { header: &header, offset, report, words })?;
    let mut details = BTreeMap::new();
    for &key in KEYS {
        if let Some(value) = header.value(key) {
            details.insert(key, value.to_owned());
        }
    }
    let streams = triggers::streams(sensor);
    let info = RecordingInfo {
        format,
        bytes: source.len(),
        sensor,
        sensor_source,
        stream: choose(streams.iter(), options.stream.as_ref())?,
        streams,
        details,
        notes: header.notes.into_iter().map(Note::from).collect(),
    };
    Ok(Opened { bytes_per_event, ..Opened::new(info, body, offset, options) })
}
