//! Frames against a plain binner in Python and against tonic.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test program")]

use std::path::{Path, PathBuf};
use std::process::Command;

use liaf_data::filter::Selection;
use liaf_data::frames::{
    BINARY, Binner, COUNT, CellValues, Cells, Dtype, Edge, Frame, FrameOptions, PolarityChannels,
    SIGNED, SpanFinder, TimePoint, WindowRule,
};
use liaf_data::{Event, EventBatch, Limits, SensorSize};
use serde_json::{Value, json};

pub(super) const SENSOR: SensorSize = SensorSize::new(23, 17);

pub(super) fn python() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let python = std::env::var_os("LIAF_PYTHON")
        .map_or_else(|| root.join(".venv/bin/python"), PathBuf::from);
    let has_numpy = Command::new(&python).args(["-c", "import numpy"]).output();
    if has_numpy.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    eprintln!("skipped: no Python with numpy at {} (LIAF_PYTHON)", python.display());
    None
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Sorted events with equal times, gaps, one hot pixel, and a length that is a round number.
pub(super) fn recordings() -> Vec<EventBatch> {
    let mut random = Random(11);
    let mut all = Vec::new();
    for (n, start) in [(1_u64, 7), (2, -50), (10, 0), (777, -3_000), (3_000, 1_700_000_000_000_000)]
    {
        let mut t = start;
        let mut batch: EventBatch = (0..n)
            .map(|_| {
                let steps = if random.below(20) == 0 { 6 } else { 5 };
                t += [0, 0, 1, 2, 7, 300][random.below(steps) as usize];
                let hot = random.below(4) == 0;
                let x = if hot { 11 } else { random.below(23) as u16 };
                let y = if hot { 6 } else { random.below(17) as u16 };
                Event { t, x, y, p: u8::from(random.below(3) > 0) }
            })
            .collect();
        if n >= 10 {
            batch.t_mut()[n as usize - 1] = start + (t - start) / 1000 * 1000 + 1000;
        }
        all.push(batch);
    }
    all.push((0..100).map(|i| Event { t: 10 * i, x: 1, y: 1, p: 1 }).collect());
    all.push((0..5).map(|_| Event { t: 42, x: 1, y: 1, p: 0 }).collect());
    all
}

/// The same events in another order: each comes up to `late` µs after its time.
pub(super) fn disordered(events: &EventBatch, late: u64) -> EventBatch {
    let mut random = Random(late);
    let mut all: Vec<_> =
        events.iter().map(|event| (event.t + random.below(late) as i64, event)).collect();
    all.sort_by_key(|&(comes, _)| comes);
    all.into_iter().map(|(_, event)| event).collect()
}

/// The events as the judges read them.
pub(super) fn bytes(events: &EventBatch) -> Vec<u8> {
    let record = |event: Event| {
        let mut bytes = event.t.to_le_bytes().to_vec();
        bytes.extend([event.x.to_le_bytes(), event.y.to_le_bytes()].concat());
        bytes.push(event.p);
        bytes
    };
    events.iter().flat_map(record).collect()
}

/// The rule of the windows as the judges read it.
pub(super) fn rule(windows: WindowRule) -> Value {
    match windows {
        WindowRule::Time { us, overlap } => json!({"kind": "time", "us": us, "overlap": overlap}),
        WindowRule::Count { events, overlap } => {
            json!({"kind": "count", "events": events, "overlap": overlap})
        }
        WindowRule::Bins { n } => json!({"kind": "bins", "n": n}),
        WindowRule::EventBins { n } => json!({"kind": "event_bins", "n": n}),
    }
}

fn rules() -> Vec<WindowRule> {
    let mut rules = Vec::new();
    for us in [1_i64, 10, 100, 333, 1_000, 100_000] {
        rules.extend([0, us / 3, us / 2].map(|overlap| WindowRule::Time { us, overlap }));
    }
    for events in [1_u64, 2, 7, 100, 5_000] {
        rules.extend(
            [0, events / 3, events / 2].map(|overlap| WindowRule::Count { events, overlap }),
        );
    }
    for n in [1, 2, 3, 10, 64] {
        rules.extend([WindowRule::Bins { n }, WindowRule::EventBins { n }]);
    }
    rules.dedup();
    rules
}

