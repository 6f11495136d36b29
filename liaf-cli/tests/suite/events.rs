//! Conversions to event files, and of parts of recordings.

use super::*;

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
    done.says(&["AEDAT 2.0 cannot store these events", "1600000000001033", "--zero-time"]);
    assert_eq!(liaf.files(), [""; 0]);
    liaf.run(&["convert", &lz4, "-o", "a.aedat", "--dry-run"]).ends(1).says(&["cannot store"]);
    liaf.run(&["convert", &lz4, "-o", "a.aedat", "--wrap", "--crop", "0,0,128,128"]).ends(0);
    assert_eq!(liaf.files(), ["a.aedat"]);
}

#[test]
fn convert_says_what_an_event_file_does_not_carry() {
    let liaf = Liaf::new();
    let all = fixture("good/aedat4/dv_all_lz4.aedat4");
    let done = liaf.run(&["convert", &all, "-o", "a.aedat", "--zero-time", "-q"]).ends(0);
    done.says(&["warning: not written to the file:", "frames", "imu samples", "triggers"]);
}

#[test]
fn an_output_that_is_an_input_is_refused() {
    let liaf = Liaf::new();
    let bytes = fs::read(fixture(LZ4)).unwrap();
    fs::write(liaf.path("a.aedat4"), &bytes).unwrap();
    fs::hard_link(liaf.path("a.aedat4"), liaf.path("link.npz")).unwrap();
    for output in ["a.aedat4", "./a.aedat4", "link.npz"] {
        let args = ["convert", "a.aedat4", "-o", output, "--force"];
        liaf.run(&args).ends(2).says(&["the same file as the input"]);
        assert_eq!(liaf.bytes("a.aedat4"), bytes);
    }
}

#[test]
fn an_output_that_is_read_besides_the_input_is_refused() {
    let liaf = Liaf::new();
    for (name, text) in
        [("hot.csv", "x,y\n1,1\n"), ("e_t.npy", ""), ("e_xy.npy", ""), ("e_p.npy", "")]
    {
        fs::write(liaf.path(name), text).unwrap();
    }
    let lz4 = fixture(LZ4);
    for args in [
        ["convert", &lz4, "-o", "hot.csv", "--filter", "mask:file=hot.csv"],
        ["convert", "e_t.npy", "-o", "e_p.npy", "--to", "npy-events"],
    ] {
        liaf.run(&[&args[..], &["--force"]].concat()).ends(2).says(&["the same file as the input"]);
    }
    assert_eq!(liaf.bytes("hot.csv"), b"x,y\n1,1\n");
}

/// A long recording of DAT and its events as lines of CSV.
fn long_recording(liaf: &Liaf) -> Vec<String> {
    use liaf::data::write::{self, EventSpec, WriteOptions};
    let sensor = liaf::data::SensorSize::new(640, 480);
    let event = |i: i64| liaf::data::Event { t: i * 100, x: (i % 640) as u16, y: 7, p: 1 };
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
