//! Cells: what is kept, cropped and counted, and what is refused beforehand.

use super::*;

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