fn variants() -> Vec<FrameOptions> {
    // More frames than these are not compared.
    let limits = Limits { frames: 300, ..Limits::default() };
    let base = FrameOptions { limits, ..FrameOptions::default() };
    let part = |from, to| Selection { from, to, ..Selection::default() };
    let (relative, absolute) =
        (|us| Some(TimePoint::Relative(us)), |us| Some(TimePoint::Absolute(us)));
    let crop = |selection: Selection| base.clone().selection(selection.crop(3, 2, 13, 12));
    let all = Selection::default;
    vec![
        base.clone(),
        base.clone().dtype(Dtype::U8),
        base.clone().representation(&BINARY).dtype(Dtype::U8),
        crop(all()).polarity(PolarityChannels::Merged).dtype(Dtype::F32),
        base.clone().representation(&SIGNED).size(8, 5),
        crop(all()).representation(&SIGNED).dtype(Dtype::F32),
        crop(all()).size(8, 5),
        base.clone().selection(part(relative(35), None)).size(8, 5),
        base.clone().selection(part(relative(40), relative(640))),
        crop(part(absolute(-2_500), absolute(500))),
        base.clone().selection(part(None, relative(995))).dtype(Dtype::I16),
    ]
}

pub(super) fn values(frame: &Frame) -> Vec<f64> {
    let Cells::Dense(cells) = &frame.cells else { panic!("not dense") };
    match cells {
        CellValues::U8(cells) => cells.iter().map(|&cell| cell.into()).collect(),
        CellValues::U16(cells) => cells.iter().map(|&cell| cell.into()).collect(),
        CellValues::I16(cells) => cells.iter().map(|&cell| cell.into()).collect(),
        CellValues::F32(cells) => cells.iter().map(|&cell| cell.into()).collect(),
    }
}

/// Makes the frames, writes their cells to `path`, and says everything else in JSON.
fn case(options: &FrameOptions, events: &EventBatch, path: &Path) -> Option<Value> {
    let mut finder = SpanFinder::new(options, SENSOR).unwrap();
    finder.push(events).unwrap();
    let span = finder.finish().unwrap();
    let (mut cells, mut windows) = (Vec::new(), Vec::new());
    let mut sink = |frame: &Frame| {
        cells.extend(values(frame).iter().flat_map(|value| value.to_le_bytes()));
        windows.push([frame.window.start, frame.window.end]);
        Ok(())
    };
    let mut binner = Binner::new(options, SENSOR, Some(span)).unwrap();
    binner.push(events, &mut sink).ok()?;
    let report = binner.finish(&mut sink).ok()?;
    std::fs::write(path, &cells).unwrap();
    let point = |point: Option<TimePoint>| match point {
        None => Value::Null,
        Some(TimePoint::Relative(us)) => json!(["relative", us]),
        Some(TimePoint::Absolute(us)) => json!(["absolute", us]),
    };
    let signed = options.representation == &SIGNED;
    Some(json!({
        "name": format!("{options:?}"),
        "sensor": SENSOR,
        "rule": rule(options.windows),
        "edge": options.edge.name(),
        "dtype": options.dtype.name(),
        "cells": if signed { COUNT.name } else { options.representation.name },
        "polarity": if signed { "signed" } else { options.polarity.name() },
        "crop": options.selection.crop.map(|crop| [crop.x, crop.y, crop.w, crop.h]),
        "size": options.size,
        "from": point(options.selection.from),
        "to": point(options.selection.to),
        "sort": options.sort,
        "frames": path.file_name().unwrap().to_str().unwrap(),
        "windows": windows,
        "report": report,
    }))
}

#[test]
fn frames_equal_those_of_numpy_and_tonic() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut cases = Vec::new();
    let in_order = recordings();
    let others = in_order.iter().map(|events| disordered(events, 500));
    let all: Vec<_> = in_order.iter().cloned().chain(others).collect();
    for (number, events) in all.iter().enumerate() {
        let sort = number >= in_order.len();
        let name = format!("events_{number}.bin");
        std::fs::write(folder.path().join(&name), bytes(events)).unwrap();
        let edges = [Edge::All, Edge::Tonic, Edge::SpikingJelly, Edge::SpikingJelly2];
        let mut variant = number;
        for windows in rules() {
            for edge in edges {
                // Every third variant for every rule; over the recordings all of them.
                for other in variants().into_iter().skip(variant % 3).step_by(3) {
                    let options = FrameOptions { windows, edge, sort, ..other };
                    if options.check(SENSOR).is_err() {
                        continue;
                    }
                    let path = folder.path().join(format!("frames_{}.bin", cases.len()));
                    if let Some(mut case) = case(&options, events, &path) {
                        case["events"] = name.clone().into();
                        cases.push(case);
                    }
                }
                variant += 1;
            }
        }
    }
    assert!(cases.len() > 4_000, "{} cases", cases.len());
    let moved = cases.iter().filter(|case| case["report"]["moved"].as_u64() > Some(0)).count();
    assert!(moved > 1_000, "{moved} cases of events that are out of order");
    let path = folder.path().join("cases.json");
    std::fs::write(&path, serde_json::to_vec(&cases).unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/bin_frames.py");
    let output = Command::new(python).arg(script).arg(path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    eprintln!("{said}");
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("equal: "));
}
