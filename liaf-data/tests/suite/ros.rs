//! ROS 1 bags and MCAP: limits, topics that begin late, and checkpoints among encoded events.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use crate::common;

use liaf_data::model::{Finding, StreamKind};
use liaf_data::options::StreamChoice;
use liaf_data::{ErrorKind, EventBatch, Limits, ReadOptions, Recording, Report};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(common::fixtures().join("good").join(name)).unwrap()
}

fn read(bytes: &[u8], options: ReadOptions) -> (EventBatch, Report) {
    let mut recording = Recording::from_bytes(bytes, options).unwrap();
    let mut reader = recording.reader().unwrap();
    let mut events = EventBatch::new();
    reader.read_to_end(&mut events).unwrap();
    assert_eq!(reader.report().bytes.total(), bytes.len() as u64);
    (events, reader.report())
}

fn with_limit(packet_bytes: usize, parallel: bool) -> ReadOptions {
    let limits = Limits { packet_bytes, ..Limits::default() };
    ReadOptions { limits, parallel, ..ReadOptions::default() }
}

#[test]
fn a_stored_chunk_of_any_size_is_read_and_a_packed_one_up_to_the_limit() {
    for (stored, packed) in [
        ("rosbag/davis_none.bag", "rosbag/davis_lz4.bag"),
        ("rosbag/davis_none.bag", "rosbag/davis_bz2.bag"),
        ("mcap/davis_none.mcap", "mcap/davis_lz4.mcap"),
    ] {
        for parallel in [false, true] {
            let bytes = fixture(stored);
            let whole = read(&bytes, ReadOptions::default());
            assert!(whole.1.is_sound(), "{:?}", whole.1);
            // Every message fits, and no chunk does.
            let (events, report) = read(&bytes, with_limit(4200, parallel));
            assert!(events == whole.0, "{stored}");
            assert_eq!(report.count(Finding::DamagedPackets), 0, "{stored}: {report:?}");
            // Whatever is larger than the limit after decompression is left out, and said.
            let bytes = fixture(packed);
            let (events, report) = read(&bytes, with_limit(4200, parallel));
            assert!(events.len() < whole.0.len(), "{packed}");
            assert!(report.count(Finding::DamagedPackets) > 0, "{packed}: {report:?}");
            assert!(report.bytes.skipped > 0);
        }
    }
}

/// A record of a bag.
fn record(fields: &[(&str, &[u8])], data: &[u8]) -> Vec<u8> {
    let mut header = Vec::new();
    for (name, value) in fields {
        header.extend_from_slice(&(name.len() as u32 + 1 + value.len() as u32).to_le_bytes());
        header.extend_from_slice(name.as_bytes());
        header.push(b'=');
        header.extend_from_slice(value);
    }
    let mut record = (header.len() as u32).to_le_bytes().to_vec();
    record.extend_from_slice(&header);
    record.extend_from_slice(&(data.len() as u32).to_le_bytes());
    record.extend_from_slice(data);
    record
}

fn connection(number: u32, topic: &str, kind: &str) -> Vec<u8> {
    let mut data = (5 + kind.len() as u32).to_le_bytes().to_vec();
    data.extend_from_slice(b"type=");
    data.extend_from_slice(kind.as_bytes());
    let fields: [(&str, &[u8]); 3] =
        [("op", &[7]), ("conn", &number.to_le_bytes()), ("topic", topic.as_bytes())];
    record(&fields, &data)
}

/// A message with one event.
fn message(number: u32, x: u16, seconds: u32, nanoseconds: u32) -> Vec<u8> {
    let mut data = vec![0; 16];
    data.extend_from_slice(&48u32.to_le_bytes());
    data.extend_from_slice(&64u32.to_le_bytes());
    data.extend_from_slice(&1u32.to_le_bytes());
    data.extend_from_slice(&x.to_le_bytes());
    data.extend_from_slice(&7u16.to_le_bytes());
    data.extend_from_slice(&seconds.to_le_bytes());
    data.extend_from_slice(&nanoseconds.to_le_bytes());
    data.push(1);
    record(&[("op", &[2]), ("conn", &number.to_le_bytes()), ("time", &[0; 8])], &data)
}

const EVENTS: &str = "dvs_msgs/EventArray";

#[test]
fn a_topic_that_begins_late_is_said_where_there_is_no_index() {
    let mut bag = b"#ROSBAG V2.0\n".to_vec();
    bag.extend(record(&[("op", &[3]), ("index_pos", &[0; 8])], b""));
    bag.extend(connection(0, "/dvs/events", EVENTS));
    bag.extend(message(0, 5, 1_600_000_000, 999_999_999));
    // More than is searched for topics when a file is opened.
    let filler = record(&[("op", &[4]), ("ver", &[1, 0, 0, 0])], &vec![0; 1 << 20]);
    (0..9).for_each(|_| bag.extend_from_slice(&filler));
    // Another connection of the same topic, and another topic.
    bag.extend(connection(3, "/dvs/events", EVENTS));
    bag.extend(connection(4, "/other/events", EVENTS));
    bag.extend(message(3, 6, 1_600_000_001, 1000));
    bag.extend(message(4, 7, 1_600_000_001, 2000));
    for parallel in [false, true] {
        let options = ReadOptions { parallel, ..ReadOptions::default() };
        let (events, report) = read(&bag, options);
        assert_eq!(events.x(), [5, 6]);
        assert_eq!(events.t(), [1_600_000_000_999_999, 1_600_000_001_000_001]);
        assert_eq!(report.count(Finding::OtherPackets), 1);
        assert_eq!(report.count(Finding::BadDataTables), 1);
        assert!(report.notes.iter().any(|note| note.text.contains("/other/events begins late")));
    }
    let strict = ReadOptions { strict: true, ..ReadOptions::default() };
    let mut recording = Recording::from_bytes(&bag[..], strict).unwrap();
    let mut events = EventBatch::new();
    let error = recording.reader().unwrap().read_to_end(&mut events).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated, "{error}");
    assert_eq!(events.len(), 2);
}

