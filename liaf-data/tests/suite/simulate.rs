//! The simulator against v2e and against the formula of ESIM: `fixtures/reference/simulate.py` makes the events.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use liaf_data::simulate::{PixelModel, Response, Simulator};
use liaf_data::tensor::TensorFile;
use liaf_data::{EventBatch, Limits, SensorSize};

use crate::common;

fn reference() -> TensorFile {
    let path = common::fixtures().join("reference/simulate.safetensors");
    TensorFile::open(path, &Limits::default()).unwrap()
}

/// The events of the pictures of the reference.
fn simulate(file: &TensorFile, model: &PixelModel) -> EventBatch {
    let light = file.get("light").unwrap();
    let &[_, height, width] = light.shape() else { panic!("{:?}", light.shape()) };
    let times = file.get("times").unwrap().to_vec::<i64>().unwrap();
    let sensor = SensorSize::new(width as u16, height as u16);
    let mut simulator = Simulator::new(sensor, model).unwrap();
    let mut events = EventBatch::new();
    for (us, light) in times.into_iter().zip(light.bytes().chunks_exact(height * width)) {
        let light: Vec<_> = light.iter().map(|&grey| f32::from(grey) / 255.0).collect();
        simulator.advance(us, &light, &mut events).unwrap();
    }
    events
}

#[test]
fn counts_of_every_pixel_are_those_of_v2e() {
    let file = reference();
    for (case, pos_threshold, neg_threshold) in [("equal", 0.2, 0.2), ("unequal", 0.15, 0.27)] {
        let model = PixelModel { pos_threshold, neg_threshold, ..PixelModel::ideal(0.2) };
        let events = simulate(&file, &model);
        let ties = file.get(&format!("v2e.{case}.tie")).unwrap().to_vec::<u8>().unwrap();
        assert!(ties.iter().filter(|&&tie| tie == 1).count() * 100 < ties.len());
        for (p, name) in [(0, "off"), (1, "on")] {
            let expected = file.get(&format!("v2e.{case}.{name}")).unwrap();
            let expected = expected.to_vec::<u16>().unwrap();
            let mut found = vec![0_u16; expected.len()];
            let width = file.info("light").unwrap().shape[2];
            for event in events.iter().filter(|event| event.p == p) {
                found[usize::from(event.y) * width + usize::from(event.x)] += 1;
            }
            assert!(expected.iter().map(|&count| u64::from(count)).sum::<u64>() > 3_000);
            for (pixel, tie) in ties.iter().enumerate() {
                let (found, expected) = (found[pixel], expected[pixel]);
                let by = found.abs_diff(expected);
                let what = format!("{case} {name}, pixel {pixel}: {found} and {expected}");
                assert!(by == 0 || (*tie == 1 && by <= 2), "{what}");
            }
        }
    }
}

#[test]
fn events_are_those_of_the_formula_of_esim() {
    let file = reference();
    let esim: serde_json::Value = serde_json::from_str(file.metadata("esim").unwrap()).unwrap();
    let number = |name: &str| esim[name].as_f64().unwrap();
    let model = PixelModel {
        pos_threshold: number("pos"),
        neg_threshold: number("neg"),
        refractory_us: number("refractory") as i64,
        response: Response::Log { eps: number("eps") },
        ..PixelModel::ideal(0.2)
    };
    let events = simulate(&file, &model);
    let get = |name: &str| file.get(&format!("esim.{name}")).unwrap();
    let t = get("t").to_vec::<i32>().unwrap();
    assert!(t.len() > 3_000);
    assert_eq!(events.len(), t.len());
    let column = |name: &str| get(name).to_vec::<u8>().unwrap();
    let (x, y, p) = (column("x"), column("y"), column("p"));
    let mut rounded = 0;
    for (i, event) in events.iter().enumerate() {
        let expected = (u16::from(x[i]), u16::from(y[i]), p[i]);
        assert_eq!((event.x, event.y, event.p), expected, "event {i}");
        let t = i64::from(t[i]);
        // Light has 24 bits here and 53 there.
        assert!((event.t - t).abs() <= 1, "event {i}: {} and {t}", event.t);
        rounded += usize::from(event.t != t);
    }
    assert!(rounded * 1000 < t.len(), "{rounded} of {} times differ by 1 µs", t.len());
}
