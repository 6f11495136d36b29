//! What version 0.1.0 wrote before its modules were moved is still read.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use crate::common;

use std::path::Path;

use liaf_data::frames::{FrameShape, PolarityChannels, Provenance, TimePoint, WindowRule};
use liaf_data::recording::Index;
use liaf_data::tensor::LoadedFrames;
use liaf_data::{Limits, ReadOptions, Recording, SensorSize};

/// Written by `liaf convert davis240c_mixed.aedat -o frames.safetensors --window 100ms --size 16x12
/// --polarity merged --from 0s`.
#[test]
fn a_tensor_file_and_its_recipe_open() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old/frames.safetensors");
    let frames = LoadedFrames::read(path, &Limits::default()).unwrap();
    assert_eq!(frames.shape(), FrameShape { channels: 1, height: 12, width: 16 });
    assert_eq!(frames.timestamps(), [[1017, 101_017], [101_017, 201_017], [201_017, 301_017]]);
    assert_eq!(frames.cells(0..3).iter().sum::<f32>(), 597.0);
    let made = Provenance::parse(frames.provenance()).unwrap();
    assert_eq!(made.sensor, Some(SensorSize::new(240, 180)));
    assert_eq!(made.frames.windows, WindowRule::Time { us: 100_000, overlap: 0 });
    assert_eq!(made.frames.representation.polarity, PolarityChannels::Merged);
    assert_eq!(made.frames.from, Some(TimePoint::Relative(0)));
    // The recording of which it was made has the same events.
    let path = common::fixtures().join("good/aedat2/davis240c_mixed.aedat");
    let mut recording = Recording::open(path, ReadOptions::default()).unwrap();
    assert_eq!(recording.read_all().unwrap().len(), 597);
}

/// The second line of an index that was kept beside a recording, with the first two of its points.
const INDEX: &str = r#"{"events":293096,"earliest":3001156957,"latest":3019582257,"places":[
    {"mark":{"offset":527700,"state":[3005023055,0]},"before":3005023055,"behind":3005023056},
    {"mark":{"offset":1051988,"state":[3009178122,0]},"before":3009178122,"behind":3009178406}]}"#;

#[test]
fn a_kept_index_opens() {
    let index: Index = serde_json::from_str(INDEX).unwrap();
    assert_eq!(
        (index.events, index.earliest, index.seek_points()),
        (293_096, Some(3_001_156_957), 2)
    );
    let again = serde_json::to_string(&index).unwrap();
    let (again, before): (serde_json::Value, serde_json::Value) =
        (serde_json::from_str(&again).unwrap(), serde_json::from_str(INDEX).unwrap());
    assert_eq!(again, before);
}
