//! What `liaf info` and the help say.

use super::*;

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
    let cases = tables::rows(&fixtures(), "case");
    let mut seen = 0;
    for case in &cases {
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
fn hot_pixels_are_found_written_and_masked() {
    let liaf = Liaf::new();
    // A pixel that flickers among others that do not.
    let mut rows = String::from("t,x@16,y@12,p\n");
    for t in 0..2000 {
        let (x, y) = if t % 4 == 0 { (t / 4 % 16, t / 64 % 12) } else { (9, 5) };
        rows += &format!("{t},{x},{y},{}\n", t % 2);
    }
    let (recording, hot) = (liaf.path("flicker.csv"), liaf.path("hot.csv"));
    fs::write(&recording, rows).unwrap();
    let (recording, hot) = (recording.to_str().unwrap(), hot.to_str().unwrap());
    let out = liaf.run(&["info", recording, "--hot-pixels", hot]).ends(0).out();
    assert!(out.contains("hot pixels 1"), "{out}");
    assert_eq!(fs::read_to_string(hot).unwrap(), "x,y\n9,5\n");
    let mask = format!("mask:file={hot}");
    let masked = liaf.path("masked.csv");
    liaf.run(&["convert", recording, "-o", masked.to_str().unwrap(), "--filter", &mask]).ends(0);
    assert!(!fs::read_to_string(&masked).unwrap().contains(",9,5,"));

    liaf.run(&["info", recording, "--hot-pixels", hot]).ends(2).says(&["--force"]);
    let again =
        ["info", recording, "--hot-pixels", hot, "--force", "--hot-events", "5000", "--json"];
    let line = liaf.run(&again).ends(0).json();
    assert_eq!(line[0]["hot_pixels"], Value::Array(Vec::new()));
    assert_eq!(fs::read_to_string(hot).unwrap(), "x,y\n");
    for (wrong, says) in [
        (&["info", recording, &fixture(LZ4), "--hot-pixels", hot][..], "--join"),
        (&["info", recording, "--hot-factor", "3"], "--hot-pixels"),
        (&["info", recording, "--hot-pixels", "-"], "in place of -"),
        (&["info", recording, "--hot-pixels", hot, "--force", "--hot-factor", "0"], "above 0"),
        (&["info", recording, "--hot-pixels", hot, "--force", "--coords", "raw"], "--coords"),
        (&["info", &fixture(STEREO), "--hot-pixels", hot, "--force"], "--stream"),
        (&["info", recording, "--hot-pixels", recording, "--force"], "same file as the input"),
    ] {
        liaf.run(wrong).ends(2).says(&[says]);
    }
}

#[test]
fn hot_pixels_without_one_stream_of_events_are_refused_before_any_event_is_read() {
    let liaf = Liaf::new();
    let (recording, hot) = (liaf.path("cut.aedat4"), liaf.path("hot.csv"));
    let (recording, hot) = (recording.to_str().unwrap(), hot.to_str().unwrap());
    let measurements = "good/aedat4/dv_all_lz4.aedat4";
    for (source, stream) in [(STEREO, &[][..]), (measurements, &["--stream", "imu"])] {
        // What is cut off would be an error if the events were read first.
        let whole = fs::read(fixture(source)).unwrap();
        fs::write(recording, &whole[..whole.len() / 2]).unwrap();
        let strict = [&["info", recording, "--strict"], stream].concat();
        liaf.run(&strict).ends(1).says(&["incomplete"]);
        let refused = [&strict[..], &["--hot-pixels", hot]].concat();
        liaf.run(&refused).ends(2).says(&["--stream"]);
    }
}
