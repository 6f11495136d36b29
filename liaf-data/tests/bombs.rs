//! Small inputs that ask for much memory or time, and inputs that are no recordings at all.
#![allow(
    clippy::unwrap_used,
    clippy::single_element_loop,
    reason = "a test says what it expects by unwrapping it, and its table may have one row"
)]

mod common;

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use liaf_data::model::{Finding, Fingerprint};
use liaf_data::{Error, ErrorKind, EventBatch, Limits, ReadOptions, Recording, Report, Result};

const MIB: usize = 1 << 20;
/// No input here is larger than some MiB, so it must be done with within this time: of the clock, or of
/// the processor where other programs have it as well.
const SOON: Duration = Duration::from_secs(2);
/// What reading may take of anonymous memory beside the largest packet.
const ROOM: usize = 64 * MIB;

/// One test at a time, so that the others do not count as its memory and time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Processor time of this process; `None` where it is not told.
fn processor() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name of the program, which may hold spaces: fields 14 and 15, in 1/100 s.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (ticks()? + ticks()?)))
}

/// Anonymous memory of this process in bytes; 0 where it is not told.
fn anonymous() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
    kib.unwrap_or(0) * 1024
}

/// Runs `work`; it must be done soon and must not take more than `room` bytes at any time.
fn bounded<T>(what: &str, room: usize, work: impl FnOnce() -> T) -> T {
    let (before, start, busy) = (anonymous(), Instant::now(), processor());
    let done = std::sync::atomic::AtomicBool::new(false);
    let (result, peak) = thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut peak = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                peak = peak.max(anonymous());
                thread::sleep(Duration::from_millis(1));
            }
            peak
        });
        let result = work();
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        (result, watch.join().unwrap())
    });
    let busy = processor().zip(busy).map(|(after, before)| after.saturating_sub(before));
    let took = busy.map_or(start.elapsed(), |busy| busy.min(start.elapsed()));
    let memory = peak.saturating_sub(before);
    assert!(took < SOON, "{what}: took {took:?}");
    assert!(memory <= room, "{what}: took {} MiB of memory", memory / MIB);
    result
}

fn read(bytes: Vec<u8>, options: ReadOptions) -> Result<(EventBatch, Report)> {
    let mut reader = Recording::from_bytes(bytes, options)?.reader()?;
    let mut events = EventBatch::new();
    while reader.pump(&mut events)? {}
    Ok((events, reader.report()))
}

