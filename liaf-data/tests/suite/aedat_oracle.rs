//! AEDAT 4.0 recordings against the crate `aedat`, a decoder by other people that shares no code
//! with ours: FlatBuffers' own accessors, the LZ4 and ZSTD libraries, and another XML parser.
#![allow(
    clippy::unwrap_used,
    clippy::single_element_loop,
    reason = "a test says what it expects by unwrapping it, and its table may have one row"
)]

use crate::common;

use std::path::{Path, PathBuf};
use std::process::Command;

use aedat::base::{Decoder, ParseError};
use aedat::events_generated::size_prefixed_root_as_event_packet;
use liaf_data::model::StreamKind;
use liaf_data::options::StreamChoice;
use liaf_data::{EventBatch, ReadOptions, Recording};

/// Events of the recording in the crate's package.
const EVENTS: usize = 78_830;

/// The events of one stream as the crate has them.
fn theirs(path: &Path, stream: i32) -> Result<EventBatch, ParseError> {
    let mut events = EventBatch::new();
    for packet in Decoder::new_from_file(path)? {
        let packet = packet?;
        if packet.stream_id != stream as u32 {
            continue;
        }
        let packet = size_prefixed_root_as_event_packet(&packet.buffer)?;
        for event in packet.elements().into_iter().flatten() {
            events.push(liaf_data::Event {
                t: event.t(),
                x: event.x() as u16,
                y: event.y() as u16,
                p: u8::from(event.on()),
            });
        }
    }
    Ok(events)
}

/// Compares all event streams; returns how many events there are, or why the crate cannot read it.
fn compare(path: &Path) -> Result<usize, String> {
    let mut count = 0;
    let streams = Recording::open(path, ReadOptions::default()).unwrap().info().streams.clone();
    for stream in streams.iter().filter(|stream| stream.kind == StreamKind::Events) {
        let theirs = theirs(path, stream.id).map_err(|error| error.to_string())?;
        for parallel in [false, true] {
            let choice = Some(StreamChoice::Id(stream.id));
            let options = ReadOptions { stream: choice, parallel, ..ReadOptions::default() };
            let ours = Recording::open(path, options).unwrap().read_all().unwrap();
            let place = || ours.iter().zip(theirs.iter()).position(|(ours, theirs)| ours != theirs);
            let (name, id) = (path.display(), stream.id);
            assert_eq!(ours.len(), theirs.len(), "{name}, stream {id}");
            assert!(ours == theirs, "{name}, stream {id}: they differ at event {:?}", place());
        }
        count += theirs.len();
    }
    Ok(count)
}

fn recordings(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "aedat4"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn bundled_recordings_hold_the_events_that_another_decoder_reads() {
    let paths = recordings(&common::fixtures().join("good/aedat4"));
    assert!(paths.len() >= 10);
    for path in paths {
        if let Err(why) = compare(&path) {
            panic!("{}: {why}", path.display());
        }
    }
}

/// The folder of the crate's package, which comes with a recording of a DAVIS346.
fn package() -> Option<PathBuf> {
    let output = Command::new(std::env::var_os("CARGO")?)
        .args(["metadata", "--format-version", "1", "--offline", "--manifest-path"])
        .arg(common::root().join("Cargo.toml"))
        .output()
        .ok()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    let packages = metadata.get("packages")?.as_array()?;
    let package = packages.iter().find(|package| package["name"] == "aedat")?;
    Path::new(package["manifest_path"].as_str()?).parent().map(PathBuf::from)
}

#[test]
fn a_camera_s_recording_holds_the_events_that_another_decoder_reads() {
    let recording = package().map(|folder| folder.join("test_data.aedat4"));
    match recording.filter(|path| path.exists()) {
        Some(path) => assert_eq!(compare(&path), Ok(EVENTS)),
        None => eprintln!("skipped: the package of the crate `aedat` has no recording"),
    }
}

#[test]
fn real_recordings_hold_the_events_that_another_decoder_reads() {
    let Some(data) = common::shared_data() else { return };
    let mut compared = 0;
    for path in recordings(&data.join("aedat4")) {
        match compare(&path) {
            Ok(count) => compared += count,
            Err(why) => eprintln!("skipped: {}: {why}", path.display()),
        }
    }
    assert!(compared > 0);
}
