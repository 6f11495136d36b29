//! What must hold of any bytes whatever, asked of every reader.
//!
//! | target | input | must hold |
//! |---|---|---|
//! | `probe_any` | a whole file | an error with its place, or events and an account that adds up |
//! | `decode_<format>` | what follows a sound header | the same; a strict reader stops or finds the same events; frames, inertial readings and triggers are accounted for |
//! | `chunking_<format>` | the same | whole = byte by byte = odd pieces = two threads: events, report and error |
//! | `decode_packed` | a packed file | the same for what is unpacked, from memory and from a pipe; no more than the limit |
//! | `read_tensors` | a whole tensor file | an error, or tensors as large as their shapes say |
//! | `round_trip_<format>` | events | what was written reads back as the same events |

#[cfg(feature = "hdf5")]
pub mod hdf5;
#[cfg(feature = "libhdf5")]
mod libhdf5;
mod targets;

use std::num::NonZeroUsize;

use liaf_data::io::ByteSource;
use liaf_data::model::StreamKind;
use liaf_data::options::StreamChoice;
use liaf_data::tensor::TensorFile;
use liaf_data::write::{self, Compression, EventSpec, EventStats, Target, WriteOptions};
use liaf_data::{Event, EventBatch, Format, Limits, ReadOptions, Recording, Report, SensorSize};

pub use targets::run;

/// What a reader makes of some bytes: the events in front of an error, the report, the error.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    /// All events that were given.
    pub events: EventBatch,
    /// What was met; `None` if the header was refused.
    pub report: Option<Report>,
    /// What went wrong.
    pub error: Option<String>,
}

fn options(format: Option<&str>) -> ReadOptions {
    let format = format.map(|name| Format::named(name).expect("a format of this name"));
    // A stated size, so that no file is read twice to find it out.
    ReadOptions { format, sensor: Some(SensorSize::new(346, 260)), ..ReadOptions::default() }
}

/// Reads `bytes` to the end or to the first error.
pub fn read(bytes: &[u8], options: ReadOptions) -> Outcome {
    let mut outcome = Outcome { events: EventBatch::new(), report: None, error: None };
    let opened = Recording::from_bytes(bytes, options).and_then(|mut r| r.reader());
    let mut reader = match opened {
        Ok(reader) => reader,
        Err(error) => {
            // Offsets in what is unpacked may be larger.
            let most = if is_packed(bytes) { u64::MAX } else { bytes.len() as u64 + 1 };
            let place = error.offset().is_some_and(|at| at <= most);
            let text = error.to_string();
            // What only the user can say is not at one place of the file.
            let is_asked = ["stream", "name the columns"].iter().any(|words| text.contains(words));
            assert!(place || is_asked, "no place in: {text}");
            return Outcome { error: Some(text), ..outcome };
        }
    };
    loop {
        match reader.pump(&mut outcome.events) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                outcome.error = Some(error.to_string());
                break;
            }
        }
    }
    outcome.report = Some(reader.report());
    outcome
}

/// Whether the file may be unpacked, so that its size is not that of the recording in it.
fn is_packed(bytes: &[u8]) -> bool {
    [&b"\x1f\x8b\x08"[..], b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"BZh", b"PK\x03\x04"]
        .iter()
        .any(|magic| bytes.starts_with(magic))
        || bytes.get(1..4) == Some(b"\x2a\x4d\x18")
}

