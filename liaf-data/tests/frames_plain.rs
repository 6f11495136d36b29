//! Frames against a binner of a few lines, on events of a seeded generator.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test program")]

use std::collections::HashMap;

use liaf_data::filter::Selection;
use liaf_data::frames::{
    BINARY, Binner, COUNT, CellValues, Cells, Crop, Dtype, Edge, Frame, FrameOptions, FrameReport,
    PolarityChannels, SIGNED, SpanFinder, TimePoint, TimeSpan, Window, WindowRule,
};
use liaf_data::{ErrorKind, Event, EventBatch, EventSink, Limits, Result, SensorSize};

const SENSOR: SensorSize = SensorSize::new(12, 10);

/// A small seeded generator (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// Events whose time goes forward by up to `step` and, one time in ten, back by up to `back`.
    fn events(&mut self, n: usize, step: u64, back: u64) -> EventBatch {
        let mut t = self.below(1000) as i64;
        (0..n)
            .map(|_| {
                t += self.below(step + 1) as i64;
                let mut late = 0;
                if back > 0 && self.below(10) == 0 {
                    late = self.below(back) as i64;
                }
                let (x, y) = (self.below(12) as u16, self.below(10) as u16);
                Event { t: t - late, x, y, p: self.below(2) as u8 }
            })
            .collect()
    }
}

type Made = Vec<(Window, Vec<f64>)>;

fn values(frame: &Frame) -> Vec<f64> {
    let Cells::Dense(cells) = &frame.cells else { panic!("not dense") };
    match cells {
        CellValues::U8(cells) => cells.iter().map(|&cell| cell.into()).collect(),
        CellValues::U16(cells) => cells.iter().map(|&cell| cell.into()).collect(),
        CellValues::I16(cells) => cells.iter().map(|&cell| cell.into()).collect(),
        CellValues::F32(cells) => cells.iter().map(|&cell| cell.into()).collect(),
    }
}

fn span(options: &FrameOptions, sensor: SensorSize, batches: &[EventBatch]) -> Result<TimeSpan> {
    let mut finder = SpanFinder::new(options, sensor)?;
    batches.iter().try_for_each(|batch| finder.push(batch))?;
    Ok(finder.span())
}

fn bin(
    options: &FrameOptions,
    sensor: SensorSize,
    batches: &[EventBatch],
) -> Result<(Made, FrameReport)> {
    let span = if options.needs_span() { Some(span(options, sensor, batches)?) } else { None };
    let mut made = Made::new();
    let mut sink = |frame: &Frame| {
        made.push((frame.window, values(frame)));
        Ok(())
    };
    let mut binner = Binner::new(options, sensor, span)?;
    for batch in batches {
        binner.push(batch, &mut sink)?;
    }
    let report = binner.finish(&mut sink)?;
    assert_eq!(report.frames, made.len() as u64);
    let events: usize = batches.iter().map(EventBatch::len).sum();
    assert_eq!(report.events(), events as u64, "{options:?}: {report:?}");
    Ok((made, report))
}

fn at(times: &[i64]) -> EventBatch {
    times.iter().map(|&t| Event { t, x: 1, y: 2, p: 1 }).collect()
}

fn sums(made: &Made) -> Vec<f64> {
    made.iter().map(|(_, cells)| cells.iter().sum()).collect()
}

fn starts(made: &Made) -> Vec<i64> {
    made.iter().map(|(window, _)| window.start).collect()
}

fn by_time(us: i64, overlap: i64) -> FrameOptions {
    FrameOptions { windows: WindowRule::Time { us, overlap }, ..FrameOptions::default() }
}

fn by_rule(windows: WindowRule, edge: Edge) -> FrameOptions {
    FrameOptions { windows, edge, ..FrameOptions::default() }
}

/// All frames at once from windows that are known: each event goes to every window that holds it.
fn plain(events: &[Event], windows: &[Window]) -> Vec<HashMap<(u8, u16, u16), f64>> {
    let mut frames = vec![HashMap::new(); windows.len()];
    for event in events {
        for (frame, window) in frames.iter_mut().zip(windows) {
            if (window.start..window.end).contains(&event.t) {
                *frame.entry((event.p, event.y, event.x)).or_default() += 1.0;
            }
        }
    }
    frames
}

