//! What options say of a file that leaves it open: whose reading, which column is which, and in what unit.
//! The expected events are those that the formula of each reading makes of numbers written here.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use crate::common;

use std::num::NonZeroUsize;

use liaf_data::model::Finding;
use liaf_data::options::{Aedat2Reading, AtisOverflow, ClockReset, Coords, Evt21Order, TimeShift};
use liaf_data::{
    ErrorKind, Event, EventBatch, Format, Limits, ReadOptions, Recording, Report, Result,
    SensorSize,
};

fn read(bytes: &[u8], options: ReadOptions) -> Result<(Vec<Event>, Report)> {
    let mut reader = Recording::from_bytes(bytes, options)?.reader()?;
    let mut events = EventBatch::new();
    reader.read_to_end(&mut events)?;
    Ok((events.iter().collect(), reader.report()))
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(common::fixtures().join("good").join(name)).unwrap()
}

/// Time, x, y and polarity of some events, all different.
fn numbers() -> Vec<[i64; 4]> {
    (0..300).map(|i| [1000 + 7 * i, i * 5 % 128, i * 11 % 120, i % 3 % 2]).collect()
}

fn event([t, x, y, p]: [i64; 4]) -> Event {
    Event { t, x: x as u16, y: y as u16, p: p as u8 }
}

#[test]
fn addresses_of_a_dvs128_are_read_as_each_tool_reads_them() {
    // Bits 14-8 and 7-1, and bit 0.
    let words: Vec<_> = numbers();
    let mut bytes = b"#!AER-DAT2.0\r\n# AEChip: DVS128\r\n# End of ASCII Header\r\n".to_vec();
    for &[t, low, high, bit] in &words {
        bytes.extend((high << 8 | low << 1 | bit).to_be_bytes()[4..].iter());
        bytes.extend((t as u32).to_be_bytes());
    }
    // tonic: x is the upper field, as stored. SpikingJelly: both from the other end, 0 is ON.
    for (aedat2, meaning) in [
        (Aedat2Reading::Tonic, (|[t, low, high, bit]: [i64; 4]| [t, high, low, bit]) as fn(_) -> _),
        (Aedat2Reading::SpikingJelly, |[t, low, high, bit]| [t, 127 - high, 127 - low, 1 - bit]),
        (Aedat2Reading::Jaer, |[t, low, high, bit]| [t, 127 - low, 127 - high, 1 - bit]),
    ] {
        let options = ReadOptions::new().aedat_reading(aedat2);
        let expected: Vec<_> = words.iter().map(|&word| event(meaning(word))).collect();
        assert_eq!(read(&bytes, options).unwrap().0, expected, "{aedat2:?}");
    }
    let options = ReadOptions::new().aedat_reading(Aedat2Reading::SpikingJelly);
    let error = read(&fixture("aedat2/davis346.aedat"), options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Caller, "{error}");
}

#[test]
fn rows_of_files_that_jaer_wrote_count_from_the_bottom() {
    let ours = fixture("aedat4/tiny_none.aedat4");
    let (name, jaer) = (">MonoCameraWriter</attr>", ">jAER</attr>            ");
    let at = ours.windows(name.len()).position(|bytes| bytes == name.as_bytes()).unwrap();
    let mut theirs = ours.clone();
    theirs[at..at + jaer.len()].copy_from_slice(jaer.as_bytes());
    let raw = ReadOptions { coords: Coords::Raw, ..ReadOptions::default() };
    let (stored, _) = read(&ours, ReadOptions::default()).unwrap();
    assert_eq!(read(&theirs, raw).unwrap().0, stored);
    let turned: Vec<_> = stored.iter().map(|event| Event { y: 47 - event.y, ..*event }).collect();
    assert_eq!(read(&theirs, ReadOptions::default()).unwrap().0, turned);
}

