//! Frames of events that are out of order and are to be sorted: they equal the frames of the sorted
//! events, whatever the windows, the choice, the filters and the batches.

use std::ops::ControlFlow;

use liaf_data::convert::make_frames;
use liaf_data::filter::{Chain, Polarity};
use liaf_data::{ReadOptions, Recording};

use super::*;

/// The chosen events as a plain stable sort has them, and how many of them were out of place.
fn sorted(options: &FrameOptions, events: &EventBatch) -> (EventBatch, u64) {
    let choice = Selection { filters: Vec::new(), ..options.selection.clone() };
    let mut chosen = events.clone();
    Chain::new(&choice, SENSOR).unwrap().apply(&mut chosen);
    let mut latest = i64::MIN;
    let mut moved = 0;
    for &t in chosen.t() {
        moved += u64::from(t < latest);
        latest = latest.max(t);
    }
    let mut all: Vec<Event> = chosen.iter().collect();
    all.sort_by_key(|event| event.t);
    (all.into_iter().collect(), moved)
}

/// The options for events that were chosen and sorted already: only filters and the interval of time,
/// at which windows begin and end, are left.
fn of_sorted(options: &FrameOptions, first: i64) -> FrameOptions {
    let on_clock =
        |point: Option<TimePoint>| point.map(|point| TimePoint::Absolute(point.on_clock(first)));
    let Selection { from, to, filters, .. } = options.selection.clone();
    let (from, to) = (on_clock(from), on_clock(to));
    let selection = Selection { from, to, filters, ..Selection::default() };
    FrameOptions { selection, sort: false, ..options.clone() }
}

/// What a binner makes that sorts, in as many passes as it needs.
fn bin_sorting(options: &FrameOptions, batches: &[EventBatch]) -> (Made, FrameReport) {
    let pass = |mut finder: SpanFinder| {
        batches.iter().try_for_each(|batch| finder.push(batch)).unwrap();
        finder.finish().unwrap()
    };
    let mut span = pass(SpanFinder::new(options, SENSOR).unwrap());
    if options.needs_span_again(&span) {
        span = pass(SpanFinder::again(options, SENSOR, &span).unwrap());
    }
    let mut made = Made::new();
    let mut sink = |frame: &Frame| {
        made.push((frame.window, values(frame)));
        Ok(())
    };
    let mut binner = Binner::new(options, SENSOR, Some(span)).unwrap();
    batches.iter().for_each(|batch| binner.push(batch, &mut sink).unwrap());
    let report = binner.finish(&mut sink).unwrap();
    (made, report)
}

/// What a recording of these events gives, as a file in memory; nothing if the interval has none of them.
fn of_recording(options: &FrameOptions, events: &EventBatch) -> Option<(Made, FrameReport)> {
    let lines = events.iter().map(|Event { t, x, y, p }| format!("{t},{x},{y},{p}\n"));
    let text: String = ["t,x,y,p\n".to_owned()].into_iter().chain(lines).collect();
    let read = ReadOptions { sensor: Some(SENSOR), ..ReadOptions::default() };
    let mut recording = Recording::from_bytes(text.into_bytes(), read).unwrap();
    let mut made = Made::new();
    let mut sink = |frame: &Frame| {
        made.push((frame.window, values(frame)));
        Ok(())
    };
    let framed =
        make_frames(&mut recording, options, &mut sink, &mut |_| ControlFlow::Continue(()));
    // An interval that no event is near is refused.
    let is_beside =
        |error: &liaf_data::Error| error.to_string().contains("in the chosen interval of time");
    let report = match framed {
        Err(error) if is_beside(&error) => return None,
        framed => framed.unwrap().frames,
    };
    let frames = recording.frames(options.clone()).unwrap().map(Result::unwrap);
    let again: Made = frames.map(|frame| (frame.window, values(&frame))).collect();
    assert_eq!(again, made);
    Some((made, report))
}