/// Reads a packed file: the same from memory and from a pipe, whole and in pieces, within the limits.
pub fn packed(bytes: &[u8]) {
    const MOST: u64 = 1 << 20;
    let limits = Limits { unpacked_bytes: MOST, window_bytes: 1 << 20, ..Limits::default() };
    let options = ReadOptions { limits, ..options(Some("CSV")) };
    let whole = read(bytes, options.clone());
    if let Some(report) = &whole.report {
        assert!(report.bytes.total() <= MOST, "{:?}", report.bytes);
        assert_eq!(report.events, whole.events.len() as u64);
    }
    let cut = read(bytes, ReadOptions { step: NonZeroUsize::new(7), ..options.clone() });
    assert_eq!(cut, whole, "in pieces of 7 bytes");
    let strict = read(bytes, ReadOptions { strict: true, ..options.clone() });
    if strict.error.is_none() {
        assert_eq!(strict.events, whole.events, "strict and lenient differ without an error");
    }
    let pipe = std::io::Cursor::new(bytes.to_vec());
    let mut events = EventBatch::new();
    let piped = Recording::from_reader(pipe, options).and_then(|mut recording| recording.reader());
    if let (Ok(mut reader), true) = (piped, whole.error.is_none()) {
        reader.read_to_end(&mut events).expect("what memory gives, a pipe gives");
        assert_eq!(events, whole.events, "through a pipe");
    }
}

/// Reads a header and what follows as a user would, and strictly: no panic, and every byte and event
/// accounted for. `format` is stated where no header tells it.
pub fn decode(format: Option<&str>, header: &[u8], data: &[u8]) {
    let bytes = [header, data].concat();
    let lenient = read(&bytes, options(format));
    if let (Some(report), None) = (&lenient.report, &lenient.error) {
        let total = report.bytes.total();
        assert!(total == bytes.len() as u64 || is_packed(&bytes), "{:?}", report.bytes);
        assert_eq!(report.events, lenient.events.len() as u64);
    }
    let strict = read(&bytes, ReadOptions { strict: true, ..options(format) });
    if strict.error.is_none() {
        assert_eq!(strict.events, lenient.events, "strict and lenient differ without an error");
    }
    measurements(format, &bytes);
}

/// Reads a recording in HDF5 as `decode` does, and on several threads: the same.
#[cfg(feature = "hdf5")]
pub fn decode_hdf5(bytes: &[u8]) {
    decode(None, &[], bytes);
    let one = read(bytes, ReadOptions { parallel: false, ..options(None) });
    let many = read(bytes, ReadOptions { parallel: true, ..options(None) });
    assert_eq!(one, many, "on several threads");
}

/// Reads what else there is: every byte is accounted for.
fn measurements(format: Option<&str>, bytes: &[u8]) {
    let Ok(recording) = Recording::from_bytes(bytes, options(format)) else { return };
    for stream in recording.info().streams.clone() {
        if matches!(stream.kind, StreamKind::Events | StreamKind::Other) {
            continue;
        }
        let stream = Some(StreamChoice::Id(stream.id));
        let options = ReadOptions { stream, ..options(format) };
        let Ok(mut recording) = Recording::from_bytes(bytes, options) else { continue };
        let Ok(mut reader) = recording.measurements() else { continue };
        if reader.by_ref().all(|measurement| measurement.is_ok()) {
            let report = reader.report();
            let total = report.bytes.total();
            assert!(total == bytes.len() as u64 || is_packed(bytes), "{:?}", report.bytes);
        }
    }
}

/// Reads whole, in pieces and on several threads: the same each time.
pub fn chunking(format: Option<&str>, header: &[u8], data: &[u8]) {
    let bytes = [header, data].concat();
    let whole = read(&bytes, options(format));
    for step in [1, 7, 4096] {
        let cut = read(&bytes, ReadOptions { step: NonZeroUsize::new(step), ..options(format) });
        assert_eq!(cut, whole, "in pieces of {step} bytes");
    }
    let parallel = read(&bytes, ReadOptions { parallel: true, ..options(format) });
    assert_eq!(parallel, whole, "on several threads");
}

/// Decodes one ECF chunk of a Prophesee HDF5 file: no more events than its header says.
pub fn ecf(chunk: &[u8]) {
    let mut events = EventBatch::new();
    if liaf_data::formats::decode_ecf_chunk(chunk, &mut events).is_ok() {
        let count = chunk.first_chunk().map_or(0, |head| u32::from_le_bytes(*head) >> 2);
        assert_eq!(events.len(), count as usize);
    }
}