#[test]
fn records_begin_where_it_is_stated() {
    let whole = fixture("dat/faery_cd.dat");
    let (expected, _) = read(&whole, ReadOptions::default()).unwrap();
    let start = whole.len() - 8 * expected.len();
    let options =
        |at: usize| ReadOptions { data_offset: Some(at as u64), ..ReadOptions::default() };
    assert_eq!(read(&whole, options(start)).unwrap().0, expected);
    assert_eq!(read(&whole, options(start + 80)).unwrap().0, expected[10..]);
    assert_eq!(read(&whole, options(whole.len() + 8)).unwrap_err().kind(), ErrorKind::Caller);
}

fn text(head: &str, row: impl Fn([i64; 4]) -> String) -> Vec<u8> {
    let lines = numbers().into_iter().map(|numbers| row(numbers) + "\n");
    format!("{head}{}", lines.collect::<String>()).into_bytes()
}

#[test]
fn columns_of_text_are_what_is_stated() {
    let expected: Vec<_> = numbers().into_iter().map(event).collect();
    let sensor = Some(SensorSize::new(128, 128));
    let plain = ReadOptions { sensor, ..ReadOptions::default() };
    let keys = |keys: &str| plain.clone().column_map(keys.parse().unwrap());
    let unit = |unit: &str| plain.clone().time_unit(unit.parse().unwrap());
    let shuffled = text("", |[t, x, y, p]| format!("{p} 9 {y} {x} {t}"));
    let named = text("when,col,row,sign\n", |[t, x, y, p]| format!("{t},{x},{y},{p}"));
    let ns = text("t[ns],x,y,p\n", |[t, x, y, p]| format!("{}.0,{x},{y},{p}", 1000 * t));
    let ms = text("t,x,y,p\n", |[t, x, y, p]| format!("{}.{:03},{x},{y},{p}", t / 1000, t % 1000));
    for (bytes, options) in [
        (&shuffled, keys("p,_,y,x,t")),
        (&named, keys("t=when,x=col,y=row,p=sign")),
        (&ns, plain.clone()),
        (&ms, unit("ms")),
    ] {
        let what = String::from_utf8_lossy(&bytes[..20]);
        assert_eq!(read(bytes, options).unwrap().0, expected, "{what}");
    }
    for (bytes, options, says) in [
        (&shuffled, keys("t,x,y,p"), "number of columns"),
        (&named, plain.clone(), "t=NAME"),
        (&shuffled, keys("t=when,x=x"), "x,y,p,t"),
    ] {
        let error = read(bytes, options).unwrap_err();
        assert!(format!("{error}").contains(says), "{error}");
    }
}

#[test]
fn a_line_without_end_is_one_bad_line_however_it_comes() {
    let head = text("t,x,y,p\n", |[t, x, y, p]| format!("{t},{x},{y},{p}"));
    let long = [vec![b'7'; 200_000], b"\n".to_vec()].concat();
    let tail = text("", |[t, x, y, p]| format!("{},{x},{y},{p}", t + 5000));
    let later = |[t, x, y, p]: [i64; 4]| event([t + 5000, x, y, p]);
    let expected: Vec<_> =
        numbers().into_iter().map(event).chain(numbers().into_iter().map(later)).collect();
    for step in [997, 64 << 10, 1 << 20] {
        let options = ReadOptions {
            step: NonZeroUsize::new(step),
            sensor: Some(SensorSize::new(128, 128)),
            ..ReadOptions::default()
        };
        let bytes = [&head[..], &long, &tail].concat();
        let (events, report) = read(&bytes, options.clone()).unwrap();
        assert_eq!(events, expected, "{step}");
        assert_eq!(report.count(Finding::BadLines), 1, "{step}");
        assert_eq!(report.bytes.total(), bytes.len() as u64, "{step}");
        let strict = ReadOptions { strict: true, ..options.clone() };
        let error = read(&bytes, strict).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit, "{step}: {error}");
        assert_eq!(error.offset(), Some(head.len() as u64), "{step}: {error}");
        // At the end of the file, where the line is cut.
        let cut = [&head[..], &long[..150_000]].concat();
        let (events, report) = read(&cut, options).unwrap();
        assert_eq!((events.len(), report.bytes.total()), (300, cut.len() as u64), "{step}");
    }
}

