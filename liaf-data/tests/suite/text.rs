//! Texts of events as spreadsheets, simulators and other programs write them: what their columns mean, and
//! what is said where that is not certain. The expected events are the numbers that are written here.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use crate::common;

use std::num::NonZeroUsize;

use liaf_data::model::{Finding, RecordingInfo, SensorSource};
use liaf_data::write::{self, EventSpec, WriteOptions};
use liaf_data::{
    ErrorKind, Event, EventBatch, Hint, ReadOptions, Recording, Report, Result, SensorSize,
};

struct Found {
    events: Vec<Event>,
    report: Report,
    info: RecordingInfo,
}

fn read(text: &str, options: ReadOptions) -> Result<Found> {
    let mut recording = Recording::from_bytes(text.as_bytes(), options)?;
    let mut reader = recording.reader()?;
    let mut events = EventBatch::new();
    reader.read_to_end(&mut events)?;
    let (report, events) = (reader.report(), events.iter().collect());
    assert_eq!(report.bytes.total(), text.len() as u64, "{:?}", report.bytes);
    Ok(Found { events, report, info: recording.info().clone() })
}

/// One thread and small steps, and several threads: what is found must not depend on it.
fn ways(options: &ReadOptions) -> [ReadOptions; 3] {
    let step = |bytes| options.clone().step(NonZeroUsize::new(bytes).unwrap());
    [step(1), options.clone(), step(1 << 20).parallel(true)]
}

fn lines(n: i64, head: &str, line: impl Fn(i64) -> String) -> String {
    head.to_owned() + &(0..n).map(|i| line(i) + "\n").collect::<String>()
}

#[test]
fn a_polarity_that_comes_too_late_is_an_error_with_its_line() {
    let head = "t,x,y,p\n";
    for (first, second, late) in [(1, 1, 2), (0, 1, 7), (1, 2, 0)] {
        let text = lines(90_000, head, |i| {
            let p = if i % 2 == 0 { first } else { second };
            format!("{i},{},4,{}", i % 9, if i == 80_000 { late } else { p })
        });
        for parallel in [false, true] {
            let options = ReadOptions::new().parallel(parallel);
            let mut recording = Recording::from_bytes(text.as_bytes(), options).unwrap();
            let mut events = EventBatch::new();
            let error = recording.reader().unwrap().read_to_end(&mut events).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
            assert!(error.to_string().contains("line 80002"), "{error}");
            assert_eq!(events.len(), 80_000);
            assert_eq!(error.offset(), Some(text.find("\n80000,").unwrap() as u64 + 1));
        }
        // Whoever states the values decides.
        let stated = ReadOptions::new().polarity_values(first, second);
        let found = read(&text, stated);
        if first != second {
            let found = found.unwrap();
            assert_eq!(found.events.len(), 89_999);
            assert_eq!(found.report.count(Finding::BadLines), 1);
        }
    }
}

#[test]
fn polarities_have_the_meaning_of_their_set() {
    for (off, on) in
        [("0", "1"), ("-1", "1"), ("1", "2"), ("0", "255"), ("False", "True"), ("off", "ON")]
    {
        let text = lines(300, "", |i| {
            format!(
                "{} {} {} {}",
                1000 + i,
                300 + i % 9,
                100 + i % 5,
                if i % 3 == 0 { on } else { off }
            )
        });
        for options in ways(&ReadOptions::new()) {
            let found = read(&text, options).unwrap();
            let p: Vec<_> = found.events.iter().map(|event| event.p).collect();
            assert_eq!(p, (0..300).map(|i| u8::from(i % 3 == 0)).collect::<Vec<_>>(), "{off} {on}");
            let says =
                found.info.notes.iter().any(|note| note.text.contains(&format!("{off} is OFF")));
            assert_eq!(says, ["1", "255"].contains(&off) || on == "255", "{:?}", found.info.notes);
        }
    }
    let text = lines(300, "t,x,y,p\n", |i| format!("{i},3,4,{}", i % 5));
    let error = read(&text, ReadOptions::new()).err().unwrap();
    assert_eq!(error.hints(), [Hint::StatePolarity], "{error}");
}

