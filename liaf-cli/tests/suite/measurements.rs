//! `--stream`: frames, inertial samples and triggers.

use std::fs;

use crate::common::{fixture, liaf, printed, refused};
use serde_json::Value;

const FILE: &str = "good/aedat4/dv_all_lz4.aedat4";

#[test]
fn each_stream_goes_where_its_samples_fit() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let file = fixture(FILE);
    let convert = |stream: &str, to: &str, more: &[&str]| {
        let path = path(to);
        liaf(&[&["convert", &file, "--stream", stream, "-o", &path], more].concat())
    };
    printed(convert("imu", "imu.csv", &[]));
    let imu = fs::read_to_string(path("imu.csv")).unwrap();
    assert_eq!(imu.lines().next(), Some("t,ax,ay,az,gx,gy,gz,temperature,mx,my,mz"));
    assert_eq!(imu.lines().count(), 1 + 40);
    // From the first event on, as for events.
    printed(convert("triggers", "part.csv", &["--from", "100ms", "--to", "0.2s"]));
    let part = fs::read_to_string(path("part.csv")).unwrap();
    let times: Vec<i64> =
        part.lines().skip(1).map(|line| line.split_once(',').unwrap().0.parse().unwrap()).collect();
    let first = 1_600_000_000_001_001;
    assert!(times.len() == 4 && times.iter().all(|t| (100_000..200_000).contains(&(t - first))));
    // A folder by its name, or by having no extension.
    for to in ["frames/", "more"] {
        printed(convert("frames", to, &[]));
        assert_eq!(fs::read_dir(path(to)).unwrap().count(), 9);
    }
    refused(&convert("frames", "frames/", &[]), 1, &["--force"]);
    printed(convert("frames", "none.h5", &["--dry-run"]));
    assert!(!folder.path().join("none.h5").exists());
    for wrong in ["imu.npz", "imu.h5"] {
        refused(&convert("imu", wrong, &[]), 2, &["imu can only be written as .csv"]);
    }
    refused(
        &convert("frames", "x.csv", &[]),
        2,
        &["frames can only be written as a folder or .h5"],
    );
    refused(&convert("imu", "crop.csv", &["--crop", "0,0,4,4"]), 2, &["--crop applies to events"]);
    refused(&convert("events", "x", &["--to", "png"]), 2, &["--stream frames"]);
    refused(&convert("sound", "x.csv", &[]), 1, &["no stream sound", "2 (imu)"]);
}

#[test]
fn info_says_how_much_each_stream_holds() {
    let text = printed(liaf(&["info", &fixture(FILE), "--json"]));
    let info: Value = serde_json::from_str(&text).unwrap();
    let counts: Vec<_> = info["streams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stream| (stream["name"].as_str().unwrap(), stream["samples"].as_u64().unwrap()))
        .collect();
    assert_eq!(counts, [("events", 1367), ("frames", 8), ("imu", 40), ("triggers", 16)]);
    // What a format has a place for is listed where the file has it.
    let words = printed(liaf(&["info", &fixture("good/evt3/words.raw")]));
    assert!(words.contains("1 triggers, 102"), "{words}");
    let tiny = printed(liaf(&["info", &fixture("good/evt3/tiny.raw")]));
    assert!(!tiny.contains("stream"), "{tiny}");
    let imu = printed(liaf(&["info", &fixture(FILE), "--stream", "imu"]));
    assert!(imu.contains("40 of imu") && !imu.contains("sensor "), "{imu}");
}