fn assert_plain(made: &Made, events: &[Event]) {
    let windows: Vec<Window> = made.iter().map(|(window, _)| *window).collect();
    for ((_, cells), expected) in made.iter().zip(plain(events, &windows)) {
        assert_eq!(cells.iter().sum::<f64>(), expected.values().sum::<f64>());
        for ((p, y, x), count) in expected {
            let place = usize::from(p) * 120 + usize::from(y) * 12 + usize::from(x);
            assert_eq!(cells[place], count);
        }
    }
}

/// Windows by time that fit the definition and hold what is within them, for sorted events and for
/// events out of order by less than the slack.
#[test]
fn windows_by_time_hold_the_events_of_their_time() {
    let mut random = Random(1);
    for round in 0..60 {
        let us = 1 + random.below(400) as i64;
        let overlap = if round % 2 == 0 { 0 } else { random.below(us as u64) as i64 };
        let back = [0, 50, 5_000][round % 3];
        let events = random.events(2000, 20, back);
        let mut options = by_time(us, overlap);
        options.limits.open_frames_bytes = 1 << 30;
        let (made, report) = bin(&options, SENSOR, std::slice::from_ref(&events)).unwrap();
        let t0 = events.t()[0];
        let last = *events.t().iter().max().unwrap();
        let stride = us - overlap;
        assert_eq!(made.len() as i64, (last - t0) / stride + 1);
        for (k, (window, _)) in made.iter().enumerate() {
            let start = t0 + k as i64 * stride;
            assert_eq!(*window, Window { start, end: start + us });
        }
        let clamped: Vec<Event> =
            events.iter().map(|event| Event { t: event.t.max(t0), ..event }).collect();
        if overlap == 0 || events.t().iter().all(|&t| t >= t0) {
            assert_plain(&made, &clamped);
        }
        assert_eq!(report.kept, 2000);
        assert_eq!(report.binned as f64, sums(&made).iter().sum::<f64>());
        assert_eq!(report.late, events.t().iter().filter(|&&t| t < t0).count() as u64);
    }
}

fn all_rules(random: &mut Random) -> Vec<FrameOptions> {
    let n = 1 + random.below(12);
    let us = 1 + random.below(3000) as i64;
    let events = 1 + random.below(500);
    let rules = [
        WindowRule::Time { us, overlap: 0 },
        WindowRule::Time { us, overlap: us / 2 },
        WindowRule::Count { events, overlap: 0 },
        WindowRule::Count { events, overlap: events / 3 },
        WindowRule::Bins { n },
        WindowRule::EventBins { n },
    ];
    let edges = [Edge::All, Edge::Tonic, Edge::SpikingJelly, Edge::SpikingJelly2];
    let mut all = Vec::new();
    for windows in rules {
        for edge in edges {
            for (representation, polarity, dtype) in [
                (&COUNT, PolarityChannels::Split, Dtype::U16),
                (&COUNT, PolarityChannels::Split, Dtype::U8),
                (&BINARY, PolarityChannels::Split, Dtype::U8),
                (&COUNT, PolarityChannels::Merged, Dtype::F32),
                (&SIGNED, PolarityChannels::Split, Dtype::I16),
                (&SIGNED, PolarityChannels::Split, Dtype::F32),
            ] {
                let slack = random.below(2000) as i64;
                let crop = (random.below(3) == 0).then_some(Crop { x: 2, y: 1, w: 9, h: 8 });
                let size = (random.below(3) == 0).then_some(SensorSize::new(5, 4));
                let from = (random.below(3) == 0).then_some(TimePoint::Relative(2_000));
                let to = (random.below(3) == 0).then_some(TimePoint::Absolute(15_000));
                let options = FrameOptions {
                    representation,
                    polarity,
                    dtype,
                    slack,
                    size,
                    selection: Selection { from, to, crop, ..Selection::default() },
                    ..by_rule(windows, edge)
                };
                if options.check(SENSOR).is_ok() {
                    all.push(options);
                }
            }
        }
    }
    assert!(all.len() > 80);
    all
}

