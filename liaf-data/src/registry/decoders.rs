//! Properties that the decoders of all formats must have, checked on all bundled recordings, good and
//! bad.

use std::path::{Path, PathBuf};

use crate::codec::{
    Body, Checkpoint, Decoder, EventSink, Format, Opened, ReadOptions, StreamChoice,
};
use crate::error::Result;
use crate::fixtures;
use crate::io::ByteSource;
use crate::model::{EventBatch, Measurement, Report};
use crate::read::Recording;

/// A size that is not a multiple of the size of any record.
const PIECE: usize = 997;

/// Everything that a decoder returns.
#[derive(Debug, Default, PartialEq)]
struct Given {
    events: EventBatch,
    measurements: Vec<String>,
    /// For each change of the stream: its number, and the index of its first event.
    streams: Vec<(i32, usize)>,
    report: Report,
    stream_reports: Vec<Option<Report>>,
    error: Option<String>,
}

impl EventSink for Given {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        self.events.extend_from(&events[..]);
        Ok(())
    }

    fn stream(&mut self, stream: i32) {
        if self.streams.last().is_none_or(|&(last, _)| last != stream) {
            self.streams.push((stream, self.events.len()));
        }
    }

    fn measurement(&mut self, measurement: Measurement, offset: u64) -> Result<()> {
        self.measurements.push(format!("{offset}: {measurement:?}"));
        Ok(())
    }
}

fn decode(decoder: &mut dyn Decoder, bytes: &[u8]) -> Given {
    let mut given = Given::default();
    let mut pieces = bytes.chunks(PIECE);
    let result = pieces.try_for_each(|piece| decoder.push(piece, &mut given));
    let result = result.and_then(|()| decoder.finish(&mut given));
    given.error = result.err().map(|error| error.to_string());
    given.report = decoder.report().clone();
    given.stream_reports = (0..4).map(|stream| decoder.stream_report(stream)).collect();
    given
}

/// The bundled recordings whose header is sound, with their formats.
fn recordings(fixtures: &Path) -> Vec<(PathBuf, &'static Format)> {
    fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, paths) } else { paths.push(path) }
        }
    }
    let mut paths = Vec::new();
    for kind in ["good", "bad"] {
        walk(&fixtures.join(kind), &mut paths);
    }
    paths.sort();
    // HDF5 is not decoded as a stream of bytes.
    paths.retain(|path| !path.to_string_lossy().contains("/hdf5/"));
    let format = |path: &Path| {
        let recording = Recording::open(path, ReadOptions::default()).ok()?;
        Format::named(recording.info().format).ok()
    };
    paths.into_iter().filter_map(|path| format(&path).map(|format| (path, format))).collect()
}

/// A recording's decoder, and the offset of its data.
fn open(path: &Path, format: &Format, options: &ReadOptions) -> Option<(Box<dyn Decoder>, u64)> {
    let mut source = ByteSource::open(path, options.map).unwrap();
    let Opened { body, data_offset, .. } = (format.open)(&mut source, options).ok()?;
    match body {
        Body::Stream(decoder, _) => Some((decoder, data_offset)),
        Body::Blocks(_) => None,
    }
}

/// Every stream of every recording in both modes, and on one and on several threads.
fn every_decoder(
    fixtures: &Path,
    mut check: impl FnMut(&str, &dyn Fn() -> Box<dyn Decoder>, &[u8], u64),
) {
    let mut checked = 0;
    for (path, format) in recordings(fixtures) {
        let streams =
            Recording::open(&path, ReadOptions::default()).unwrap().info().streams.clone();
        let bytes = std::fs::read(&path).unwrap();
        for stream in streams {
            for (strict, parallel) in [(false, false), (false, true), (true, false), (true, true)] {
                let stream = Some(StreamChoice::Id(stream.id));
                let options = ReadOptions { stream, strict, parallel, ..ReadOptions::default() };
                let Some((_, start)) = open(&path, format, &options) else { continue };
                let make = || open(&path, format, &options).unwrap().0;
                let what = format!("{} {options:?}", path.display());
                check(&what, &make, &bytes[start as usize..], start);
                checked += 1;
            }
        }
    }
    assert!(checked > 200, "only {checked}");
}

#[test]
fn a_decoder_that_is_reset_is_as_new() {
    let Some(fixtures) = fixtures::folder() else { return };
    every_decoder(&fixtures, |what, make, data, _| {
        let header = make().report().clone();
        let fresh = decode(&mut *make(), data);
        let mut decoder = make();
        for part in [data.len(), data.len() / 2, data.len() / 3, 1] {
            let mut given = Given::default();
            let mut pieces = data[..part.min(data.len())].chunks(PIECE);
            let _ = pieces.try_for_each(|piece| decoder.push(piece, &mut given));
            if part == data.len() {
                let _ = decoder.finish(&mut given);
            }
            decoder.reset();
            assert_eq!(*decoder.report(), header, "{what}");
            let again = decode(&mut *decoder, data);
            assert!(again == fresh, "{what}: {:?} {:?}", again.report, fresh.report);
            decoder.reset();
        }
    });
}

#[test]
fn a_used_decoder_resumes_as_a_fresh_one() {
    let Some(fixtures) = fixtures::folder() else { return };
    let mut resumed = 0;
    every_decoder(&fixtures, |what, make, data, start| {
        let mut checkpoints: Vec<Checkpoint> = Vec::new();
        let (mut decoder, mut given) = (make(), Given::default());
        for piece in data.chunks(PIECE.max(data.len() / 5)) {
            if decoder.push(piece, &mut given).is_err() {
                break;
            }
            checkpoints.extend(decoder.checkpoint());
        }
        for checkpoint in checkpoints {
            let rest = &data[(checkpoint.offset - start) as usize..];
            let mut fresh = make();
            let (is_fresh, is_used) = (fresh.resume(&checkpoint), decoder.resume(&checkpoint));
            assert_eq!(is_fresh.is_ok(), is_used.is_ok(), "{what}");
            if is_fresh.is_ok() {
                assert!(decode(&mut *decoder, rest) == decode(&mut *fresh, rest), "{what}");
                resumed += 1;
            }
        }
    });
    assert!(resumed > 500, "only {resumed}");
}