#[test]
fn a_last_line_without_an_end_is_kept_where_it_is_certainly_whole() {
    let rows = "2,3,1,100\n2,3,1,101\n";
    for (text, events) in [
        (format!("x,y,p,t\n{rows}3,3,0,102"), 3),
        (format!("x,y,p,t\n{rows}3,3,0,10"), 2),
        (format!("x,y,p,t\n{rows}3,3,0,"), 2),
        (format!("x,y,p,t,q\n{}3,3,0,1", rows.replace('\n', ",5\n")), 2),
        (format!("x,y,p,t,q\n{}3,3,0,1,", rows.replace('\n', ",5\n")), 3),
        ("x,y,p,t\n2,3,1,0.5\n3,3,0,0.6".into(), 2),
        ("x,y,p,t\n2,3,1,0.50\n3,3,0,0.6".into(), 1),
        ("t,x,y,p\n2,3,1,1\n3,3,0,0".into(), 2),
        ("t,p,x,y\n2,1,3,1\n3,0,0,0".into(), 1),
    ] {
        for options in ways(&ReadOptions::new()) {
            let found = read(&text, options.clone()).unwrap();
            assert_eq!(found.events.len(), events, "{text:?}");
            let lost = text.lines().count() - 1 - events;
            assert_eq!(found.report.count(Finding::TruncatedTails), lost as u64, "{text:?}");
            let strict = read(&text, options.strict(true));
            assert_eq!(strict.is_ok(), lost == 0, "{text:?}");
        }
    }
}

#[test]
fn a_last_time_is_judged_in_a_part_of_a_recording_as_in_the_whole() {
    let text =
        lines(200_000, "", |i| format!("{} {} {} {}", i % 300, i % 200, i % 2, 1_000_000 + i));
    let text = text.trim_end();
    let mut recording = Recording::from_bytes(text.as_bytes(), ReadOptions::new()).unwrap();
    for first in [1_000_000, 1_150_000, 1_199_998, 1_199_999] {
        recording.index().unwrap();
        let mut events = EventBatch::new();
        recording.slice(first..1_200_000).unwrap().read_to_end(&mut events).unwrap();
        assert_eq!(events.len() as i64, 1_200_000 - first);
    }
}

#[test]
fn what_is_not_a_table_of_events_says_what_to_do() {
    let unknown = lines(300, "", |i| format!("{} {} {} {}", i % 2, 100 * i, i % 340, i % 260));
    let error = read(&unknown, ReadOptions::new()).err().unwrap();
    assert_eq!(error.hints(), [Hint::NameColumns { example: "p,t,x,y".into() }], "{error}");
    let stated = ReadOptions::new().column_map("p,t,x,y".parse().unwrap());
    assert_eq!(read(&unknown, stated).unwrap().events.len(), 300);
    // Columns as they are stated or named, of which no line is an event.
    let wrong = ReadOptions::new().column_map("t,x,p,y".parse().unwrap());
    let text = lines(9, "", |i| format!("{i} 3 {} 1", 40 + i));
    assert!(read(&text, wrong).is_err());
}

