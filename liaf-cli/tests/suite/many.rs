//! Several inputs: where their outputs go, and what is said of all of them.

use super::*;

#[test]
fn several_inputs_mirror_their_folders() {
    let liaf = Liaf::new();
    let good = fixture("good");
    let one = format!("{good}/evt3/tiny.raw");
    let two = format!("{good}/aedat2/dvs128.aedat");
    let pattern = format!("{good}/aedat2/*128_sync.aedat");
    liaf.run(&["convert", &one, &two, &pattern, "-o", "out", "--to", "npz", "--bins", "2"]).ends(0);
    let expected = ["aedat2/dvs128.npz", "aedat2/dvs128_sync.npz", "evt3/tiny.npz"];
    assert_eq!(liaf.files(), expected.map(|name| format!("out/{name}")));
    let done = liaf.run(&["convert", &one, "-o", "single/", "--to", "npy"]).ends(0);
    assert!(liaf.path("single/tiny.npy").exists(), "{}", done.err());
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

/// A full standard error keeps no file from being converted, and the exit code is the same.
#[test]
fn what_cannot_be_said_stops_nothing() {
    for file in [LZ4, "bad/foreign/elf.raw"] {
        let liaf = Liaf::new();
        let args = ["convert", &fixture(file), &fixture("good/evt3/tiny.raw"), "-o", "out/"];
        let said = liaf.run(&args);
        let files = liaf.files();
        fs::remove_dir_all(liaf.path("out")).unwrap();
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let status = liaf.command(&args).stderr(full).status().unwrap();
        assert_eq!(status.code(), said.0.status.code());
        assert_eq!(liaf.files(), files);
    }
}