#[test]
fn messages_of_a_channel_that_is_not_defined_are_counted() {
    let mut bag = b"#ROSBAG V2.0\n".to_vec();
    bag.extend(record(&[("op", &[3]), ("index_pos", &[0; 8])], b""));
    bag.extend(connection(0, "/dvs/events", EVENTS));
    bag.extend(message(9, 5, 1, 0));
    bag.extend(message(0, 6, 2, 0));
    let (events, report) = read(&bag, ReadOptions::default());
    assert_eq!((events.x(), report.count(Finding::UnknownStreams)), (&[6][..], 1));
}

#[test]
fn topics_are_streams_by_name() {
    for name in ["rosbag/stereo_split.bag", "mcap/stereo_zstd.mcap"] {
        let bytes = fixture(name);
        let recording = Recording::from_bytes(&bytes[..], ReadOptions::default()).unwrap();
        let streams: Vec<_> = recording.info().event_streams().collect();
        let names: Vec<_> = streams.iter().map(|stream| &stream.name[..]).collect();
        assert_eq!(names, ["/left/events", "/right/events"], "{name}");
        assert_eq!(recording.info().stream, None);
        let stream = Some(StreamChoice::Name("/right/events".into()));
        let (by_name, _) = read(&bytes, ReadOptions { stream, ..ReadOptions::default() });
        let stream = Some(StreamChoice::Id(streams[1].id));
        let (by_id, _) = read(&bytes, ReadOptions { stream, ..ReadOptions::default() });
        assert!(!by_id.is_empty() && by_name == by_id, "{name}");
    }
    let bytes = fixture("mcap/davis_zstd.mcap");
    let recording = Recording::from_bytes(&bytes[..], ReadOptions::default()).unwrap();
    let kinds: Vec<_> = recording.info().streams.iter().map(|stream| stream.kind).collect();
    for kind in [StreamKind::Events, StreamKind::Imu, StreamKind::Frames, StreamKind::Other] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
}

#[test]
fn bags_that_are_not_read_are_named() {
    let mut encrypted = b"#ROSBAG V2.0\n".to_vec();
    let fields: [(&str, &[u8]); 3] =
        [("op", &[3]), ("index_pos", &[0; 8]), ("encryptor", b"rosbag/AesCbcEncryptor")];
    encrypted.extend(record(&fields, b""));
    for (bytes, part) in [(&encrypted[..], "encrypted"), (b"#ROSBAG V1.2\n", "rosbag filter")] {
        let error = Recording::from_bytes(bytes, ReadOptions::default()).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn a_file_that_ends_inside_a_message_has_the_events_before_it() {
    let bytes = fixture("mcap/unchunked.mcap");
    let (whole, _) = read(&bytes, ReadOptions::default());
    let mut most = 0;
    // The header of a message has 31 bytes, and there is more than one message in these.
    for end in 2000..3000 {
        let (events, report) = read(&bytes[..end], ReadOptions::default());
        assert!(events.iter().eq(whole.iter().take(events.len())), "{end} bytes");
        assert!(!report.is_sound(), "{end} bytes: {report:?}");
        assert!(events.len() >= most, "{end} bytes");
        most = events.len();
    }
    assert!(most > 0 && most < whole.len());
}

/// The records of an MCAP: where each begins and ends, and its type.
fn mcap_records(bytes: &[u8]) -> Vec<(std::ops::Range<usize>, u8)> {
    let (mut at, mut records) = (8, Vec::new());
    while let Some(size) = bytes.get(at + 1..).and_then(|rest| rest.first_chunk()) {
        let end = at + 9 + u64::from_le_bytes(*size) as usize;
        if end > bytes.len() {
            break;
        }
        records.push((at..end, bytes[at]));
        at = end;
    }
    records
}

#[test]
fn a_number_of_a_topic_that_is_given_to_another_one_is_said() {
    let good = fixture("mcap/unchunked.mcap");
    let (whole, _) = read(&good, ReadOptions::default());
    let records = mcap_records(&good);
    let (channel, _) = records.iter().find(|(_, kind)| *kind == 4).unwrap().clone();
    let middle = records.iter().filter(|(_, kind)| *kind == 5).nth(2).unwrap().0.end;
    let mut other = good[channel].to_vec();
    let topic = other.windows(5).position(|bytes| bytes == b"/dvs/").unwrap();
    other[topic + 1] = b'x';
    let bytes = [&good[..middle], &other, &good[middle..]].concat();
    let (events, report) = read(&bytes, ReadOptions::default());
    assert!(events == whole);
    assert_eq!(report.count(Finding::BadParts), 1, "{report:?}");
    assert!(report.notes[0].text.contains("given to another topic"), "{:?}", report.notes);
    let strict = ReadOptions { strict: true, ..ReadOptions::default() };
    let mut recording = Recording::from_bytes(&bytes[..], strict).unwrap();
    let error = recording.reader().unwrap().read_to_end(&mut EventBatch::new()).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Malformed, Some(middle as u64)));
}