fn parallel(parallel: bool) -> ReadOptions {
    ReadOptions { parallel, ..ReadOptions::default() }
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(common::fixtures().join("good/aedat4").join(name)).unwrap()
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

/// Where the packets of an AEDAT 4.0 file begin.
fn header_end(bytes: &[u8]) -> usize {
    18 + u32_at(bytes, 14)
}

/// A recording with the header of a bundled one and these packets of stream 0.
fn recording(name: &str, packets: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut bytes = fixture(name);
    bytes.truncate(header_end(&bytes));
    for body in packets {
        bytes.extend(0_i32.to_le_bytes());
        bytes.extend((body.len() as i32).to_le_bytes());
        bytes.extend(body);
    }
    bytes
}

/// A recording without packets whose `infoNode` is `xml`.
fn with_info(xml: &[u8]) -> Vec<u8> {
    let mut buffer = Vec::new();
    // Root table at 16; its vtable at 4: 10 bytes, table of 16, fields 0 to 2 at 4, 8 and 12.
    for word in [16_u32] {
        buffer.extend(word.to_le_bytes());
    }
    for half in [10_u16, 16, 4, 0, 12, 0] {
        buffer.extend(half.to_le_bytes());
    }
    for word in [12_u32, 1, 0, 4] {
        buffer.extend(word.to_le_bytes());
    }
    buffer.extend((xml.len() as u32).to_le_bytes());
    buffer.extend(xml);
    let mut bytes = b"#!AER-DAT4.0\r\n".to_vec();
    bytes.extend((buffer.len() as u32).to_le_bytes());
    bytes.extend(buffer);
    bytes
}

/// An LZ4 frame of `blocks` blocks of 4 MiB of zeros each, of 16 KiB in the file.
fn lz4_zeros(blocks: usize) -> Vec<u8> {
    let zeros = lz4_flex::block::compress(&vec![0; 4 * MIB]);
    let mut frame = vec![0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73];
    for _ in 0..blocks {
        frame.extend((zeros.len() as u32).to_le_bytes());
        frame.extend(&zeros);
    }
    frame.extend([0; 4]);
    frame
}

#[test]
fn a_packet_that_inflates_to_too_much_is_a_limit() {
    let _alone = alone();
    let bomb = lz4_zeros(64);
    assert!(bomb.len() < 2 * MIB);
    let bytes = recording("tiny_lz4.aedat4", [bomb]);
    for parallel in [false, true] {
        let options = ReadOptions { parallel, ..ReadOptions::default() };
        let room = Limits::default().packet_bytes + ROOM;
        let (events, report) =
            bounded("LZ4 bomb", room, || read(bytes.clone(), options.clone())).unwrap();
        assert_eq!((events.len(), report.count(Finding::DamagedPackets)), (0, 1));
        assert_eq!(report.bytes.total(), bytes.len() as u64);
        assert!(
            report.notes[0].text.contains("too large after decompression"),
            "{:?}",
            report.notes
        );
        let strict = ReadOptions { strict: true, ..options };
        let error = bounded("LZ4 bomb", room, || read(bytes.clone(), strict)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
        assert!(error.offset().is_some(), "{error}");
    }
}

#[test]
fn one_large_packet_is_inflated_at_a_time() {
    let _alone = alone();
    // Each inflates to 40 MiB, more than several may at one time.
    let bytes = recording("tiny_lz4.aedat4", vec![lz4_zeros(10); 12]);
    let room = Limits::default().packet_bytes + ROOM;
    let (events, report) =
        bounded("many large packets", room, || read(bytes.clone(), parallel(true))).unwrap();
    assert_eq!((events.len(), report.count(Finding::DamagedPackets)), (0, 12));
    assert_eq!(report.bytes.total(), bytes.len() as u64);
}

#[test]
fn the_events_of_a_large_packet_are_in_memory_once() {
    let _alone = alone();
    let blocks = 15;
    let count = (blocks * 4 * MIB - 32) / 16;
    // The size, the root at 20 with its table of fields at 12, and the list of events at 28.
    let mut first = ((blocks * 4 * MIB - 4) as u32).to_le_bytes().to_vec();
    first.extend(16_u32.to_le_bytes());
    first.extend(b"EVTS");
    first.extend([6_u16, 8, 4, 0].into_iter().flat_map(u16::to_le_bytes));
    first.extend([8_u32, 4, count as u32].into_iter().flat_map(u32::to_le_bytes));
    assert_eq!(first.len(), 32);
    first.resize(4 * MIB, 0);
    let first = lz4_flex::block::compress(&first);
    let mut packet = lz4_zeros(blocks - 1);
    let after = packet.split_off(7);
    packet.extend((first.len() as u32).to_le_bytes());
    packet.extend(first);
    packet.extend(after);
    let bytes = recording("tiny_lz4.aedat4", vec![packet; 2]);
    for parallel in [false, true] {
        let options = ReadOptions { parallel, ..ReadOptions::default() };
        let mut recording = Recording::from_bytes(bytes.clone(), options).unwrap();
        let room = Limits::default().packet_bytes + ROOM / 2;
        let (events, report) = bounded("a packet of many events", room, || {
            let mut reader = recording.reader().unwrap();
            let mut events = Fingerprint::default();
            while reader.pump(&mut events).unwrap() {}
            (events.stats.events, reader.report())
        });
        assert_eq!(events, 2 * count as u64);
        assert_eq!(report.bytes.total(), bytes.len() as u64);
    }
}

#[test]
fn headers_of_nested_and_crowded_xml_are_read_or_refused() {
    let _alone = alone();
    let depth = 100_000;
    let nested = [b"<a>".repeat(depth), b"</a>".repeat(depth)].concat();
    let open = b"<a>".repeat(300_000);
    let numbered = |n: usize, text: &dyn Fn(usize) -> String| (0..n).map(text).collect::<String>();
    let attributes = format!("<dv {}/>", numbered(80_000, &|i| format!("a{i:x}='' ")));
    let spaces = numbered(45_000, &|i| format!("<a xmlns:a{i:x}='{i:x}'>"));
    let flat_spaces = format!("<dv {}/>", numbered(40_000, &|i| format!("xmlns:a{i:x}='{i:x}' ")));
    let entities =
        numbered(9, &|i| format!("<!ENTITY e{} \"{}\">", i + 1, format!("&e{i};").repeat(10)));
    let laughs = format!("<!DOCTYPE d [<!ENTITY e0 \"ha\">{entities}]><dv>&e9;</dv>");
    for (what, xml) in [
        ("nested elements", nested),
        ("elements without end", open),
        ("attributes", attributes.into()),
        ("namespaces", spaces.into()),
        ("namespaces of one element", flat_spaces.into()),
        ("entities", laughs.into()),
    ] {
        assert!(xml.len() < MIB, "{what}: {}", xml.len());
        let bytes = with_info(&xml);
        let result = bounded(what, ROOM, || Recording::from_bytes(bytes, ReadOptions::default()));
        assert_eq!(result.unwrap().info().event_streams().count(), 0, "{what}");
    }
}

#[test]
fn a_header_of_many_streams_does_not_slow_its_packets() {
    let _alone = alone();
    let node = |i: usize| format!("<node name='{i}'><attr key='typeIdentifier'>OTHR</attr></node>");
    let nodes: String = (1..15_000).map(node).collect();
    let events = "<node name='0'><attr key='typeIdentifier'>EVTS</attr></node>";
    let xml = format!("<dv><node name='outInfo'>{nodes}{events}</node></dv>");
    let mut bytes = with_info(xml.as_bytes());
    let header = bytes.len();
    let body = [&[0x04, 0x22, 0x4d, 0x18][..], &[0; 8]].concat();
    for i in 0..400_000 {
        bytes.extend((1 + i % 14_999_i32).to_le_bytes());
        bytes.extend((body.len() as i32).to_le_bytes());
        bytes.extend(&body);
    }
    let (_, report) = bounded("streams", ROOM, || read(bytes.clone(), parallel(false))).unwrap();
    assert_eq!(report.count(Finding::OtherPackets), 400_000);
    assert_eq!(report.bytes.total(), bytes.len() as u64);
    assert_eq!(report.bytes.header, header as u64);
}

#[test]
fn sizes_that_lie_over_and_over_take_no_time() {
    let _alone = alone();
    // What looks like a packet of many MiB begins every 23 bytes, and none is one.
    for (what, size, flags) in
        [("sound", 3 * MIB, 0x82), ("broken", 3 * MIB, 0), ("huge", 9 * MIB, 0)]
    {
        let mut start = Vec::new();
        start.extend(0_i32.to_le_bytes());
        start.extend((size as i32).to_le_bytes());
        start.extend([0x04, 0x22, 0x4d, 0x18, 0x40, 0x70, 0xdf ^ flags & 1]);
        // A stored block up to nearly the end of the packet.
        start.extend((0x8000_0000 | (size as u32 - 40)).to_le_bytes());
        start.extend([9; 4]);
        let mut bytes = recording("tiny_lz4.aedat4", []);
        while bytes.len() < 10 * MIB {
            bytes.extend(&start);
        }
        let mut reports = Vec::new();
        for step in [4 * MIB, 64 << 10] {
            let options =
                ReadOptions { step: std::num::NonZeroUsize::new(step), ..ReadOptions::default() };
            let (events, report) = bounded(what, ROOM, || read(bytes.clone(), options)).unwrap();
            assert_eq!(events.len(), 0);
            assert_eq!(report.bytes.total(), bytes.len() as u64, "{what}");
            reports.push(report);
        }
        assert_eq!(reports[0], reports[1], "{what}");
    }
}

#[test]
fn endless_header_lines_are_refused_or_are_data() {
    let _alone = alone();
    let aedat2 = b"#!AER-DAT2.0\r\n# AEChip: DVS128\r\n";
    let line = |start: &[u8], n: usize| [start, &b"x".repeat(n), b"\r\n"].concat();
    let lines = |start: &[u8], n: usize| line(start, 60_000).repeat(n);
    let evt3 = b"% evt 3.0\n% geometry 64x32\n";
    for (what, bytes, limit) in [
        ("AEDAT 2.0, one line", [&aedat2[..], &line(b"# ", 70_000)].concat(), false),
        ("AEDAT 2.0, one huge line", [&aedat2[..], &line(b"# ", 3 * MIB)].concat(), false),
        ("AEDAT 2.0, lines", [&aedat2[..], &lines(b"# ", 20)].concat(), true),
        ("AEDAT 2.0, many lines", [&aedat2[..], &lines(b"# ", 100)].concat(), true),
        ("AEDAT 2.0, short lines", [&aedat2[..], &b"#\n".repeat(3 * MIB)].concat(), true),
        ("EVT 3.0, one line", [&evt3[..], &line(b"% a", 70_000)].concat(), true),
        ("EVT 3.0, one huge line", [&evt3[..], &line(b"% a", 3 * MIB)].concat(), true),
        ("EVT 3.0, lines", [&evt3[..], &lines(b"% a", 20)].concat(), true),
        ("EVT 3.0, many lines", [&evt3[..], &lines(b"% a", 100)].concat(), true),
    ] {
        let len = bytes.len() as u64;
        let result = bounded(what, ROOM, || read(bytes, ReadOptions::default()));
        match result {
            Ok((_, report)) if !limit => assert_eq!(report.bytes.total(), len, "{what}"),
            Err(error) if limit => {
                assert_eq!(error.kind(), ErrorKind::Limit, "{what}: {error}");
            }
            other => panic!("{what}: {:?}", other.map(|(_, report)| report)),
        }
    }
}

fn refused(path: &Path) -> Error {
    let open = || Recording::open(path, ReadOptions::default());
    bounded(&path.display().to_string(), ROOM, open).unwrap_err()
}

#[test]
fn what_is_no_recording_is_refused() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(refused(folder.path()).kind(), ErrorKind::Caller);
    let empty = folder.path().join("empty.aedat4");
    fs::write(&empty, []).unwrap();
    assert_eq!(refused(&empty).kind(), ErrorKind::Empty);
    assert_eq!(refused(&folder.path().join("missing")).kind(), ErrorKind::System);
    if Path::new("/dev/zero").exists() {
        let error = refused(Path::new("/dev/zero"));
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains("zeros"), "{error}");
        assert_eq!(refused(Path::new("/dev/null")).kind(), ErrorKind::Empty);
    }
}