#[test]
fn decimal_commas_are_read_where_they_are_certain() {
    let times = |text: &str| -> Vec<i64> {
        let found = read(text, ReadOptions::new()).unwrap();
        assert!(found.events.iter().all(|event| (event.x, event.y) == (3, 4)), "{text}");
        found.events.iter().map(|event| event.t).collect()
    };
    let expected: Vec<i64> = (0..9).map(|i| 100_000 * i + 12).collect();
    for (names, row) in [
        ("t;x;y;p\n", |i| format!("0,{i}00012;3;4;1")),
        ("", |i| format!("0,{i}00012;3;4;{}", i % 2)),
        ("", |i| format!("3\t4\t{}\t0,{i}00012", i % 2)),
        ("time (ms);x;y;p\n", |i| format!("{i}00,012;3;4;1")),
        ("t;x;y;p\n", |i| format!("{i},00012E-1;3;4;1;;")),
    ] as [(&str, fn(i64) -> String); 5]
    {
        assert_eq!(times(&lines(9, names, row)), expected, "{names}{}", row(1));
    }
    // A number of seconds without a comma, and a line that is too short by a column.
    let found = read("t;x;y;p\n0,5;3;4;1\n1;3;4;0\n0,7;3;4\n", ReadOptions::new()).unwrap();
    assert_eq!(found.events.iter().map(|event| event.t).collect::<Vec<_>>(), [500_000, 1_000_000]);
    assert_eq!(found.report.count(Finding::BadLines), 1);
    for (row, says) in [
        (|i| format!("{},{:03};3;4;1", i + 1, 100 * i), "between thousands"),
        (|i| format!("0,{i};3,5;4;1"), "none of the first 9 lines"),
        (|i| format!("{i};3,5;4;1"), "other than times"),
    ] as [(fn(i64) -> String, &str); 3]
    {
        let error = read(&lines(9, "t;x;y;p\n", row), ReadOptions::new()).err().unwrap();
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn words_for_polarities_are_known_or_named_in_the_error() {
    let words = |off: &str, on: &str| {
        lines(8, "t,x,y,p\n", |i| format!("{i},3,4,{}", if i % 2 == 0 { off } else { on }))
    };
    for (off, on) in [("neg", "pos"), ("Negative", "Positive"), ("OFF", "ON"), ("false", "TRUE")] {
        let found = read(&words(off, on), ReadOptions::new()).unwrap();
        assert!(found.events.iter().all(|event| i64::from(event.p) == event.t % 2), "{off}");
    }
    let error = read(&words("F", "T"), ReadOptions::new()).err().unwrap();
    assert!(error.to_string().contains("one of the words true, on"), "{error}");
    assert!(error.hints().is_empty(), "{error}");
}

#[test]
fn fractions_of_pixels_are_refused_or_rounded() {
    let text = lines(40, "t,x,y,p\n", |i| format!("{i},{}.25,{}.5,{}", i % 9, i % 7, i % 2));
    let error = read(&text, ReadOptions::new()).err().unwrap();
    assert_eq!(error.hints(), [Hint::RoundPixels], "{error}");
    let found = read(&text, ReadOptions::new().round(true)).unwrap();
    let rounded =
        |i: i64| Event { t: i, x: (i % 9) as u16, y: (i % 7) as u16 + 1, p: (i % 2) as u8 };
    assert_eq!(found.events, (0..40).map(rounded).collect::<Vec<_>>());
    let twice = read(&text, ReadOptions::new().scale(2.0)).unwrap();
    let twofold = |i: i64| [2 * (i % 9) as u16 + 1, 2 * (i % 7) as u16 + 1];
    assert!(twice.events.iter().zip(0..).all(|(event, i)| [event.x, event.y] == twofold(i)));
    let outside = lines(40, "t,x,y,p\n", |i| format!("{i},{}.25,4,1", i - 5));
    let found = read(&outside, ReadOptions::new().round(true)).unwrap();
    assert_eq!(found.events.len(), 35);
    assert_eq!(found.report.count(Finding::OutOfSensor), 5);
}

#[test]
fn a_size_line_may_be_turned_and_times_may_be_nanoseconds() {
    let text = lines(50, "180 240\n", |i| format!("0.{i:06} {} {} {}", 190 + i, 3 * i, i % 2));
    let found = read(&text, ReadOptions::new()).unwrap();
    assert_eq!(found.info.sensor, Some(SensorSize::new(240, 180)));
    assert_eq!((found.events.len(), found.info.sensor_source), (50, SensorSource::Header));
    assert_eq!(found.info.notes[0].hint, Some(Hint::StateSensor));
    let text = lines(100, "t,x,y,p\n", |i| format!("{},3,4,{}", 488_281 * i + 17, i % 2));
    let found = read(&text, ReadOptions::new()).unwrap();
    assert_eq!(found.info.notes[0].hint, Some(Hint::StateTimeUnit));
}

#[test]
fn the_text_of_e2vid_reads_back_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let many: EventBatch = (0..500)
        .map(|i| Event { t: 7 * i, x: (i % 240) as u16, y: (i % 180) as u16, p: (i % 2) as u8 })
        .collect();
    let single = |t, x, y, p| [Event { t, x, y, p }].into_iter().collect();
    let last = (1 << 52) - 1;
    for (number, events) in
        [many, single(0, 0, 0, 0), single(5, 1, 1, 1), single(last, 239, 179, 1)].iter().enumerate()
    {
        let path = folder.path().join(format!("{number}.txt"));
        let target = write::target("e2vid").unwrap();
        let spec = EventSpec::new(SensorSize::new(240, 180));
        let mut writer = write::create(&path, target, &spec, &WriteOptions::default()).unwrap();
        writer.write(events).unwrap();
        writer.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("240 180\n"));
        let found = read(&text, ReadOptions::new().strict(true)).unwrap();
        assert_eq!(found.events, events.iter().collect::<Vec<_>>());
        assert_eq!(found.info.sensor, Some(SensorSize::new(240, 180)));
    }
}

