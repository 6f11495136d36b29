//! The program that times the whole way from a file to classes, on the bundled recordings.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::Command;

use serde_json::Value;

/// Every recording gives classes with both networks, the same frame by frame and in batches.
#[test]
fn bundled_recordings_become_classes_frame_by_frame_and_in_batches() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_liaf-bench"));
    let done = command.args(["e2e", "--json", "--runs", "1", "--models", "M2"]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8(done.stdout).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 8);
    for pair in rows.chunks(2) {
        let [stream, batch] = pair else { panic!("{pair:?}") };
        assert_eq!((&stream["way"], &batch["way"]), (&"stream".into(), &"batch".into()));
        for key in ["file", "events", "frames", "classes"] {
            assert_eq!(stream[key], batch[key], "{key}");
        }
        assert!(stream["events"].as_u64().unwrap() > 100, "{stream}");
        let classes = stream["classes"].as_array().unwrap().len() as u64;
        assert_eq!(classes, stream["frames"].as_u64().unwrap().div_ceil(20), "{stream}");
        for row in pair {
            let share = |key: &str| row[key].as_f64().unwrap();
            let sum = share("share_read") + share("share_frames") + share("share_network");
            assert!((0.5..=1.001).contains(&sum), "{row}");
        }
    }
}