#[test]
fn a_stream_without_end_behind_a_header_is_read_in_bounded_memory() {
    let _alone = alone();
    for header in [fixture("header_only.aedat4"), b"#!AER-DAT2.0\r\n".to_vec()] {
        let endless = io::Cursor::new(header).chain(io::repeat(0).take(64 << 20));
        let options = ReadOptions { sensor: "346x260".parse().ok(), ..ReadOptions::default() };
        let report = bounded("zeros behind a header", ROOM, || {
            let mut reader = Recording::from_reader(endless, options).unwrap().reader().unwrap();
            let mut batch = EventBatch::new();
            while reader.read_into(&mut batch, 10_000).unwrap() > 0 {}
            reader.report()
        });
        assert!(report.bytes.total() > 64 << 20);
    }
}

#[cfg(unix)]
#[test]
fn a_fifo_is_read_like_a_pipe() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no mkfifo");
        return;
    }
    for bytes in [fixture("tiny_lz4.aedat4"), Vec::new(), vec![0; 100]] {
        let (whole, sent) = (read(bytes.clone(), ReadOptions::default()), bytes);
        let path = fifo.clone();
        let writer = thread::spawn(move || {
            let mut fifo = OpenOptions::new().write(true).open(path)?;
            fifo.write_all(&sent)
        });
        let found = bounded("FIFO", ROOM, || {
            let mut reader = Recording::open(&fifo, ReadOptions::default())?.reader()?;
            let mut events = EventBatch::new();
            reader.read_to_end(&mut events)?;
            Ok::<_, Error>(events)
        });
        writer.join().unwrap().unwrap();
        match (found, whole) {
            (Ok(events), Ok((whole, _))) => assert_eq!(events, whole),
            (Err(error), Err(whole)) => assert_eq!(error.kind(), whole.kind(), "{error}"),
            (found, _) => panic!("{found:?}"),
        }
    }
}
