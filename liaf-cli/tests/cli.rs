//! The program as a user meets it: what it prints, what it writes, and how it ends.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]
#![allow(missing_docs, reason = "a test")]

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use common::fixture;

const LZ4: &str = "good/aedat4/dv_lz4.aedat4";
const STEREO: &str = "good/aedat4/dv_stereo_zstd.aedat4";

#[cfg(feature = "hdf5")]
const CONTAINERS: &[&str] = &["h5", "npz", "npy", "safetensors"];
#[cfg(not(feature = "hdf5"))]
const CONTAINERS: &[&str] = &["npz", "npy", "safetensors"];

/// The program in a folder of its own, where outputs go.
struct Liaf(TempDir);

impl Liaf {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_liaf"));
        command.args(args).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Done {
        Done(self.command(args).output().unwrap())
    }

    /// As `run`, with `bytes` on standard input.
    fn run_on(&self, bytes: &[u8], args: &[&str]) -> Done {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that refuses does not read to the end.
        let _ = child.stdin.take().unwrap().write_all(bytes);
        Done(child.wait_with_output().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Every file below the folder, hidden ones too, sorted.
    fn files(&self) -> Vec<String> {
        fn walk(folder: &Path, root: &Path, files: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, root, files);
                } else {
                    files.push(path.strip_prefix(root).unwrap().display().to_string());
                }
            }
        }
        let mut files = Vec::new();
        walk(self.0.path(), self.0.path(), &mut files);
        files.sort();
        files
    }
}

struct Done(Output);