/// An array of rows of five numbers.
fn npy(rows: &[[i64; 5]]) -> Vec<u8> {
    let header = format!("{{'descr':'<i8','fortran_order':False,'shape':({},5)}}\n", rows.len());
    let mut bytes = b"\x93NUMPY\x01\0".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(rows.iter().flatten().flat_map(|number| number.to_le_bytes()));
    bytes
}

#[test]
fn columns_of_an_array_are_what_is_stated() {
    let rows: Vec<_> = numbers().into_iter().map(|[t, x, y, p]| [y, -1, p, x, t]).collect();
    let bytes = npy(&rows);
    let options = |keys: &str| {
        ReadOptions::new().column_map(keys.parse().unwrap()).time_unit("ms".parse().unwrap())
    };
    let expected: Vec<_> =
        numbers().into_iter().map(|[t, x, y, p]| event([1000 * t, x, y, p])).collect();
    assert_eq!(read(&bytes, options("y,_,p,x,t")).unwrap().0, expected);
    for keys in ["t=a,x=b,y=c,p=d", "t,x,y,p"] {
        let error = read(&bytes, options(keys)).unwrap_err();
        assert!(!error.hints().is_empty() || error.to_string().contains("columns"), "{error}");
    }
}

#[cfg(feature = "hdf5")]
#[test]
fn datasets_are_what_is_stated() {
    let rvt = fixture("hdf5/rvt.h5");
    let (expected, _) = read(&rvt, ReadOptions::default()).unwrap();
    let keys = |keys: &str| ReadOptions::new().column_map(keys.parse().unwrap());
    // x and y exchanged, so that the names are not those that would be found.
    let exchanged = keys("t=/events/t,x=/events/y,y=/events/x,p=/events/p");
    let turned = |event: &Event| Event { x: event.y, y: event.x, ..*event };
    let options = ReadOptions { sensor: Some(SensorSize::new(640, 640)), ..exchanged };
    assert_eq!(read(&rvt, options).unwrap().0, expected.iter().map(turned).collect::<Vec<_>>());
    // What is not named is found by its usual name.
    let without_p = keys("t=/events/t,x=/events/x,y=/events/y");
    assert_eq!(read(&rvt, without_p).unwrap().0, expected);
    for (wrong, says) in [
        ("t=/events/t,x=/events/z,y=/events/y,p=/events/p", "no such dataset for x"),
        ("t=/events,x=/events/x,y=/events/y,p=/events/p", "for t: found /events"),
    ] {
        let error = read(&rvt, keys(wrong)).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
    let v2e = fixture("hdf5/v2e.h5");
    let (rows, _) = read(&v2e, ReadOptions::default()).unwrap();
    let sensor = Some(SensorSize::new(640, 640));
    let options = ReadOptions { sensor, ..keys("t,y,x,p") };
    assert_eq!(read(&v2e, options).unwrap().0, rows.iter().map(turned).collect::<Vec<_>>());
    let options = ReadOptions::new().t_offset(true);
    assert!(read(&rvt, options).unwrap_err().to_string().contains("no t_offset"));
}

/// A DVS128 file of these times.
fn dvs128(times: impl IntoIterator<Item = u32>) -> Vec<u8> {
    let mut bytes = b"#!AER-DAT2.0\r\n# AEChip: DVS128\r\n# End of ASCII Header\r\n".to_vec();
    for t in times {
        bytes.extend([0, 0, 0x12, 0x34]);
        bytes.extend(t.to_be_bytes());
    }
    bytes
}

#[test]
fn a_clock_that_begins_anew_is_kept_or_goes_on_or_is_an_error() {
    let times = [5_000_000, 6_000_000, 100, 200, 4_000_000, 3_500_000, 900, 4_294_000_000, 7];
    let bytes = dvs128(times);
    let with = |clock_reset| ReadOptions::new().clock_reset(clock_reset);
    let t = |events: &[Event]| events.iter().map(|event| event.t).collect::<Vec<_>>();
    // Half a second back is a step back; the last one is a wrap.
    let (kept, report) = read(&bytes, with(ClockReset::Keep)).unwrap();
    let wrapped = (1_i64 << 32) + 7;
    let as_stored =
        [5_000_000, 6_000_000, 100, 200, 4_000_000, 3_500_000, 900, 4_294_000_000, wrapped];
    assert_eq!(t(&kept), as_stored);
    assert_eq!(report.count(Finding::BackwardTimes), 3);
    assert_eq!(report.count(Finding::TimestampResets), 0);
    let (gone_on, report) = read(&bytes, with(ClockReset::Rebase)).unwrap();
    let (a, b) = (6_000_000 - 100, 6_000_000 - 100 + 3_500_000 - 900);
    let expected = [5_000_000, 6_000_000, 100 + a, 200 + a, 4_000_000 + a, 3_500_000 + a, 900 + b];
    assert_eq!(t(&gone_on)[..7], expected);
    assert_eq!(t(&gone_on)[7..], [4_294_000_000 + b, wrapped + b]);
    assert_eq!(report.findings[&Finding::TimestampResets].count, 2);
    let first = bytes.len() as u64 - 7 * 8;
    assert_eq!(report.findings[&Finding::TimestampResets].first_offset, Some(first));
    let mut recording = Recording::from_bytes(bytes, with(ClockReset::Error)).unwrap();
    let (mut reader, mut batch) = (recording.reader().unwrap(), EventBatch::new());
    assert_eq!(reader.read_into(&mut batch, 99).unwrap(), 2);
    assert_eq!(reader.read_into(&mut batch, 99).unwrap_err().offset(), Some(first));
}

#[test]
fn time_goes_on_in_the_same_way_however_the_bytes_are_cut() {
    // A reset or a wrap every few thousand events.
    let times = (0..100_000_u32).map(|i| match i / 7000 % 3 {
        0 => 3_000_000 + i,
        1 => i % 7000,
        _ => u32::MAX - 100_000 + i,
    });
    let bytes = dvs128(times);
    let with = |step: usize, parallel| ReadOptions {
        step: NonZeroUsize::new(step),
        parallel,
        ..ReadOptions::new().clock_reset(ClockReset::Rebase)
    };
    let whole = read(&bytes, with(1 << 20, false)).unwrap();
    assert!(whole.0.is_sorted_by_key(|event| event.t), "time goes on");
    assert!(whole.1.count(Finding::TimestampResets) >= 4 && whole.1.count(Finding::TimeWraps) >= 4);
    for (step, parallel) in [(1001, false), (1 << 20, true), (300_000, true)] {
        assert!(read(&bytes, with(step, parallel)).unwrap() == whole, "{step} {parallel}");
    }
    let middle = whole.0[50_000].t;
    let mut recording = Recording::from_bytes(bytes, with(1 << 20, false)).unwrap();
    let mut slice = EventBatch::new();
    recording.slice(middle..middle + 1000).unwrap().read_to_end(&mut slice).unwrap();
    let of_slice = |event: &&Event| (middle..middle + 1000).contains(&event.t);
    assert!(slice.iter().eq(whole.0.iter().filter(of_slice).copied()));
}

#[test]
fn times_of_evt_are_shifted_as_openeb_shifts_them() {
    // Bits of time below a TIME_HIGH, bytes of a word, and which of its bytes have the kind.
    let formats =
        [("evt2/words.raw", 6, 4, 3), ("evt21/words.raw", 6, 8, 7), ("evt3/words.raw", 12, 2, 1)];
    for (name, low_bits, word, kind_at) in formats {
        let bytes = fixture(name);
        let end = bytes.windows(6).position(|line| line == b"% end\n").unwrap() + 6;
        let first = bytes[end..].chunks(word).find(|word| word[kind_at] >> 4 == 8).unwrap();
        let high = first.iter().rev().fold(0_u64, |high, &byte| high << 8 | u64::from(byte));
        let high = match word {
            2 => (high & 0xfff) - 1,
            4 => high & 0xfff_ffff,
            _ => high >> 32 & 0xfff_ffff,
        };
        let shift = (high << low_bits) as i64;
        assert!(shift > 0, "{name}");
        let options = ReadOptions::new().time_shift(TimeShift::OpenEb);
        let (plain, _) = read(&bytes, ReadOptions::default()).unwrap();
        let (shifted, report) = read(&bytes, options.clone()).unwrap();
        let expected: Vec<_> = plain.iter().map(|e| Event { t: e.t - shift, ..*e }).collect();
        assert!(shifted == expected, "{name}");
        for parallel in [false, true] {
            let step = NonZeroUsize::new(1000);
            let options = ReadOptions { step, parallel, ..options.clone() };
            assert!(read(&bytes, options).unwrap() == (shifted.clone(), report.clone()), "{name}");
        }
        let middle = shifted[shifted.len() / 2].t;
        let mut recording = Recording::from_bytes(bytes.clone(), options.clone()).unwrap();
        let mut slice = EventBatch::new();
        recording.slice(middle..middle + 20_000).unwrap().read_to_end(&mut slice).unwrap();
        let of_slice = |event: &&Event| (middle..middle + 20_000).contains(&event.t);
        assert!(slice.iter().eq(shifted.iter().filter(of_slice).copied()), "{name}");
        // Triggers are on the same clock.
        let triggers = |options: ReadOptions| -> Vec<_> {
            let stream = Some("triggers".parse().unwrap());
            let options = ReadOptions { stream, ..options };
            let mut recording = Recording::from_bytes(bytes.clone(), options).unwrap();
            recording.measurements().unwrap().map(|sample| sample.unwrap().t()).collect()
        };
        let unshifted: Vec<_> = triggers(options).iter().map(|t| t + shift).collect();
        assert_eq!(unshifted, triggers(ReadOptions::default()), "{name}");
    }
}

#[test]
fn options_are_the_same_after_they_were_kept() {
    let all = ReadOptions::new()
        .format(Format::named("ATIS bin").unwrap())
        .stream("imu")
        .coords(Coords::Raw)
        .strict(true)
        .sensor(346, 260)
        .limits(Limits { packet_bytes: 7, ..Limits::default() })
        .parallel(true)
        .data_offset(9)
        .aedat_reading(Aedat2Reading::Tonic)
        .clock_reset(ClockReset::Rebase)
        .imu_ranges(8.0, 1000.0)
        .keep_invalid(true)
        .evt21_order(Evt21Order::Legacy)
        .time_shift(TimeShift::OpenEb)
        .atis_overflow(AtisOverflow::Ignore)
        .column_map("t=when,x=a".parse().unwrap())
        .time_unit("us".parse().unwrap())
        .t_offset(true)
        .step(NonZeroUsize::MIN);
    let kept = serde_json::to_value(&all).unwrap();
    assert_eq!(serde_json::from_value::<ReadOptions>(kept.clone()).unwrap(), all);
    // Every option differs from its default, so that none is forgotten above.
    let defaults = serde_json::to_value(ReadOptions::new()).unwrap();
    for (name, value) in kept.as_object().unwrap() {
        assert_ne!(*value, defaults[name], "{name}");
    }
    assert_eq!(kept["format"], "ATIS bin");
    assert_eq!(kept["columns"]["map"], "t=when,x=a");
    assert_eq!(kept["evt"]["order"], "legacy");
    for wrong in [r#"{"sensor": 3}"#, r#"{"format": "AVI"}"#, r#"{"aedat": {"order": "little"}}"#] {
        assert!(serde_json::from_str::<ReadOptions>(wrong).is_err(), "{wrong}");
    }
    // What is not there has its default, and what is not kept is not taken.
    assert_eq!(serde_json::from_str::<ReadOptions>("{}").unwrap(), ReadOptions::new());
    assert!(serde_json::from_str::<ReadOptions>(r#"{"map": "always"}"#).is_err());
}