#[test]
fn frames_do_not_depend_on_how_events_are_cut_into_batches() {
    let mut random = Random(2);
    for round in 0..6 {
        let events = random.events(5_000, 8, [0, 100, 10_000][round % 3]);
        for options in all_rules(&mut random) {
            let whole = bin(&options, SENSOR, std::slice::from_ref(&events)).unwrap();
            let mut batches = Vec::new();
            let mut first = 0;
            while first < events.len() {
                let last = (first + random.below(900) as usize).min(events.len());
                let mut batch = EventBatch::new();
                batch.extend_from(&events[first..last]);
                batches.push(batch);
                first = last;
            }
            assert_eq!(bin(&options, SENSOR, &batches).unwrap(), whole, "{options:?}");
        }
    }
}

#[test]
fn nothing_is_lost_unsaid() {
    let mut random = Random(3);
    for round in 0..6 {
        let mut events = random.events(5_000, 8, [0, 100, 10_000][round % 3]);
        events.x_mut()[17] = 12;
        events.y_mut()[4000] = u16::MAX;
        for options in all_rules(&mut random) {
            let (made, report) = bin(&options, SENSOR, std::slice::from_ref(&events)).unwrap();
            let overlaps = report.binned > report.kept;
            if options.representation == &COUNT && options.dtype != Dtype::U8 {
                assert_eq!(sums(&made).iter().sum::<f64>(), report.binned as f64, "{options:?}");
            }
            if options.edge == Edge::All {
                assert!(overlaps || report.binned == report.kept);
                let filtered = options.selection.from.is_some() || options.selection.to.is_some();
                assert!(filtered || report.out_of_window == 0, "{options:?} {report:?}");
            }
            let crop = options.selection.crop.unwrap_or(Crop { x: 0, y: 0, w: 12, h: 10 });
            if options.selection.crop.is_none()
                && options.selection.from.is_none()
                && options.selection.to.is_none()
            {
                assert_eq!(report.out_of_crop, 2);
            }
            assert!(crop.w < 12 || report.out_of_crop <= 2);
        }
    }
}

#[test]
fn cropping_first_gives_the_same_frames() {
    let mut random = Random(4);
    let events = random.events(5_000, 8, 500);
    for options in all_rules(&mut random) {
        let (made, _) = bin(&options, SENSOR, std::slice::from_ref(&events)).unwrap();
        let crop = options.selection.crop.unwrap_or(Crop { x: 0, y: 0, w: 12, h: 10 });
        let small = SensorSize::new(crop.w, crop.h);
        let first = events.t()[0];
        let point = |point| match point {
            TimePoint::Relative(us) => first + us,
            TimePoint::Absolute(us) => us,
        };
        let from = options.selection.from.map(point);
        let to = options.selection.to.map(point);
        let moved: EventBatch = events
            .iter()
            .filter(|event| from.is_none_or(|from| event.t >= from))
            .filter(|event| to.is_none_or(|to| event.t < to))
            .filter(|event| (crop.x..crop.x + crop.w).contains(&event.x))
            .filter(|event| (crop.y..crop.y + crop.h).contains(&event.y))
            .map(|event| Event { x: event.x - crop.x, y: event.y - crop.y, ..event })
            .collect();
        let again = FrameOptions {
            selection: Selection {
                from: from.map(TimePoint::Absolute),
                to: to.map(TimePoint::Absolute),
                ..Selection::default()
            },
            ..options.clone()
        };
        assert_eq!(bin(&again, small, &[moved]).unwrap().0, made, "{options:?}");
    }
}

