//! Frames against a binner of a few lines, on events of a seeded generator.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test program")]

mod cells;
mod full;
mod sorted;
mod windows;

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
