//! A file that shrinks while it is read gives an error with its offset, never a signal, and its
//! reader makes no other program wait.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use liaf_data::io::{ByteSource, MapChoice};
use liaf_data::{ErrorKind, EventBatch, EventSink, ReadOptions, Recording, Result};

const RECORDS: u64 = 1 << 20;
const HEADER: &[u8] = b"#!AER-DAT2.0\r\n# AEChip: DVS128\r\n";

/// An 8 MB recording of DVS128 words.
fn recording(folder: &tempfile::TempDir) -> PathBuf {
    let path = folder.path().join("long.aedat");
    let mut bytes = HEADER.to_vec();
    for i in 0..RECORDS as u32 {
        bytes.extend((i & 0x7fff).to_be_bytes());
        bytes.extend(i.to_be_bytes());
    }
    fs::write(&path, bytes).unwrap();
    path
}

fn truncate(path: &Path, len: u64) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(len).unwrap();
}

fn is_mapped(path: &Path) -> bool {
    let mapped = ByteSource::open(path, MapChoice::LEASED).unwrap().access() == "mapped";
    if !mapped {
        eprintln!("skipped: no lease is granted on {}", path.display());
    }
    mapped
}

fn options(map: MapChoice) -> ReadOptions {
    ReadOptions { map, ..ReadOptions::default() }
}

#[test]
fn an_idle_reader_lets_go_and_then_says_where_the_file_ends() {
    let folder = tempfile::tempdir().unwrap();
    for map in [MapChoice::LEASED, MapChoice::NEVER] {
        let path = recording(&folder);
        let mut reader = Recording::open(&path, options(map)).unwrap().reader().unwrap();
        let mut batch = EventBatch::new();
        assert!(reader.read_into(&mut batch, 1000).unwrap() > 0);
        let start = Instant::now();
        truncate(&path, 4096);
        assert!(start.elapsed() < Duration::from_secs(10), "truncating had to wait");
        let error = loop {
            match reader.read_into(&mut batch, 100_000) {
                Ok(0) => panic!("the end was reached"),
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::Truncated, "{error}");
        assert_eq!(error.path(), Some(&*path));
        assert!(error.offset().is_some_and(|offset| offset >= 4096), "{error}");
    }
}

/// Asks for the file to be truncated in the middle of a slice.
struct Truncating<'a> {
    path: &'a Path,
    events: usize,
    truncated: Option<mpsc::Receiver<Duration>>,
}

impl EventSink for Truncating<'_> {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        // The events are read after the other program asked; the map must still be there.
        self.events += events.len();
        if self.truncated.is_none() {
            let (sender, receiver) = mpsc::channel();
            let path = self.path.to_path_buf();
            thread::spawn(move || {
                let start = Instant::now();
                truncate(&path, 4096);
                let _ = sender.send(start.elapsed());
            });
            thread::sleep(Duration::from_millis(100));
            self.truncated = Some(receiver);
        }
        Ok(())
    }
}

#[test]
fn a_busy_reader_finishes_its_slice_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = recording(&folder);
    if !is_mapped(&path) {
        return;
    }
    let mut reader = Recording::open(&path, options(MapChoice::LEASED)).unwrap().reader().unwrap();
    let mut sink = Truncating { path: &path, events: 0, truncated: None };
    reader.pump(&mut sink).unwrap();
    let waited = sink.truncated.take().unwrap().recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(waited >= Duration::from_millis(90), "the slice was in use, yet nobody waited");
    assert!(sink.events > 10_000);
    sink.truncated = Some(mpsc::channel().1);
    let error = loop {
        match reader.pump(&mut sink) {
            Ok(true) => {}
            Ok(false) => panic!("the end was reached"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Truncated, "{error}");
    let notes = reader.report().notes;
    assert!(notes.iter().any(|note| note.text.contains("another program")), "{notes:?}");
}

#[test]
fn a_file_that_somebody_writes_is_read_not_mapped() {
    let folder = tempfile::tempdir().unwrap();
    let path = recording(&folder);
    let _writer = OpenOptions::new().append(true).open(&path).unwrap();
    assert_eq!(ByteSource::open(&path, MapChoice::LEASED).unwrap().access(), "read");
    let events = Recording::open(&path, ReadOptions::default()).unwrap().read_all().unwrap();
    assert_eq!(events.len() as u64, RECORDS);
}

#[test]
fn a_file_that_grows_is_read_to_its_old_end_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = recording(&folder);
    let mut reader = Recording::open(&path, options(MapChoice::NEVER)).unwrap().reader().unwrap();
    let mut events = EventBatch::new();
    reader.read_into(&mut events, 10).unwrap();
    truncate(&path, 2 * RECORDS * 8);
    let mut rest = EventBatch::new();
    while reader.read_into(&mut rest, 1 << 20).unwrap() > 0 {}
    assert_eq!(reader.report().events, RECORDS);
    let notes = reader.report().notes;
    assert!(notes.iter().any(|note| note.text.contains("bytes while it was read")), "{notes:?}");
}

/// A program that opens the file for writing and does not want to wait is told to come again, which
/// `docs/reliability.md` says; the reader lets go at once, so that the next attempt succeeds.
#[test]
#[cfg(target_os = "linux")]
fn a_writer_that_does_not_wait_is_turned_away_once() {
    use std::io::ErrorKind;
    use std::os::unix::fs::OpenOptionsExt;

    /// `O_NONBLOCK` of Linux on the processors that Rust programs run on most.
    const NONBLOCK: i32 = 0o4000;

    let folder = tempfile::tempdir().unwrap();
    let path = recording(&folder);
    if !is_mapped(&path) {
        return;
    }
    let mut reader = Recording::open(&path, options(MapChoice::LEASED)).unwrap().reader().unwrap();
    let mut batch = EventBatch::new();
    assert!(reader.read_into(&mut batch, 1000).unwrap() > 0);
    let open = || OpenOptions::new().write(true).custom_flags(NONBLOCK).open(&path);
    assert_eq!(open().unwrap_err().kind(), ErrorKind::WouldBlock);
    // Readers are not turned away.
    OpenOptions::new().read(true).custom_flags(NONBLOCK).open(&path).unwrap();
    let begun = Instant::now();
    while let Err(error) = open() {
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        assert!(begun.elapsed() < Duration::from_secs(10), "the reader did not let go");
        thread::sleep(Duration::from_millis(1));
    }
    while reader.read_into(&mut batch, 1 << 20).unwrap() > 0 {}
    assert_eq!(reader.report().events, RECORDS);
}