#[test]
fn late_events_go_to_the_oldest_open_frame() {
    // Windows 0..10, 10..20, …; slack 10: a window is closed once an event comes 10 µs behind it.
    let options = FrameOptions { slack: 10, ..by_time(10, 0) };
    let trace = |times: &[i64]| {
        let (made, report) = bin(&options, SENSOR, &[at(times)]).unwrap();
        (sums(&made), report.late)
    };
    assert_eq!(trace(&[0, 19, 5]), (vec![2.0, 1.0], 0));
    assert_eq!(trace(&[0, 20, 5]), (vec![1.0, 1.0, 1.0], 1));
    assert_eq!(trace(&[0, 35, 5, 19]), (vec![1.0, 0.0, 2.0, 1.0], 2));
    assert_eq!(trace(&[0, 5, -3]), (vec![3.0], 1));
    assert_eq!(trace(&[0, 20, -3]), (vec![1.0, 1.0, 1.0], 1));
    // The slack counts from the latest time, also of an event that shares a window with others.
    assert_eq!(trace(&[0, 15, 19, 29, 21, 9]), (vec![1.0, 3.0, 2.0], 1));
    // So 0..10 is closed at 15 with a slack of 5, though 15 opens no window.
    let options = FrameOptions { slack: 5, ..by_time(10, 0) };
    let (made, report) = bin(&options, SENSOR, &[at(&[0, 10, 15, 3])]).unwrap();
    assert_eq!((sums(&made), report.late), (vec![1.0, 3.0], 1));
    // With overlap: windows 0..10, 5..15, 10..20, 15..25, 20..30.
    let options = FrameOptions { slack: 5, ..by_time(10, 5) };
    let (made, report) = bin(&options, SENSOR, &[at(&[0, 20, 12, 7])]).unwrap();
    assert_eq!(starts(&made), [0, 5, 10, 15, 20]);
    // At 20, 0..10 and 5..15 are closed. 12 misses 5..15; 7 misses both of its windows.
    assert_eq!(sums(&made), [1.0, 0.0, 2.0, 1.0, 1.0]);
    assert_eq!((report.kept, report.late, report.binned), (4, 2, 5));
}