/// Reads all tensors of a file: each is as large as its shape says.
pub fn tensors(bytes: &[u8]) {
    // A limit that a small input can reach.
    let limits = Limits { held_bytes: 1 << 20, ..Limits::default() };
    let Ok(file) = TensorFile::from_source(ByteSource::from_bytes(bytes), &limits) else { return };
    for name in file.names() {
        let Ok(tensor) = file.get(name) else { continue };
        let info = file.info(name).expect("what can be read is described");
        assert_eq!((info.dtype, info.shape.as_slice()), (tensor.dtype(), tensor.shape()));
        let elements: usize = tensor.shape().iter().product();
        assert_eq!(tensor.bytes().len(), elements * tensor.dtype().bytes());
    }
    if let Ok(frames) = file.frames() {
        assert_eq!(frames.cells(0..frames.len()).len(), frames.len() * frames.shape().cells());
    }
}

/// Writes events in a kind of event file and reads them back: the same, or refused before a byte is
/// written. Each 8 bytes of `data` are an event: a step in time, x, y and polarity.
pub fn round_trip(target: &str, data: &[u8]) {
    // Without a header to tell it by, the format is stated.
    let format = (target == "atis-bin").then_some("ATIS bin");
    let target = write::target(target).expect("a target of this name");
    let sensor = SensorSize::new(346, 260);
    let mut t = 0i64;
    let mut events: EventBatch = data
        .as_chunks::<8>()
        .0
        .iter()
        .map(|&[a, b, c, x0, x1, y0, y1, p]| {
            t += i64::from(i32::from_le_bytes([0, a, b, c]) >> 8);
            let x = u16::from_le_bytes([x0, x1]) % sensor.width;
            let y = u16::from_le_bytes([y0, y1]) % sensor.height;
            Event { t, x, y, p: p & 1 }
        })
        .collect();
    let holds = &target.capabilities;
    events.retain(|event| event.x <= holds.x_max && event.y <= holds.y_max);
    let mut stats = EventStats::default();
    stats.add(&events);
    let spec = EventSpec { stats: Some(stats), ..EventSpec::new(sensor) };
    if target.check(&stats, false).is_err() {
        return;
    }
    // In the first compression and, where there are more, in one that the events choose.
    let other = target.compressions.get(data.len() % target.compressions.len().max(1)).copied();
    for compression in [None, other] {
        let file = written(target, &spec, compression, &events);
        let read = read(&file, options(format));
        assert_eq!(read.error, None);
        assert_eq!(read.events, events);
    }
}

/// The bytes of a file of these events, which come in two batches.
fn written(
    target: &'static Target,
    spec: &EventSpec,
    compression: Option<Compression>,
    events: &EventBatch,
) -> Vec<u8> {
    let write =
        WriteOptions { compression, overwrite: true, sync: false, ..WriteOptions::default() };
    let mut batches = [EventBatch::new(), EventBatch::new()];
    let half = events.len() / 2;
    batches[0].extend_from(&events[..half]);
    batches[1].extend_from(&events[half..]);
    let Ok(mut encoder) = write::encoder(target, spec, &write) else {
        // A container, which is a file.
        let name = format!("liaf-fuzz-{}.{}", std::process::id(), target.extension);
        let path = std::env::temp_dir().join(name);
        let mut writer = write::create(&path, target, spec, &write).expect("a writer");
        batches.iter().for_each(|batch| writer.write(batch).expect("what it holds is written"));
        writer.finish().expect("what it holds is written");
        let bytes = std::fs::read(&path).expect("the file");
        std::fs::remove_file(path).expect("the file");
        return bytes;
    };
    let mut file = Vec::new();
    encoder.start(&mut file).expect("memory takes all");
    batches.iter().for_each(|batch| encoder.push(batch, &mut file).expect("memory takes all"));
    encoder.finish(&mut file).expect("memory takes all");
    file
}
