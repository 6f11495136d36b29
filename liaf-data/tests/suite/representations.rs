//! Representations against their formulas in numpy, and against the tools that defined them.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test program")]

use std::path::Path;
use std::process::Command;

use liaf_data::filter::Parameters;
use liaf_data::frames::{
    Binner, Dtype, Edge, Frame, FrameOptions, PolarityChannels, REPRESENTATIONS, Representation,
    SpanFinder, WindowRule,
};
use liaf_data::{EventBatch, ReadOptions, Recording, SensorSize};
use serde_json::{Value, json};

use super::frames_judges::{SENSOR, bytes, disordered, python, recordings, rule, values};

/// Representations with their parameters, the type of their cells, and whether polarity is merged.
const VARIANTS: &[(&str, &str, Dtype, bool)] = &[
    ("count", "", Dtype::U16, false),
    ("binary", "", Dtype::U8, false),
    ("signed", "", Dtype::I16, false),
    ("cumulative", "", Dtype::U16, false),
    ("cumulative", "", Dtype::U8, true),
    ("cumulative", "", Dtype::F32, false),
    ("voxel_grid", "", Dtype::F32, false),
    ("voxel_grid", "bins=3,norm=b", Dtype::F32, false),
    ("voxel_grid", "bins=1,norm=b-1", Dtype::F32, false),
    ("voxel_grid", "bins=7,norm=b,span=window", Dtype::F32, false),
    ("event_volume", "", Dtype::F32, false),
    ("event_volume", "bins=3,border=keep", Dtype::F32, true),
    ("event_volume", "bins=4,span=events", Dtype::F32, true),
    ("stacked_histogram", "", Dtype::U8, false),
    ("stacked_histogram", "bins=3,cutoff=2", Dtype::U8, false),
    ("stacked_histogram", "bins=4,span=window", Dtype::F32, true),
    ("time_surface", "", Dtype::F32, false),
    ("time_surface", "tau=300us", Dtype::F32, true),
    ("sae", "", Dtype::F32, false),
    ("sae", "", Dtype::F32, true),
    ("averaged_timestamps", "", Dtype::F32, false),
    ("averaged_timestamps", "span=window", Dtype::F32, true),
    ("hats", "tile=5,surface=3", Dtype::F32, false),
    ("hats", "tile=10,surface=7,memory=1ms,tau=500us,decay=lin", Dtype::F32, true),
    ("bina_rep", "", Dtype::F32, false),
    ("bina_rep", "bits=3,span=events", Dtype::F32, true),
];

fn options(windows: WindowRule, edge: Edge, sort: bool) -> impl Iterator<Item = FrameOptions> {
    VARIANTS.iter().map(move |&(name, parameters, dtype, merged)| FrameOptions {
        windows,
        edge,
        sort,
        parameters: parameters.parse::<Parameters>().unwrap(),
        polarity: if merged { PolarityChannels::Merged } else { PolarityChannels::Split },
        ..FrameOptions::default().representation(Representation::named(name).unwrap()).dtype(dtype)
    })
}

/// Makes the frames, writes their cells to `path`, and says everything else in JSON.
fn case(options: &FrameOptions, events: &EventBatch, sensor: SensorSize, path: &Path) -> Value {
    let mut finder = SpanFinder::new(options, sensor).unwrap();
    finder.push(events).unwrap();
    let span = finder.finish().unwrap();
    let (mut cells, mut windows, mut shape) = (Vec::new(), Vec::new(), [0; 3]);
    let mut sink = |frame: &Frame| {
        cells.extend(values(frame).iter().flat_map(|value| value.to_le_bytes()));
        windows.push([frame.window.start, frame.window.end]);
        shape = frame.shape();
        Ok(())
    };
    let mut binner = Binner::new(options, sensor, Some(span)).unwrap();
    // Events in pieces give the same frames.
    for piece in events[..].to_batch().iter().collect::<Vec<_>>().chunks(97) {
        binner.push(&piece.iter().copied().collect(), &mut sink).unwrap();
    }
    let report = binner.finish(&mut sink).unwrap();
    std::fs::write(path, &cells).unwrap();
    json!({
        "name": format!("{} {} of {}", options.representation, options.parameters, options.windows),
        "sensor": sensor,
        "rule": rule(options.windows),
        "edge": options.edge.name(),
        "dtype": options.dtype.name(),
        "cells": options.representation.name,
        "parameters": options.parameters,
        "polarity": options.polarity.name(),
        "crop": null, "size": null, "from": null, "to": null,
        "sort": options.sort,
        "frames": path.file_name().unwrap().to_str().unwrap(),
        "shape": shape,
        "windows": windows,
        "saturated": report.saturated_cells,
    })
}