#[test]
fn memory_shortens_the_slack_and_says_so() {
    let frame = 2 * 12 * 10 * 2;
    let limits = Limits { open_frames_bytes: 4 * frame, ..Limits::default() };
    let options = FrameOptions { limits, ..by_time(10, 0) };
    let (made, report) = bin(&options, SENSOR, &[at(&[0, 10, 20, 30, 2, 40, 3])]).unwrap();
    assert_eq!(sums(&made), [2.0, 2.0, 1.0, 1.0, 1.0]);
    assert_eq!(report.late, 1);
    assert!(report.notes[0].contains("no more than 4 frames"), "{:?}", report.notes);
    let none = bin(&options, SENSOR, &[at(&[0, 10, 20, 30, 40])]).unwrap().1;
    assert!(none.notes.is_empty());
    let overlapping = FrameOptions { limits, ..by_time(10, 8) };
    assert_eq!(overlapping.check(SENSOR).unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn windows_begin_at_from_and_end_at_the_last_event_or_to() {
    let times = [100, 107, 131, 160];
    let select = |from, to| FrameOptions {
        selection: Selection { from, to, ..Selection::default() },
        ..by_time(10, 0)
    };
    let from = |from| select(Some(from), None);
    let (made, report) = bin(&from(TimePoint::Relative(5)), SENSOR, &[at(&times)]).unwrap();
    assert_eq!(starts(&made), [105, 115, 125, 135, 145, 155]);
    assert_eq!(sums(&made), [1.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
    assert_eq!((report.kept, report.out_of_window), (3, 1));
    let (made, report) = bin(&from(TimePoint::Absolute(107)), SENSOR, &[at(&times)]).unwrap();
    assert_eq!((sums(&made)[0], report.kept), (1.0, 3));
    let (made, _) = bin(&from(TimePoint::Absolute(85)), SENSOR, &[at(&[100])]).unwrap();
    assert_eq!(starts(&made), [85, 95]);
    let to = select(None, Some(TimePoint::Absolute(134)));
    let (made, _) = bin(&to, SENSOR, &[at(&times)]).unwrap();
    assert_eq!(made.last().unwrap().0, Window { start: 130, end: 134 });
    // The end is after the last event, and may be within a window.
    let to = select(None, Some(TimePoint::Absolute(195)));
    let (made, report) = bin(&to, SENSOR, &[at(&times)]).unwrap();
    assert_eq!(starts(&made), (100..200).step_by(10).collect::<Vec<_>>());
    assert_eq!(made.last().unwrap().0, Window { start: 190, end: 195 });
    assert_eq!((sums(&made)[6..].to_vec(), report.frames), (vec![1.0, 0.0, 0.0, 0.0], 10));
    let second = select(Some(TimePoint::Relative(0)), Some(TimePoint::Relative(100)));
    assert_eq!(bin(&second, SENSOR, &[at(&times)]).unwrap().0.len(), 10);
    let overlapping = FrameOptions { windows: WindowRule::Time { us: 30, overlap: 20 }, ..second };
    let (made, _) = bin(&overlapping, SENSOR, &[at(&times)]).unwrap();
    assert_eq!(made.last().unwrap().0, Window { start: 190, end: 200 });
    let tonic = FrameOptions { edge: Edge::Tonic, ..to.clone() };
    assert_eq!(bin(&tonic, SENSOR, &[at(&times)]).unwrap().0.len(), 6);
    // Before anything is made, too many frames are refused, however far away the end is.
    for end in [200, i64::MAX] {
        let mut far = select(None, Some(TimePoint::Absolute(end)));
        far.limits.frames = 9;
        let error = bin(&far, SENSOR, &[at(&times[..1])]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        assert!(error.to_string().contains("the chosen end"), "{error}");
    }
    let none = select(Some(TimePoint::Absolute(1000)), Some(TimePoint::Absolute(134)));
    assert!(none.check(SENSOR).is_err());
    let none = from(TimePoint::Absolute(1000));
    let (made, report) = bin(&none, SENSOR, &[at(&times)]).unwrap();
    assert_eq!((made.len(), report.out_of_window), (0, 4));
}

#[test]
fn many_late_events_are_noted() {
    let mut times = vec![0, 900_000_000];
    times.extend(1..50);
    let (made, report) = bin(&by_time(10_000, 0), SENSOR, &[at(&times)]).unwrap();
    assert_eq!((made.len(), report.late), (90_001, 49));
    assert!(report.notes[0].contains("from 0 µs to 900000000 µs"), "{:?}", report.notes);
}

#[test]
fn a_binner_is_a_sink_of_events() {
    let mut made = 0;
    let mut frames = |_: &Frame| {
        made += 1;
        Ok(())
    };
    let mut binner = Binner::new(&by_time(10, 0), SENSOR, None).unwrap();
    binner.to(&mut frames).events(&mut at(&[0, 10, 20]), 0).unwrap();
    assert_eq!(binner.report().kept, 3);
    assert_eq!(binner.finish(&mut frames).unwrap().frames, 3);
    assert_eq!(made, 3);
}

#[test]
fn no_events_make_no_frames() {
    let mut random = Random(5);
    for options in all_rules(&mut random) {
        let (made, report) = bin(&options, SENSOR, &[]).unwrap();
        assert!(made.is_empty());
        assert_eq!(report, FrameReport::default());
    }
}

#[test]
fn a_gap_ends_in_an_error_that_names_it() {
    for times in [[0, 7, 1_700_000_000_000_000], [-1_700_000_000_000_000, 0, 7]] {
        for edge in [Edge::All, Edge::Tonic, Edge::SpikingJelly2] {
            let options = FrameOptions { edge, ..by_time(10_000, 0) };
            let error = bin(&options, SENSOR, &[at(&times)]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Limit);
            let text = error.to_string();
            assert!(text.contains("1700000000000000"), "{text}");
            assert!(error.hints()[0].to_string().contains("windows"), "{text}");
        }
    }
    let selection = Selection { from: Some(TimePoint::Absolute(0)), ..Selection::default() };
    let options = FrameOptions { selection, ..by_time(10_000, 0) };
    let error = bin(&options, SENSOR, &[at(&[1_589_163_147_368_868])]).unwrap_err();
    assert!(error.to_string().contains("the chosen start at 0 µs"), "{error}");
    let limits = Limits { output_bytes: 10 * 480, ..Limits::default() };
    let options = FrameOptions { limits, ..by_time(10, 0) };
    assert!(bin(&options, SENSOR, &[at(&[0, 99])]).is_ok());
    assert_eq!(bin(&options, SENSOR, &[at(&[0, 100])]).unwrap_err().kind(), ErrorKind::Limit);
    let options = FrameOptions { edge: Edge::Tonic, ..options };
    assert!(bin(&options, SENSOR, &[at(&[0, 109])]).is_ok());
    for windows in [WindowRule::Bins { n: 11 }, WindowRule::EventBins { n: 11 }] {
        let error = by_rule(windows, Edge::All);
        let error = FrameOptions { limits, ..error }.check(SENSOR).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
    }
    let counted = by_rule(WindowRule::Count { events: 1, overlap: 0 }, Edge::All);
    let counted = FrameOptions { limits, ..counted };
    assert!(bin(&counted, SENSOR, &[at(&[0; 10])]).is_ok());
    assert_eq!(bin(&counted, SENSOR, &[at(&[0; 11])]).unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn the_ends_of_time_do_not_overflow() {
    let ends = [i64::MAX, i64::MIN, 0, -1, i64::MAX - 1, i64::MIN + 1];
    let mut random = Random(6);
    for mut options in all_rules(&mut random) {
        for us in [1, 10_000, i64::MAX] {
            if let WindowRule::Time { us: length, overlap } = &mut options.windows {
                (*length, *overlap) = (us, 0);
            }
            for from in [None, Some(i64::MIN), Some(0), Some(i64::MAX - 1)] {
                let point = from.map(TimePoint::Absolute);
                for slack in [0, i64::MAX] {
                    let selection = Selection { from: point, ..Selection::default() };
                    let options = FrameOptions { selection, slack, ..options.clone() };
                    for times in [&ends[..1], &ends[1..2], &ends[..2], &ends[1..3], &ends[..]] {
                        match bin(&options, SENSOR, &[at(times)]) {
                            Ok(_) => {}
                            Err(error) => assert_eq!(error.kind(), ErrorKind::Limit, "{error}"),
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn counts_saturate_and_every_cell_that_lost_is_counted_once() {
    let make_of = |representation, dtype, polarity, events: &EventBatch| {
        let options = FrameOptions { representation, dtype, polarity, ..by_time(10, 0) };
        let (made, report) = bin(&options, SENSOR, std::slice::from_ref(events)).unwrap();
        (
            made[0]
                .1
                .iter()
                .copied()
                .fold((0.0, 0.0), |(lo, hi): (f64, f64), v| (lo.min(v), hi.max(v))),
            report.saturated_cells,
        )
    };
    let make = |dtype, polarity, events: &EventBatch| make_of(&COUNT, dtype, polarity, events);
    let signed =
        |dtype, events: &EventBatch| make_of(&SIGNED, dtype, PolarityChannels::Split, events);
    let many = |n: usize, p: u8| (0..n).map(move |_| Event { t: 0, x: 3, y: 4, p });
    let mut events: EventBatch = many(300, 1).collect();
    assert_eq!(make(Dtype::U8, PolarityChannels::Split, &events), ((0.0, 255.0), 1));
    events.extend(many(256, 0));
    assert_eq!(make(Dtype::U8, PolarityChannels::Split, &events), ((0.0, 255.0), 2));
    assert_eq!(make(Dtype::U8, PolarityChannels::Merged, &events), ((0.0, 255.0), 1));
    assert_eq!(make(Dtype::U16, PolarityChannels::Merged, &events), ((0.0, 556.0), 0));
    let events: EventBatch = many(65_535, 1).collect();
    assert_eq!(make(Dtype::U16, PolarityChannels::Split, &events), ((0.0, 65_535.0), 0));
    assert_eq!(make(Dtype::I16, PolarityChannels::Split, &events), ((0.0, 32_767.0), 1));
    let events: EventBatch = many(65_536, 1).collect();
    assert_eq!(make(Dtype::U16, PolarityChannels::Split, &events), ((0.0, 65_535.0), 1));
    assert_eq!(make(Dtype::F32, PolarityChannels::Split, &events), ((0.0, 65_536.0), 0));
    let events: EventBatch = many(32_769, 0).collect();
    assert_eq!(signed(Dtype::I16, &events), ((-32_768.0, 0.0), 1));
    assert_eq!(signed(Dtype::F32, &events), ((-32_769.0, 0.0), 0));
    // The memory of a frame that lost something is used again, clean.
    let mut events: EventBatch = many(300, 1).collect();
    events.push(Event { t: 1_000_000, x: 3, y: 4, p: 1 });
    let options = FrameOptions { dtype: Dtype::U8, slack: 0, ..by_time(10, 0) };
    let (made, report) = bin(&options, SENSOR, &[events]).unwrap();
    assert_eq!(
        (sums(&made)[0], *sums(&made).last().unwrap(), report.saturated_cells),
        (255.0, 1.0, 1)
    );
}

#[test]
fn what_one_frame_lost_is_not_counted_for_the_next() {
    let events: EventBatch =
        (0..500).map(|i| Event { t: if i < 300 { 0 } else { 1_000 }, x: 3, y: 4, p: 1 }).collect();
    let options = FrameOptions { dtype: Dtype::U8, slack: 0, ..by_time(10, 0) };
    let (made, report) = bin(&options, SENSOR, &[events]).unwrap();
    assert_eq!((sums(&made)[0], sums(&made)[100], report.saturated_cells), (255.0, 200.0, 1));
}

#[test]
fn edges_by_hand() {
    let make = |windows, edge, times: &[i64]| {
        let (made, report) = bin(&by_rule(windows, edge), SENSOR, &[at(times)]).unwrap();
        (sums(&made), report.out_of_window)
    };
    use Edge::{All, SpikingJelly, SpikingJelly2, Tonic};
    let time = WindowRule::Time { us: 10, overlap: 0 };
    let times = [0, 3, 10, 25, 30];
    assert_eq!(make(time, All, &times), (vec![2.0, 1.0, 1.0, 1.0], 0));
    assert_eq!(make(time, Tonic, &times), (vec![2.0, 1.0, 1.0], 1));
    assert_eq!(make(time, SpikingJelly, &times), (vec![3.0, 2.0], 0));
    assert_eq!(make(time, SpikingJelly2, &times), (vec![2.0, 1.0, 2.0], 0));
    assert_eq!(make(time, Tonic, &[5]), (vec![1.0], 0));
    assert_eq!(make(time, SpikingJelly2, &[5, 5]), (vec![2.0], 0));
    let bins = WindowRule::Bins { n: 3 };
    assert_eq!(make(bins, All, &times), (vec![3.0, 0.0, 2.0], 0));
    assert_eq!(make(bins, Tonic, &times), (vec![2.0, 1.0, 1.0], 1));
    assert_eq!(make(bins, SpikingJelly, &times), (vec![2.0, 1.0, 2.0], 0));
    assert_eq!(make(bins, Tonic, &[7]), (vec![0.0, 0.0, 0.0], 1));
    assert_eq!(make(bins, All, &[7]), (vec![1.0, 0.0, 0.0], 0));
    assert_eq!(make(bins, SpikingJelly, &[7, 8]), (vec![0.0, 0.0, 2.0], 0));
    let event_bins = WindowRule::EventBins { n: 2 };
    assert_eq!(make(event_bins, All, &times), (vec![3.0, 2.0], 0));
    assert_eq!(make(event_bins, Tonic, &times), (vec![2.0, 2.0], 1));
    assert_eq!(make(event_bins, SpikingJelly, &times), (vec![2.0, 3.0], 0));
    assert_eq!(make(event_bins, Tonic, &[1]), (vec![0.0, 0.0], 1));
    let count = WindowRule::Count { events: 2, overlap: 0 };
    assert_eq!(make(count, All, &times), (vec![2.0, 2.0, 1.0], 0));
    assert_eq!(make(count, Tonic, &times), (vec![2.0, 2.0], 1));
    assert_eq!(make(count, Tonic, &[1]), (vec![1.0], 0));
    let count = WindowRule::Count { events: 3, overlap: 1 };
    assert_eq!(make(count, All, &times), (vec![3.0, 3.0, 1.0], 0));
    assert_eq!(make(count, Tonic, &times), (vec![3.0, 3.0], 0));
}

#[test]
fn windows_of_counts_span_their_events() {
    let options = by_rule(WindowRule::Count { events: 2, overlap: 0 }, Edge::All);
    let (made, _) = bin(&options, SENSOR, &[at(&[5, 9, 30, 20, 40])]).unwrap();
    let windows: Vec<_> = made.iter().map(|(window, _)| (window.start, window.end)).collect();
    assert_eq!(windows, [(5, 10), (20, 31), (40, 41)]);
    let options = by_rule(WindowRule::EventBins { n: 4 }, Edge::All);
    let (made, _) = bin(&options, SENSOR, &[at(&[5, 9])]).unwrap();
    let windows: Vec<_> = made.iter().map(|(window, _)| (window.start, window.end)).collect();
    assert_eq!(windows, [(5, 6), (6, 6), (9, 10), (10, 10)]);
}

#[test]
fn what_does_not_fit_is_refused_before_any_work() {
    let base = FrameOptions::default();
    let time = |us, overlap| by_rule(WindowRule::Time { us, overlap }, Edge::All);
    let count = |events, overlap| by_rule(WindowRule::Count { events, overlap }, Edge::All);
    let crop = |x, y, w, h| base.clone().selection(Selection::default().crop(x, y, w, h));
    let size = |w, h| base.clone().size(w, h);
    let bad = [
        time(0, 0),
        time(-5, 0),
        time(10, 10),
        time(10, -1),
        count(0, 0),
        count(5, 5),
        by_rule(WindowRule::Bins { n: 0 }, Edge::All),
        by_rule(WindowRule::EventBins { n: 0 }, Edge::All),
        by_rule(WindowRule::Count { events: 5, overlap: 0 }, Edge::SpikingJelly),
        FrameOptions { edge: Edge::SpikingJelly, ..time(10, 5) },
        base.clone().representation(&SIGNED).dtype(Dtype::U16),
        base.clone().representation(&SIGNED).dtype(Dtype::U8),
        crop(0, 0, 0, 1),
        crop(3, 0, 10, 1),
        crop(0, u16::MAX, 1, u16::MAX),
        size(13, 10),
        size(0, 1),
        size(6, 5).selection(Selection::default().crop(0, 0, 5, 5)),
        FrameOptions { slack: -1, ..base.clone() },
        base.clone().selection(
            Selection::default().between(TimePoint::Relative(5), TimePoint::Relative(5)),
        ),
    ];
    for options in bad {
        let error = options.check(SENSOR).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Caller, "{options:?}");
        assert!(error.to_string().contains("expected"), "{error}");
        assert!(Binner::new(&options, SENSOR, None).is_err());
    }
    assert_eq!(base.check(SensorSize::new(0, 5)).unwrap_err().kind(), ErrorKind::Caller);
    let huge = base.check(SensorSize::new(u16::MAX, u16::MAX)).unwrap_err();
    assert_eq!(huge.kind(), ErrorKind::Limit);
    let bins = by_rule(WindowRule::Bins { n: 2 }, Edge::All);
    assert_eq!(Binner::new(&bins, SENSOR, None).unwrap_err().kind(), ErrorKind::Caller);
    let mut other = TimeSpan::default();
    other.extend(&[0; 7]);
    let mut binner = Binner::new(&bins, SENSOR, Some(other)).unwrap();
    binner.push(&at(&[1, 2]), &mut |_: &Frame| Ok(())).unwrap();
    assert!(binner.finish(&mut |_: &Frame| Ok(())).is_err());
}
