//! Windows by time, by count and in bins: where they begin and end, and which events they take.

use super::*;

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
    assert!(report.notes[0].contains("at most 4 frames"), "{:?}", report.notes);
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