#[test]
fn sorted_frames_are_those_of_sorted_events() {
    let mut random = Random(21);
    let (mut cases, mut with_filters) = (0, 0);
    for round in 0..6 {
        let n = random.below(400) as usize;
        let (step, back) = (1 + random.below(100), random.below(9_000));
        let events = random.events(n, step, back);
        let Some(&first) = events.t().first() else { continue };
        for mut options in all_rules(&mut random) {
            options.sort = true;
            let selection = options.selection.clone();
            options.selection = match random.below(4) {
                0 => selection.filter("refractory:period=200us".parse().unwrap()),
                1 => selection.polarity(Polarity::On),
                _ => selection,
            };
            let (sorted, moved) = sorted(&options, &events);
            let sensor = options.selection.check(SENSOR).unwrap();
            let plain = of_sorted(&options, first);
            let (expected, mut counts) = bin(&plain, sensor, &[sorted]).unwrap();
            assert_eq!(counts.late, 0, "{options:?}");
            let whole = std::slice::from_ref(&events);
            let (made, report) = bin_sorting(&options, whole);
            assert_eq!(made, expected, "{options:?}");
            assert_eq!((report.moved, report.late), (moved, 0));
            // What was not chosen is counted in the one, and was left out for the other.
            counts.moved = moved;
            (counts.out_of_window, counts.out_of_crop) = (report.out_of_window, report.out_of_crop);
            let rows = |report: &FrameReport| report.filtered.last().map(|row| row.events);
            if !options.selection.filters.is_empty() {
                assert_eq!(rows(&report), rows(&counts));
                with_filters += u64::from(rows(&report) > Some(0));
            }
            counts.filtered.clone_from(&report.filtered);
            assert_eq!(report, counts);
            assert_eq!(report.events(), n as u64);
            let cut = 1 + random.below(50) as usize;
            let batches: Vec<EventBatch> = whole[0][..]
                .iter()
                .collect::<Vec<_>>()
                .chunks(cut)
                .map(|part| part.iter().copied().collect())
                .collect();
            assert_eq!(bin_sorting(&options, &batches), (made.clone(), report.clone()));
            if round == 0 || cases % 7 == 0 {
                match of_recording(&options, &events) {
                    Some(found) => assert_eq!(found, (made, report)),
                    None => assert_eq!(report.kept, 0, "{options:?}"),
                }
            }
            cases += 1;
        }
    }
    assert!(cases > 300 && with_filters > 30, "{cases} cases, {with_filters} with filters");
}

#[test]
fn many_events_are_sorted_in_rounds() {
    let events = Random(5).events(300_000, 3, 2_000);
    for windows in [WindowRule::Time { us: 10_000, overlap: 0 }, WindowRule::EventBins { n: 7 }] {
        let options = FrameOptions { sort: true, ..by_rule(windows, Edge::All) };
        let (sorted, moved) = sorted(&options, &events);
        let (made, report) = of_recording(&options, &events).unwrap();
        let expected = bin(&FrameOptions { sort: false, ..options }, SENSOR, &[sorted]).unwrap();
        assert_eq!((made, report.moved), (expected.0, moved));
        assert!(moved > 10_000);
    }
}

#[test]
fn what_cannot_be_sorted_is_refused() {
    let late = at(&[1_000_000, 5, 6, 7]);
    let options = by_time(10, 0).sort(true);
    let error = Binner::new(&options, SENSOR, None).unwrap_err();
    assert!(error.to_string().contains("sorting by time needs a first pass"), "{error}");
    // The first pass has seen less than comes then.
    let mut finder = SpanFinder::new(&options, SENSOR).unwrap();
    finder.push(&at(&[10, 5])).unwrap();
    let span = finder.finish().unwrap();
    assert_eq!(span.lateness, 5);
    let mut binner = Binner::new(&options, SENSOR, Some(span)).unwrap();
    let error = binner.push(&late, &mut |_: &Frame| Ok(())).unwrap_err();
    assert!(error.to_string().contains("not those of the first pass"), "{error}");

    let text = b"t,x,y,p\n100,1,1,1\n5,1,1,1\n6,1,1,1\n";
    let read = ReadOptions { sensor: Some(SENSOR), ..ReadOptions::default() };
    let mut pipe = Recording::from_reader(&text[..], read.clone()).unwrap();
    let error = pipe.frames(options.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Caller);
    assert!(error.to_string().contains("sorting by time needs a first pass"), "{error}");
    // Memory for two events that are held back, and three would be.
    let mut recording = Recording::from_bytes(&text[..], read).unwrap();
    let little = Limits { reorder_bytes: 64, ..Limits::default() };
    let mut frames = recording.frames(options.clone().limits(little)).unwrap();
    let error = frames.next().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    let text = error.to_string();
    assert!(text.contains("3 events, which are up to 95 µs late"), "{text}");
    assert!(text.contains("raise the limit `reorder_bytes` to 96"), "{text}");
    let enough = Limits { reorder_bytes: 96, ..Limits::default() };
    assert!(recording.frames(options.limits(enough)).unwrap().all(|frame| frame.is_ok()));
}
