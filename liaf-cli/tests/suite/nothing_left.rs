//! Choices of which nothing, or little, is left: an error or a warning says so, and never that the
//! recording holds no events.

use super::*;

const NO_EVENTS: &str = "the recording holds no events";

fn outputs() -> [[&'static str; 2]; 4] {
    [["-o", "a.npz"], ["-o", "a.csv"], ["-o", "b.npz"], ["-o", "b.csv"]]
}

/// Both kinds of output, as a file and as a pipe, dry and not.
fn each(liaf: &Liaf, file: &str, choice: &[&str], code: i32, says: &[&str]) {
    for output in outputs() {
        for dry in [&[][..], &["--dry-run"]] {
            let args = [&["convert", file], &output[..], choice, &["--force"], dry].concat();
            let done = liaf.run(&args);
            assert_eq!(done.0.status.code(), Some(code), "{args:?}: {}", done.err());
            assert!(!done.err().contains(NO_EVENTS), "{args:?}: {}", done.err());
            let done = done.says(says);
            assert!(code == 0 || !liaf.path(output[1]).exists(), "{args:?}: {}", done.err());
        }
    }
}

#[test]
fn an_interval_outside_the_recording_is_an_error_with_its_times() {
    let liaf = Liaf::new();
    let file = fixture(LZ4);
    let says = ["no event is in the chosen interval of time", "2012 events from 16000000000010"];
    each(&liaf, &file, &["--from", "100s"], 1, &says);
    each(&liaf, &file, &["--from", "100s", "--to", "101s"], 1, &says);
    each(&liaf, &file, &["--to", "@1000"], 1, &says);
    // Times of the clock without their @, and times after the first event with one.
    let clock = "1600000000101033us";
    let forgotten = [&says[..], &["as in @1000000"]].concat();
    each(&liaf, &file, &["--from", clock], 1, &forgotten);
    each(&liaf, &file, &["--from", "@0", "--to", "@100000"], 1, &["times after the first event"]);
    let done = liaf.run(&["convert", &file, "-o", "a.npz", "--from", "1600000000101033"]).ends(2);
    done.says(&["is written @1600000000101033"]);
    // Windows over the whole interval need it in a first pass.
    for windows in [["--bins", "3"], ["--event-bins", "3"], ["--edge", "spikingjelly2"]] {
        let args = ["convert", &file, "-o", "a.npz", "--from", "100s"];
        let done = liaf.run(&[&args[..], &windows].concat()).ends(1);
        assert!(!done.err().contains(NO_EVENTS), "{}", done.err());
    }
    assert!(liaf.files().is_empty(), "{:?}", liaf.files());
}

#[test]
fn a_recording_that_is_damaged_throughout_is_an_error_with_its_cause() {
    let liaf = Liaf::new();
    let written = fixture("bad/hdf5/never_written.hdf5");
    each(&liaf, &written, &[], 1, &["no event could be read", "they were never written"]);
    let bag = fs::read(fixture("good/rosbag/tiny_none.bag")).unwrap();
    fs::write(liaf.path("cut.bag"), &bag[..4096]).unwrap();
    each(&liaf, "cut.bag", &[], 1, &["no event stream", "or is damaged"]);
    fs::write(liaf.path("cut.bag"), &bag[..4900]).unwrap();
    let done = liaf.run(&["convert", "cut.bag", "-o", "a.csv"]).ends(1);
    assert!(!done.err().contains("the size of its sensor"), "{}", done.err());
    done.says(&["no event could be read at byte"]);
}

#[test]
fn an_empty_stretch_within_the_recording_is_a_warning() {
    let liaf = Liaf::new();
    fs::write(liaf.path("a.txt"), "0 1 1 1\n10 2 2 0\n5000000 3 3 1\n6000000 3 3 1\n").unwrap();
    for [_, output] in outputs() {
        let args = ["convert", "a.txt", "-o", output, "--from", "1s", "--to", "2s", "--force"];
        let done = liaf.run(&args).ends(0);
        assert!(!done.err().contains(NO_EVENTS), "{}", done.err());
        done.says(&["warning: no event is left of 4 (100 %): 4 out of window"]);
    }
    // Of a large recording only the part is read.
    let bytes = [&b"% Data file containing CD events.\n% Version 2\n\x0c\x08"[..], &{
        let time = |i: u32| if i < 400_000 { i } else { i + 5_000_000 };
        (0..800_000_u32)
            .flat_map(|i| [time(i).to_le_bytes(), [1, 0, 0, 0]].concat())
            .collect::<Vec<_>>()
    }];
    fs::write(liaf.path("large.dat"), bytes.concat()).unwrap();
    let args =
        ["convert", "large.dat", "-o", "d.npz", "--sensor", "8x8", "--from", "2s", "--to", "3s"];
    let done = liaf.run(&args).ends(0);
    assert!(!done.err().contains(NO_EVENTS), "{}", done.err());
    done.says(&["warning: no event is "]);
}

#[test]
fn a_sensor_that_is_too_small_is_told() {
    let liaf = Liaf::new();
    let file = fixture(LZ4);
    fs::write(liaf.path("a.txt"), "0 1 1 1\n10 2 2 1\n20 40 30 1\n").unwrap();
    let says = [
        "no event could be read",
        "found 3 that are lost",
        "outside the sensor: expected a pixel of 1x1",
    ];
    each(&liaf, "a.txt", &["--sensor", "1x1"], 1, &says);
    // All but one.
    let done = liaf.run(&["convert", &file, "-o", "c.npz", "--sensor", "1x1"]).ends(0);
    done.says(&["warning: 2,011 of 2,012 events (99.9 %) are outside the sensor"]);
    // A part of the events.
    for output in ["a.npz", "a.csv"] {
        let done = liaf.run(&["convert", &file, "-o", output, "--sensor", "173x260"]).ends(0);
        done.says(&["warning: ", " of 2,012 events (", " %) are outside the sensor and left out"]);
    }
    let done = liaf.run(&["convert", &file, "-o", "b.npz", "--sensor", "346x260"]).ends(0);
    assert!(!done.err().contains("outside the sensor"), "{}", done.err());
}

#[test]
fn a_crop_or_filter_that_leaves_nothing_is_told_with_its_cause() {
    let liaf = Liaf::new();
    fs::write(liaf.path("a.txt"), "0 1 1 1\n10 2 2 1\n20 40 30 1\n").unwrap();
    for (choice, says) in [
        (&["--crop", "10,10,4,4"][..], "no event is left of 3 (100 %): 3 out of crop"),
        (&["--only", "off"], "no event is left of 3 (100 %): 3 by"),
        (&["--crop", "10,10,4,4", "--from", "15us"], "out of crop"),
    ] {
        each(&liaf, "a.txt", choice, 0, &["warning: ", says]);
    }
    let done = liaf.run(&["convert", "a.txt", "-o", "a.npz", "--crop", "90,90,4,4", "--force"]);
    done.ends(1).says(&["the crop is not within the sensor"]);
}

#[test]
fn samples_outside_the_interval_are_told() {
    let liaf = Liaf::new();
    let all = fixture("good/aedat4/dv_all_lz4.aedat4");
    let args = ["convert", &all, "-o", "a.csv", "--stream", "imu", "--from", "100s"];
    liaf.run(&args).ends(0).says(&["warning: none of the 40 samples of imu"]);
}