impl Done {
    #[track_caller]
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.0.status.code(), Some(code), "{}\n{}", self.out(), self.err());
        self
    }

    fn out(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    fn err(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    /// Standard error has all of `parts`.
    #[track_caller]
    fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.err().contains(part), "{part:?} is not in:\n{}", self.err());
        }
        self
    }

    fn json(&self) -> Vec<Value> {
        self.out().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[test]
fn help_shows_examples_and_version_is_the_crate_s() {
    let liaf = Liaf::new();
    for command in ["info", "convert"] {
        assert!(liaf.run(&[command, "--help"]).ends(0).out().contains("Examples:"), "{command}");
    }
    let help = liaf.run(&["convert", "--help"]).ends(0).out();
    let headings = ["Input:", "Selection of events:", "Frames and tensor files:", "Event files:"];
    for heading in [&headings[..], &["Output:", "Other options:"]].concat() {
        assert!(help.lines().any(|line| line == heading), "{heading} is not in:\n{help}");
    }
    let short = liaf.run(&["convert", "-h"]).ends(0).out();
    assert!(short.lines().count() < 90 && !short.contains("--evt21-order"), "{short}");
    assert!(help.contains("--evt21-order"), "{help}");
    assert!(liaf.run(&["--version"]).ends(0).out().contains(env!("CARGO_PKG_VERSION")));
    liaf.run(&["dance"]).ends(2);
    liaf.run(&["convert", &fixture(LZ4)]).ends(2).says(&["--output"]);
}

#[test]
fn info_tells_people_what_is_in_a_recording() {
    let liaf = Liaf::new();
    let out = liaf.run(&["info", &fixture(LZ4)]).ends(0).out();
    for part in ["AEDAT 4.0, 18.7 kB", "346x260 (from the header)", "2,012 (49.3 % ON)", "LZ4"] {
        assert!(out.contains(part), "{part} is not in:\n{out}");
    }
    let out = liaf.run(&["info", &fixture(STEREO)]).ends(0).out();
    for part in ["of DVXplorer_LEFT", "of DVXplorer_RIGHT", "1,090 other stream events"] {
        assert!(out.contains(part), "{part} is not in:\n{out}");
    }
}

#[test]
fn info_tells_programs_one_object_a_line() {
    let liaf = Liaf::new();
    let files = [LZ4, STEREO, "bad/foreign/elf.raw"].map(fixture);
    let done = liaf.run(&["info", "--json", &files[0], &files[1], &files[2]]).ends(1);
    let lines = done.json();
    assert_eq!(lines.len(), 3);
    for key in [
        "path",
        "format",
        "bytes",
        "sensor",
        "sensor_source",
        "streams",
        "stream",
        "details",
        "notes",
        "events",
        "on",
        "off",
        "t_first",
        "t_last",
        "x_min",
        "x_max",
        "y_min",
        "y_max",
        "sum_x",
        "sum_y",
        "duration_us",
        "events_per_second",
        "report",
    ] {
        assert!(lines[0].get(key).is_some(), "{key} is not in {}", lines[0]);
    }
    assert_eq!(lines[0]["report"]["bytes"]["skipped"], 0);
    let streams = lines[1]["event_streams"].as_array().unwrap();
    let each: Vec<_> = streams.iter().map(|s| (s["stream"].clone(), s["events"].clone())).collect();
    assert_eq!(each, [(0.into(), 1090.into()), (1.into(), 1090.into())]);
    assert_eq!(lines[2]["error"]["kind"], "unsupported");
    assert_eq!(lines[2]["error"]["offset"], 0);
}

#[test]
fn fingerprints_equal_those_of_the_table() {
    let liaf = Liaf::new();
    let table: toml::Table = fs::read_to_string(fixture("cases.toml")).unwrap().parse().unwrap();
    let mut seen = 0;
    for case in table["case"].as_array().unwrap() {
        let file = fixture(case["file"].as_str().unwrap());
        for coords in ["raw", "canonical"] {
            let mut args = vec!["info", "--json", "--fingerprint", "--coords", coords, &file];
            let stream = case.get("stream").map(ToString::to_string);
            if let Some(stream) = &stream {
                args.extend(["--stream", stream]);
            }
            let found = &liaf.run(&args).ends(0).json()[0];
            for key in ["events", "on", "t_first", "t_last", "sum_x", "sum_y", "xxh64"] {
                if let Some(expected) = case[coords].get(key) {
                    let expected = serde_json::to_value(expected).unwrap();
                    assert_eq!(found[key], expected, "{file} {coords} {key}");
                }
            }
            seen += 1;
        }
    }
    assert!(seen >= 40, "{seen}");
}

#[test]
fn several_inputs_mirror_their_folders() {
    let liaf = Liaf::new();
    let good = fixture("good");
    let one = format!("{good}/evt3/tiny.raw");
    let pattern = format!("{good}/aedat2/dvs128*.aedat");
    liaf.run(&["convert", &one, &pattern, "-o", "out", "--to", "npz", "--bins", "2"]).ends(0);
    let expected = ["aedat2/dvs128.npz", "aedat2/dvs128_sync.npz", "evt3/tiny.npz"];
    assert_eq!(liaf.files(), expected.map(|name| format!("out/{name}")));
    let done = liaf.run(&["convert", &one, "-o", "single/", "--to", "npy"]).ends(0);
    assert!(liaf.path("single/tiny.npy").exists(), "{}", done.err());
}

#[test]
fn several_inputs_and_one_file_is_a_wrong_command() {
    let liaf = Liaf::new();
    let done = liaf.run(&["convert", &fixture(LZ4), &fixture(STEREO), "-o", "all.npz"]);
    done.ends(2).says(&["liaf dataset", "`all/`"]);
    assert!(liaf.files().is_empty());
}

#[test]
fn one_bad_file_does_not_keep_the_others() {
    let liaf = Liaf::new();
    let files = [LZ4, "bad/foreign/elf.raw", "good/evt3/tiny.raw"].map(fixture);
    let done =
        liaf.run(&["convert", &files[0], &files[1], &files[2], "-o", "o/", "--to", "npy"]).ends(1);
    done.says(&["elf.raw: not an event recording", "1 of 3 files failed"]);
    assert_eq!(liaf.files(), ["o/good/aedat4/dv_lz4.npy", "o/good/evt3/tiny.npy"]);
}

#[test]
fn a_file_that_exists_is_kept_unless_forced() {
    let liaf = Liaf::new();
    fs::write(liaf.path("a.npz"), b"mine").unwrap();
    let args = ["convert", &fixture(LZ4), "-o", "a.npz", "--force"];
    liaf.run(&args[..4]).ends(1).says(&["a.npz: the file exists already", "--force"]);
    assert_eq!(liaf.bytes("a.npz"), b"mine");
    liaf.run(&args).ends(0);
    assert!(liaf.bytes("a.npz").starts_with(b"PK"));
    assert_eq!(liaf.files(), ["a.npz"]);
}

#[test]
fn a_dry_run_says_what_it_would_be_and_writes_nothing() {
    let liaf = Liaf::new();
    let done = liaf.run(&["convert", &fixture(LZ4), "-o", "new/a.npy", "--dry-run"]).ends(0);
    // 30 frames of 2 x 260 x 346 cells of 2 bytes.
    done.says(&["30 frames of 2x260x346", "10.8 MB to be written", "2,012 kept"]);
    assert!(liaf.files().is_empty() && !liaf.path("new").exists());
}

#[test]
fn the_same_command_gives_the_same_bytes_on_any_number_of_threads() {
    let liaf = Liaf::new();
    for file in [LZ4, "good/aedat2/davis240c_mixed.aedat", "good/evt3/words.raw"].map(fixture) {
        for container in CONTAINERS {
            for (name, threads) in [("a", "1"), ("b", "1"), ("c", "2"), ("d", "0")] {
                let name = format!("{name}.{container}");
                liaf.run(&["convert", &file, "-fqo", &name, "--threads", threads]).ends(0);
            }
            let first = liaf.bytes(&format!("a.{container}"));
            for name in ["b", "c", "d"] {
                let name = format!("{name}.{container}");
                assert!(liaf.bytes(&name) == first, "{file}: {name} differs");
            }
        }
    }
}

#[test]
fn a_pipe_gives_the_frames_of_the_file() {
    let liaf = Liaf::new();
    let bytes = fs::read(fixture(LZ4)).unwrap();
    // The frames alone: the provenance names the file.
    liaf.run(&["convert", &fixture(LZ4), "-o", "file.npy"]).ends(0);
    liaf.run_on(&bytes, &["convert", "-", "-o", "pipe.npy"]).ends(0);
    assert!(liaf.bytes("file.npy") == liaf.bytes("pipe.npy"));
    let info = liaf.run_on(&bytes, &["info", "-", "--json"]).ends(0);
    assert_eq!(info.json()[0]["events"], 2012);
    assert_eq!(info.json()[0]["bytes"], Value::Null);
    let done = liaf.run_on(&bytes, &["convert", "-", "-o", "bins.npy", "--bins", "5"]).ends(1);
    done.says(&["a pipe, which can be read only once", "name a file"]);
    assert!(!liaf.path("bins.npy").exists());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let liaf = Liaf::new();
    for command in [&["info", "gone.raw"][..], &["convert", "gone.raw", "-o", "a.npz"]] {
        liaf.run(command).ends(1).says(&["gone.raw: no such file"]);
    }
    liaf.run(&["info", "*.raw"]).ends(1).says(&["*.raw: no file matches"]);
    fs::create_dir(liaf.path("empty")).unwrap();
    liaf.run(&["info", "empty"]).ends(1).says(&["no recordings in this folder", ".aedat4"]);
}

#[test]
fn a_recording_without_events_makes_a_file_without_frames() {
    let liaf = Liaf::new();
    for container in CONTAINERS {
        let name = format!("a.{container}");
        let done = liaf.run(&["convert", &fixture("good/evt3/header_only.raw"), "-o", &name]);
        done.ends(0).says(&["0 frames of 2x480x640", "warning: the recording holds no events"]);
        let bytes = liaf.bytes(&name);
        let text = String::from_utf8_lossy(&bytes);
        match *container {
            "h5" => assert!(bytes.starts_with(b"\x89HDF\r\n\x1a\n")),
            "safetensors" => assert!(text.contains("\"shape\":[0,2,480,640]"), "{text}"),
            _ => assert!(text.contains("'shape': (0, 2, 480, 640)"), "{name}"),
        }
    }
}

#[test]
fn of_two_cameras_one_must_be_chosen() {
    let liaf = Liaf::new();
    let file = fixture(STEREO);
    let args = ["convert", &file, "-o", "a.npz"];
    liaf.run(&args).ends(1).says(&["several event streams", "0 (events), 1 (events)", "--stream"]);
    assert!(liaf.files().is_empty());
    let done = liaf.run(&["convert", &file, "-o", "a.npz", "--stream", "1"]).ends(0);
    done.says(&["1,090 kept", "1,090 other stream events"]);
    liaf.run(&["convert", &file, "-o", "b.npz", "--stream", "7"])
        .ends(1)
        .says(&["no stream 7", "0 (events), 1 (events)"]);
}

#[test]
fn a_damaged_recording_is_converted_and_its_losses_told() {
    let liaf = Liaf::new();
    let file = fixture("bad/aedat4/flipped_lz4.aedat4");
    let done = liaf.run(&["convert", &file, "-o", "a.npz"]).ends(0);
    done.says(&[
        "read 2,796 bytes (1,695 of events, 830 of headers, 0 of other streams, 271 unusable)",
        "126 events: 126 kept",
        "1 damaged packets, the first at byte 1678",
        "warning: skipped a packet",
    ]);
    let done = liaf.run(&["convert", &file, "-o", "b.npz", "--strict"]).ends(1);
    done.says(&["flipped_lz4.aedat4: ", "at byte 1678"]);
    assert_eq!(liaf.files(), ["a.npz"]);
}

#[test]
fn where_nothing_can_be_read_no_file_is_left() {
    let liaf = Liaf::new();
    let all = [
        "bad/aedat2/cut_in_header.aedat",
        "bad/aedat2/empty.aedat",
        "bad/aedat4/io_header_max.aedat4",
        "bad/evt3/cut_in_header.raw",
        "bad/foreign/png.aedat4",
    ];
    for file in all {
        for container in CONTAINERS {
            let name = format!("a.{container}");
            let args = ["convert", &fixture(file), "-o", &name, "--sensor", "64x48"];
            liaf.run(&args).ends(1).says(&[file, "at byte"]);
            assert!(liaf.files().is_empty(), "{file}: {:?}", liaf.files());
        }
    }
}

#[test]
fn to_takes_a_kind_and_a_time() {
    let liaf = Liaf::new();
    let file = fixture(LZ4);
    let done = liaf.run(&["convert", &file, "-o", "out/", "--to", "100ms", "--to", "npy"]).ends(0);
    done.says(&["10 frames", "703 kept, 1,309 out of window"]);
    assert_eq!(liaf.files(), ["out/dv_lz4.npy"]);
    // Windows reach the chosen end, after the last event too.
    let args = ["convert", &file, "-o", "s.npy", "--from", "0s", "--to", "1s", "--window", "100ms"];
    liaf.run(&args).ends(0).says(&["10 frames"]);
    fs::remove_file(liaf.path("s.npy")).unwrap();
    let wrong = [["npz", "npy"], ["1s", "2s"], ["npz", "soon"]];
    for [a, b] in wrong {
        let done = liaf.run(&["convert", &file, "-o", "b", "--to", a, "--to", b]);
        done.ends(2).says(&["--to"]);
    }
    liaf.run(&["convert", &file, "-o", "b.mat"]).ends(2).says(&[".npz", "found .mat"]);
}

#[test]
fn the_format_of_the_input_and_the_kind_of_the_output_are_told_apart() {
    let liaf = Liaf::new();
    let file = fixture(LZ4);
    // No format of an input has this name.
    for kind in ["aedat4", "safetensors", "evt21-legacy"] {
        let done = liaf.run(&["convert", &file, "-o", "out/", "--format", kind]).ends(2);
        done.says(&["format of the input (AEDAT 4.0", &format!("chosen with --to {kind}")]);
    }
    // One has, and the input is of another.
    let done = liaf.run(&["convert", &file, "-o", "out/", "--format", "npz"]).ends(1);
    done.says(&["this is not npz", "chosen with --to npz"]);
    let done = liaf.run(&["convert", &file, "-o", "out/", "--to", "AEDAT 4.0"]).ends(2);
    done.says(&["the format of the input is stated with --format"]);
    assert!(liaf.files().is_empty());
    liaf.run(&["convert", &file, "-o", "a.npz", "--format", "aedat4.0"]).ends(0);
}

#[test]
fn negative_values_are_refused_as_values() {
    let liaf = Liaf::new();
    let file = fixture(LZ4);
    for (option, value, says) in [
        ("--from", "-1s", "nothing is before it"),
        ("--to", "-1s", "nothing is before it"),
        ("--crop", "-1,0,8,8", "pixels count from 0"),
        ("--window", "-10ms", "not negative"),
        ("--overlap", "-1ms", "not negative"),
        ("--size", "-8x8", "'-8x8'"),
        ("--sensor", "-8x8", "'-8x8'"),
        ("--count", "-5", "'-5'"),
        ("--bins", "-5", "'-5'"),
    ] {
        let done = liaf.run(&["convert", &file, "-o", "a.npz", option, value]).ends(2);
        done.says(&[option, says]);
    }
    assert!(liaf.files().is_empty());
}

#[test]
fn convert_tells_programs_one_account_a_line() {
    let liaf = Liaf::new();
    let files = [LZ4, "bad/foreign/elf.raw", "bad/aedat4/flipped_lz4.aedat4"].map(fixture);
    let args = ["convert", &files[0], &files[1], &files[2], "-o", "o/", "--to", "npz", "--json"];
    let chosen = ["--to", "100ms", "-j", "1", "--only", "on"];
    let done = liaf.run(&[&args[..], &chosen].concat()).ends(1);
    assert!(!done.err().contains("kept"), "{}", done.err());
    let lines = done.json();
    assert_eq!(lines.len(), 3);
    let one = &lines[0];
    assert_eq!(one["input"], files[0]);
    assert_eq!(one["output"], "o/good/aedat4/dv_lz4.npz");
    assert_eq!((&one["kind"], &one["stream"]), (&"npz".into(), &"events".into()));
    assert_eq!(one["shape"], serde_json::json!([one["frames"], 2, 260, 346]));
    assert_eq!(one["bytes"], liaf.bytes("o/good/aedat4/dv_lz4.npz").len());
    assert_eq!(one["written"], true);
    let events = &one["events"];
    let number = |value: &Value| value.as_u64().unwrap();
    let filtered: u64 =
        events["filtered"].as_array().unwrap().iter().map(|f| number(&f["events"])).sum();
    assert!(filtered > 0 && number(&events["kept"]) > 0, "{one}");
    assert_eq!(number(&events["read"]), 2012);
    let all = ["kept", "out_of_window", "out_of_crop", "out_of_sensor"];
    assert_eq!(all.iter().map(|key| number(&events[key])).sum::<u64>() + filtered, 2012);
    assert_eq!(
        (&lines[1]["written"], &lines[1]["error"]["kind"]),
        (&false.into(), &"unsupported".into())
    );
    assert_eq!(lines[2]["findings"]["damaged_packets"]["count"], 1);
    assert!(!lines[2]["notes"].as_array().unwrap().is_empty());
    assert_eq!(lines[2]["input_bytes"]["skipped"], 271);
    // A dry run, an event file and other streams.
    let print = |args: &[&str]| {
        let done = liaf.run(&[&["convert", "--json"], args].concat()).ends(0);
        done.json().remove(0)
    };
    let dry = print(&[&files[0], "-o", "a.npy", "--dry-run"]);
    assert_eq!((&dry["written"], &dry["frames"]), (&false.into(), &30.into()));
    let dat = print(&[&files[0], "-o", "a.dat", "--zero-time"]);
    assert_eq!((&dat["kind"], &dat["sensor"]), (&"dat".into(), &serde_json::json!([346, 260])));
    let all = fixture("good/aedat4/dv_all_lz4.aedat4");
    let imu = print(&[&all, "-o", "imu.csv", "--stream", "imu"]);
    assert!(imu["measurements"]["kept"].as_u64() > Some(0) && imu.get("events").is_none());
}

#[test]
fn many_files_share_their_warnings_and_closing_lines() {
    let liaf = Liaf::new();
    fs::create_dir(liaf.path("in")).unwrap();
    let bytes = fs::read(fixture("good/evt3/header_only.raw")).unwrap();
    for i in 0..12 {
        fs::write(liaf.path(&format!("in/{i}.raw")), &bytes).unwrap();
    }
    let warning = "warning: the recording holds no events";
    let err = liaf.run(&["convert", "in", "-o", "out", "--to", "npz"]).ends(0).err();
    assert_eq!(err.matches(warning).count(), 1, "{err}");
    assert!(err.contains("warning: and 11 more files: the recording holds no events"), "{err}");
    assert!(err.contains("12 files: ") && err.contains("0 events: 0 kept"), "{err}");
    assert!(err.lines().count() < 8, "{err}");
    let err = liaf.run(&["convert", "in", "-o", "out2", "--to", "npz", "-v"]).ends(0).err();
    assert_eq!(err.matches(warning).count(), 12, "{err}");
    assert!(!err.contains("more files") && err.matches("0 kept").count() == 12, "{err}");
}

#[test]
fn a_large_npz_is_told_before_it_is_made() {
    let liaf = Liaf::new();
    let args = ["convert", &fixture(LZ4), "--window", "100us", "--dry-run", "-o"];
    let done = liaf.run(&[&args[..], &["a.npz"]].concat()).ends(0);
    done.says(&["the .npz would be 1.", " GB", "--npz-deflate makes it smaller"]);
    for more in [&["a.npz", "--npz-deflate"][..], &["a.npy"], &["a.npz", "--window", "20ms"]] {
        let args =
            if more.len() == 3 { &["convert", args[1], "--dry-run", "-o"][..] } else { &args };
        let err = liaf.run(&[args, more].concat()).ends(0).err();
        assert!(!err.contains("makes it smaller"), "{err}");
    }
}

/// An AEDAT 2.0 recording of about `bytes` bytes: a bundled one again and again, each time later.
fn large_recording(path: &Path, bytes: usize) {
    let small = fs::read(fixture("good/aedat2/dvs128.aedat")).unwrap();
    let header = small.len() % 8 + {
        // The header is text and ends before the first record, whose first byte is 0.
        let text = small.iter().take_while(|&&byte| byte != 0).count();
        (text - small.len() % 8) / 8 * 8
    };
    let (header, records) = small.split_at(header);
    let records = records.as_chunks::<8>().0;
    let mut large = header.to_vec();
    for round in 0..(bytes / records.as_flattened().len()) as u32 {
        for record in records {
            let [a, b, c, d, time @ ..] = *record;
            let time = u32::from_be_bytes(time).wrapping_add(round * 400_000).to_be_bytes();
            large.extend_from_slice(&[[a, b, c, d], time].concat());
        }
    }
    fs::write(path, large).unwrap();
}

#[test]
fn a_killed_conversion_leaves_a_whole_file_or_none() {
    let liaf = Liaf::new();
    fs::create_dir(liaf.path("in")).unwrap();
    large_recording(&liaf.path("in/large.aedat"), 16 << 20);
    for container in CONTAINERS {
        let name = format!("out/large.{container}");
        let convert = ["convert", "in/large.aedat", "-fqo", &name, "--count", "2000"];
        let begin = Instant::now();
        liaf.run(&convert).ends(0);
        let whole_time = begin.elapsed().as_micros() as u64;
        let whole = liaf.bytes(&name);
        assert!(whole.len() > 100_000, "{name}: {} bytes", whole.len());
        let (mut killed, mut left) = (0, 0);
        for round in 0..8 {
            fs::remove_file(liaf.path(&name)).unwrap();
            let mut child = liaf.command(&convert).spawn().unwrap();
            // Moments all over the time it takes, and a little less even than that.
            let moment = whole_time * round / 8 + (whole_time * 5 / 13) % (round + 7);
            std::thread::sleep(Duration::from_micros(moment));
            child.kill().unwrap();
            killed += u32::from(!child.wait().unwrap().success());
            if liaf.path(&name).exists() {
                assert!(liaf.bytes(&name) == whole, "{name} is not whole");
            }
            left += liaf.files().iter().filter(|file| file.ends_with(".partial")).count();
            liaf.run(&convert).ends(0);
            assert!(liaf.bytes(&name) == whole, "{name} differs");
            assert_eq!(liaf.files(), ["in/large.aedat", &name[..]], "round {round}");
        }
        eprintln!("{name}: {killed} of 8 killed in time, {left} partial files left and cleared");
        assert!(killed > 0, "every run was faster than its end");
        fs::remove_file(liaf.path(&name)).unwrap();
    }
}

#[test]
fn convert_makes_event_files_that_hold_the_same_events() {
    let liaf = Liaf::new();
    let lz4 = fixture(LZ4);
    let print = |file: &str| {
        let done = liaf.run(&["info", "--json", "--fingerprint", file]).ends(0);
        done.json()[0]["xxh64"].clone()
    };
    let done = liaf.run(&["convert", &lz4, "-o", "b.aedat", "--zero-time", "--no-sync"]).ends(0);
    done.says(&["events of", "kept", "read "]);
    liaf.run(&["convert", "b.aedat", "-o", "out/", "--to", "aedat2"]).ends(0);
    assert_eq!(print("b.aedat"), print("out/b.aedat"));
    assert_eq!(liaf.files(), ["b.aedat", "out/b.aedat"]);
}

#[test]
fn convert_refuses_an_event_file_that_would_lose_something() {
    let liaf = Liaf::new();
    let lz4 = fixture(LZ4);
    let done = liaf.run(&["convert", &lz4, "-o", "a.aedat"]).ends(1);
    done.says(&["AEDAT 2.0 cannot hold these events", "1600000000001033", "--zero-time"]);
    assert_eq!(liaf.files(), [""; 0]);
    liaf.run(&["convert", &lz4, "-o", "a.aedat", "--dry-run"]).ends(1).says(&["cannot hold"]);
    liaf.run(&["convert", &lz4, "-o", "a.aedat", "--wrap", "--crop", "0,0,128,128"]).ends(0);
    assert_eq!(liaf.files(), ["a.aedat"]);
}

#[test]
fn convert_says_what_an_event_file_does_not_carry() {
    let liaf = Liaf::new();
    let all = fixture("good/aedat4/dv_all_lz4.aedat4");
    let done = liaf.run(&["convert", &all, "-o", "a.aedat", "--zero-time", "-q"]).ends(0);
    done.says(&["warning: not in the file:", "frames", "imu samples", "triggers"]);
}

#[test]
fn options_of_the_other_kind_of_file_are_usage_errors() {
    let liaf = Liaf::new();
    let lz4 = fixture(LZ4);
    for (output, option) in
        [("a.aedat", "--window=10ms"), ("a.aedat", "--size=8x8"), ("a.npz", "--sort")]
    {
        let name = option.split('=').next().unwrap();
        liaf.run(&["convert", &lz4, "-o", output, option]).ends(2).says(&[name, "file is made"]);
    }
    for (output, compression, says) in [
        ("a.aedat", "lz4", "expected none, found lz4"),
        ("a.aedat4", "runs", "expected lz4, zstd, none, found runs"),
        ("a.npz", "lz4", "expected none, runs or a level 1 to 9, found lz4"),
        ("a.npz", "0", "expected none, runs, lz4, zstd or a level 1 to 9, found \"0\""),
    ] {
        let args = ["convert", &lz4, "-o", output, "--compress", compression];
        liaf.run(&args).ends(2).says(&[says]);
    }
    liaf.run(&["convert", &lz4, "-o", "a.npz", "--to", "tomorrow"]).ends(2).says(&["aedat2"]);
    assert_eq!(liaf.files(), [""; 0]);
}

#[test]
fn an_output_that_is_an_input_is_refused() {
    let liaf = Liaf::new();
    let bytes = fs::read(fixture(LZ4)).unwrap();
    fs::write(liaf.path("a.aedat4"), &bytes).unwrap();
    fs::hard_link(liaf.path("a.aedat4"), liaf.path("link.npz")).unwrap();
    for output in ["a.aedat4", "./a.aedat4", "link.npz"] {
        let args = ["convert", "a.aedat4", "-o", output, "--to", "npz", "--force"];
        liaf.run(&args).ends(2).says(&["the same file as the input"]);
        assert_eq!(liaf.bytes("a.aedat4"), bytes);
    }
}

/// A long recording of DAT and its events as lines of CSV.
fn long_recording(liaf: &Liaf) -> Vec<String> {
    use liaf_data::write::{self, EventSpec, WriteOptions};
    let sensor = liaf_data::SensorSize::new(640, 480);
    let event = |i: i64| liaf_data::Event { t: i * 100, x: (i % 640) as u16, y: 7, p: 1 };
    let target = write::target("dat").unwrap();
    let options = WriteOptions { sync: false, ..WriteOptions::default() };
    let mut writer =
        write::create(liaf.path("a.dat"), target, &EventSpec::new(sensor), &options).unwrap();
    writer.write(&(0..700_000).map(event).collect()).unwrap();
    writer.finish().unwrap();
    (0..700_000).map(|i| format!("{},{},7,1", i * 100, i % 640)).collect()
}

#[test]
fn a_stretch_of_time_is_found_without_reading_what_is_around_it() {
    let liaf = Liaf::new();
    let lines = long_recording(&liaf);
    let part = |output: &str, more: &[&str]| {
        let args = ["convert", "a.dat", "-o", output, "--from", "40s", "--to", "40.01s"];
        let done = liaf.run(&[&args[..], more].concat()).ends(0).says(&["100 kept"]);
        let text = String::from_utf8(liaf.bytes(output)).unwrap();
        assert_eq!(text.lines().next(), Some("t,x,y,p"));
        let found: Vec<_> = text.lines().filter(|line| line.ends_with(",7,1")).collect();
        assert_eq!(found, lines[400_000..400_100].iter().collect::<Vec<_>>());
        done.err()
    };
    assert!(part("a.csv", &[]).contains("passed over"));
    assert!(!liaf.path("a.dat.index.json").exists());
    assert!(part("b.csv", &["--index"]).contains("passed over"));
    let index = liaf.bytes("a.dat.index.json");
    assert!(part("c.csv", &["--index"]).contains("passed over"));
    assert_eq!(liaf.bytes("a.dat.index.json"), index);
    fs::write(liaf.path("a.dat.index.json"), "rubbish").unwrap();
    part("d.csv", &["--index"]);
    assert_eq!(liaf.bytes("a.dat.index.json"), index);
    // A pipe is read from its beginning.
    let bytes = liaf.bytes("a.dat");
    let args = ["convert", "-", "-o", "e.csv", "--from", "40s", "--to", "40.01s"];
    liaf.run_on(&bytes, &args).ends(0).says(&["100 kept"]);
    // --to is a time and a kind of file.
    let args = ["convert", "a.dat", "-o", "f", "--from", "@40000000", "--to", "@40010000"];
    let to = ["--to", "npz", "--window", "1ms"];
    liaf.run(&[&args[..], &to].concat()).ends(0).says(&["10 frames", "passed over"]);
}