#[test]
fn columns_with_line_ends_of_all_kinds_are_sliced_alike() {
    let text =
        lines(150_000, "t;x;y;p\n", |i| format!("{};{};{};{}", 9 * i, i % 300, i % 200, i % 2));
    let expected = read(&text, ReadOptions::new()).unwrap().events;
    let slice = |text: &str| {
        let mut recording = Recording::from_bytes(text.as_bytes(), ReadOptions::new()).unwrap();
        let mut events = EventBatch::new();
        recording.slice(900_000..909_000).unwrap().read_to_end(&mut events).unwrap();
        events.iter().collect::<Vec<_>>()
    };
    for end in ["\n", "\r", "\r\n", ";\n", ";;\r\n"] {
        let text = text.replace('\n', end);
        for options in [ReadOptions::new(), ReadOptions::new().parallel(true)] {
            assert!(read(&text, options).unwrap().events == expected, "{end:?}");
        }
        assert_eq!(slice(&text), expected[100_000..101_000], "{end:?}");
    }
}

#[test]
fn the_damaged_and_unnamed_columns_of_the_bundled_texts_are_counted_alike() {
    for name in ["v2e_labelled.txt", "labels.csv", "on_off.csv", "carriage_returns.csv"] {
        let path = common::fixtures().join("good/csv").join(name);
        let text = std::fs::read_to_string(path).unwrap();
        let [one, two, three] =
            ways(&ReadOptions::new()).map(|options| read(&text, options).unwrap());
        assert!(one.events == two.events && two.events == three.events, "{name}");
        assert!(one.report == two.report && two.report == three.report, "{name}");
        assert!(one.report.is_sound(), "{name}: {:?}", one.report);
    }
}

/// File of a public report, how many events it has and how many of them are ON, or what the hint of the
/// error is.
type Expected = (&'static str, std::result::Result<(usize, usize), Hint>);

#[test]
fn texts_of_public_reports_are_read_or_refused_with_advice() {
    let Some(data) = common::shared_data() else { return };
    let cases = data.with_file_name("field").join("cases");
    if !cases.exists() {
        eprintln!("skipped: no texts of public reports at {}", cases.display());
        return;
    }
    let order = || Hint::NameColumns { example: "p,t,x,y".into() };
    let reports: [Expected; 12] = [
        ("csv-names-with-units/names_paren.csv", Ok((40, 26))),
        ("csv-names-with-units/names_space.csv", Ok((40, 26))),
        ("text-no-way-in/trailing_sep.csv", Ok((40, 26))),
        ("text-no-way-in/cr_only.csv", Ok((40, 26))),
        ("text-no-way-in/no_last_line_end.csv", Ok((2, 1))),
        ("text-no-way-in/OnOff-X-Y-Timestamp-TrueFalse.csv", Ok((10, 6))),
        ("text-no-way-in/p_first.txt", Err(order())),
        ("text-no-way-in/p_first_300.txt", Err(order())),
        ("v2e-text-hashbang/v2e-dvs-events.txt", Ok((20, 15))),
        ("v2e-text-hashbang/labelled.txt", Ok((20, 15))),
        ("polarity-1-2/p12.csv", Ok((40, 26))),
        ("fractional-pixels-arrays/frac.csv", Err(Hint::RoundPixels)),
    ];
    for (name, expected) in reports {
        let text = std::fs::read_to_string(cases.join(name)).unwrap();
        match (read(&text, ReadOptions::new()), expected) {
            (Ok(found), Ok(counts)) => {
                let on = found.events.iter().filter(|event| event.p == 1).count();
                assert_eq!((found.events.len(), on), counts, "{name}");
                assert!(found.report.is_sound(), "{name}: {:?}", found.report);
            }
            (Err(error), Err(hint)) => assert_eq!(error.hints(), [hint], "{name}: {error}"),
            (found, _) => panic!("{name}: {:?}", found.map(|found| found.events.len())),
        }
    }
}