/// The first events of a real recording, if there are any here.
fn real() -> Option<(EventBatch, SensorSize)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let shared = std::env::var_os("LIAF_SHARED").map_or_else(|| root.join("../shared"), Into::into);
    let path = shared.join("data/dvs128_objects/Caneca.aedat");
    if !path.exists() {
        eprintln!("skipped: no real recording at {}", path.display());
        return None;
    }
    let mut recording = Recording::open(path, ReadOptions::default()).unwrap();
    let sensor = recording.info().sensor.unwrap();
    let mut events: EventBatch =
        recording.events().unwrap().take(4_000).collect::<Result<_, _>>().unwrap();
    // The judge of HATS computes times in f32.
    let first = events.t()[0];
    events.t_mut().iter_mut().for_each(|t| *t -= first);
    Some((events, sensor))
}

#[test]
fn representations_equal_their_formulas_and_tools() {
    let named: std::collections::BTreeSet<_> = VARIANTS.iter().map(|variant| variant.0).collect();
    assert!(REPRESENTATIONS.iter().all(|known| named.contains(known.name)), "one has no case");
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let in_order = recordings().into_iter().map(|events| (events, SENSOR, false));
    let disordered = recordings().into_iter().filter(|events| events.len() == 777);
    let disordered = disordered.map(|events| (disordered_by(&events), SENSOR, true));
    let real = real().into_iter().map(|(events, sensor)| (events, sensor, false));
    let mut cases = Vec::new();
    for (number, (events, sensor, sort)) in in_order.chain(disordered).chain(real).enumerate() {
        let name = format!("events_{number}.bin");
        std::fs::write(folder.path().join(&name), bytes(&events)).unwrap();
        let windows = if sensor == SENSOR {
            vec![
                WindowRule::Time { us: 10_000, overlap: 0 },
                WindowRule::Time { us: 50_000, overlap: 20_000 },
                WindowRule::Count { events: 100, overlap: 0 },
                WindowRule::Bins { n: 3 },
                WindowRule::EventBins { n: 2 },
            ]
        } else {
            vec![WindowRule::Time { us: 30_000, overlap: 0 }, WindowRule::Bins { n: 2 }]
        };
        for windows in windows {
            let edge = if number % 2 == 0 { Edge::All } else { Edge::Tonic };
            for options in options(windows, edge, sort) {
                let path = folder.path().join(format!("frames_{}.bin", cases.len()));
                let mut case = case(&options, &events, sensor, &path);
                case["events"] = name.clone().into();
                cases.push(case);
            }
        }
    }
    assert!(cases.len() > 1_000, "{} cases", cases.len());
    let path = folder.path().join("cases.json");
    std::fs::write(&path, serde_json::to_vec(&cases).unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/representations.py");
    let output = Command::new(python).arg(script).arg(path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    eprintln!("{said}");
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("equal: "));
}

fn disordered_by(events: &EventBatch) -> EventBatch {
    disordered(events, 500)
}

#[test]
fn parameters_are_checked_before_any_work() {
    for (name, parameters, said) in [
        ("voxel_grid", "bins=0", "bins is out of range: expected 1 to 1024, found 0"),
        ("voxel_grid", "norm=c", "norm is not valid: expected b or b-1, found c"),
        ("voxel_grid", "span=all", "span is not valid: expected window or events, found all"),
        ("event_volume", "border=x", "border is not valid: expected drop or keep, found x"),
        ("stacked_histogram", "cutoff=0", "cutoff is out of range"),
        ("time_surface", "tau=0us", "tau must be longer than 0"),
        ("time_surface", "tau=5", "invalid duration"),
        ("hats", "surface=4", "surface must be odd: expected 1, 3, 5, …, found 4"),
        ("hats", "tile=3,surface=5", "surface is out of range: expected 1 to 3, found 5"),
        ("hats", "decay=cubic", "decay is not valid"),
        ("bina_rep", "bits=1", "bits is out of range: expected 2 to 24, found 1"),
        ("cumulative", "bins=2", "no parameter with this name"),
    ] {
        let options = FrameOptions {
            parameters: parameters.parse().unwrap(),
            ..FrameOptions::default().representation(Representation::named(name).unwrap())
        };
        let error = options.check(SENSOR).unwrap_err().to_string();
        assert!(error.contains(said), "{name}:{parameters}: {error}");
    }
    let counts = FrameOptions::default().representation(Representation::named("hats").unwrap());
    let error = counts.dtype(Dtype::U8).check(SENSOR).unwrap_err().to_string();
    assert!(
        error.contains("does not support cells of this type: expected cells of f32"),
        "{error}"
    );
}

#[test]
fn events_that_must_be_held_back_are_limited() {
    let limits = liaf_data::Limits { reorder_bytes: 1_200, ..liaf_data::Limits::default() };
    let options = FrameOptions {
        limits,
        ..FrameOptions::bins(1).representation(Representation::named("voxel_grid").unwrap())
    };
    let events = &recordings()[3];
    let span = {
        let mut finder = SpanFinder::new(&options, SENSOR).unwrap();
        finder.push(events).unwrap();
        finder.finish().unwrap()
    };
    let mut binner = Binner::new(&options, SENSOR, Some(span)).unwrap();
    let error = binner.push(events, &mut |_: &Frame| Ok(())).unwrap_err().to_string();
    assert_eq!(
        error,
        "the representation voxel_grid needs all events of a window at once: expected at most 100 \
         events in all open windows, found 777 events (choose shorter windows)"
    );
}
