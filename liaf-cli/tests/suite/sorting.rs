//! `--sort`: frames of a recording that is out of order in time.

use super::*;

use liaf::data::Limits;
use liaf::data::tensor::LoadedFrames;

/// A recording of 2,000 events whose times go back by up to 3 ms, the number of those that come after a
/// later one, and the same as a file that is sorted here.
fn disordered(liaf: &Liaf) -> u64 {
    let mut state = 7_u64;
    let mut below = |n: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let mut rows: Vec<(u64, u64, u64, u64)> = (0..2_000)
        .map(|i| {
            let late = if below(5) == 0 { below(3_000) } else { 0 };
            (3_000 + 10 * i - late, below(16), below(12), below(2))
        })
        .collect();
    let write = |name: &str, rows: &[(u64, u64, u64, u64)]| {
        let lines = rows.iter().map(|(t, x, y, p)| format!("{t},{x},{y},{p}\n"));
        fs::write(liaf.path(name), format!("t,x,y,p\n{}", lines.collect::<String>())).unwrap();
    };
    write("a.csv", &rows);
    let mut latest = 0;
    let mut moved = 0;
    for row in &rows {
        moved += u64::from(row.0 < latest);
        latest = latest.max(row.0);
    }
    rows.sort_by_key(|row| row.0);
    write("sorted.csv", &rows);
    moved
}

const READ: [&str; 3] = ["--sensor", "16x12", "-q"];

#[test]
fn frames_are_those_of_the_sorted_recording() {
    let liaf = Liaf::new();
    disordered(&liaf);
    // The events of the file that --sort makes are those that were sorted here.
    liaf.run(&[&["convert", "a.csv", "-o", "b.csv", "--sort"][..], &READ].concat()).ends(0);
    assert_eq!(liaf.bytes("b.csv"), liaf.bytes("sorted.csv"));
    let windows: [&[&str]; 7] = [
        &["--window", "1ms"],
        &["--window", "2ms", "--overlap", "500us", "--slack", "0ms"],
        &["--window", "1ms", "--edge", "spikingjelly"],
        &["--window", "1ms", "--edge", "spikingjelly2"],
        &["--count", "70"],
        &["--bins", "9"],
        &["--event-bins", "6", "--edge", "tonic"],
    ];
    let choices: [&[&str]; 5] = [
        &[],
        &["--from", "@5000", "--to", "@15000"],
        &["--crop", "2,3,9,7", "--only", "on"],
        &["--filter", "refractory:period=2ms"],
        &["--from", "@5000", "--crop", "2,3,9,7", "--filter", "refractory:period=2ms"],
    ];
    for windows in windows {
        for choice in choices {
            let made = |input: &str, more: &[&str]| {
                let args = ["convert", input, "-o", "frames.npz", "--force", "--no-sync"];
                liaf.run(&[&args[..], &READ, windows, choice, more].concat()).ends(0);
                let frames =
                    LoadedFrames::read(liaf.path("frames.npz"), &Limits::default()).unwrap();
                (frames.cells(0..frames.len()), frames.timestamps().to_vec())
            };
            let sorted = made("a.csv", &["--sort"]);
            assert_eq!(sorted, made("sorted.csv", &[]), "{windows:?} {choice:?}");
            assert!(sorted.1.len() > 3);
            if windows == ["--count", "70"] {
                assert_ne!(sorted, made("a.csv", &[]), "{choice:?}");
            }
        }
    }
    // An event file is sorted before the filters, too.
    let filter = ["--filter", "refractory:period=2ms"];
    liaf.run(&[&["convert", "a.csv", "-o", "c.csv", "--sort"][..], &READ, &filter].concat())
        .ends(0);
    liaf.run(&[&["convert", "sorted.csv", "-o", "d.csv"][..], &READ, &filter].concat()).ends(0);
    assert_eq!(liaf.bytes("c.csv"), liaf.bytes("d.csv"));
    assert!(liaf.bytes("c.csv").len() < liaf.bytes("sorted.csv").len());
}

#[test]
fn moved_events_are_told_and_late_ones_are_advised_about() {
    let liaf = Liaf::new();
    let moved = disordered(&liaf);
    let read = ["--sensor", "16x12", "--force", "--json"];
    for (output, dry) in [("a.npz", false), ("a.npz", true), ("b.csv", false), ("b.csv", true)] {
        let args = ["convert", "a.csv", "-o", output, "--sort"];
        let dry: &[&str] = if dry { &["--dry-run"] } else { &[] };
        let done = liaf.run(&[&args[..], &read, dry].concat()).ends(0);
        assert_eq!(done.json()[0]["events"]["moved"], moved, "{output} {dry:?}");
        done.says(&[&format!("{moved} events were earlier than one before them and were moved")]);
    }
    let done = liaf.run(&["convert", "a.csv", "-o", "c.npz", "--sensor", "16x12", "--sort"]);
    done.ends(0).says(&[&format!(
        "2,000 kept, 0 out of window, 0 out of crop, 0 out of sensor; {moved} moved"
    )]);
    let late = ["convert", "a.csv", "-o", "d.npz", "--sensor", "16x12", "--slack", "0ms"];
    liaf.run(&late)
        .ends(0)
        .says(&["events came before the first window", "--sort sorts all events by time"]);
    let text = |name: &str| String::from_utf8_lossy(&liaf.bytes(name)).into_owned();
    assert!(text("c.npz").contains("\"sort\":true") && !text("d.npz").contains("\"sort\""));
}

#[test]
fn what_cannot_be_sorted_says_why() {
    let liaf = Liaf::new();
    disordered(&liaf);
    let bytes = liaf.bytes("a.csv");
    for output in ["a.npz", "b.csv"] {
        for dry in [&[][..], &["--dry-run"]] {
            let args = ["convert", "-", "-o", output, "--sensor", "16x12", "--sort"];
            let done = liaf.run_on(&bytes, &[&args[..], dry].concat()).ends(1);
            done.says(&["sorting by time needs a first pass", "a pipe", "name a file"]);
        }
        let args = ["convert", "a.csv", "-o", output, "--sensor", "16x12", "--sort"];
        let done = liaf.run(&[&args[..], &["--sort-memory", "0"]].concat()).ends(1);
        done.says(&["2000 events", "µs late", "--sort-memory 1 is enough", "--crop", "--from"]);
    }
    let both = ["convert", "a.csv", "-o", "a.npz", "--sort", "--clamp-time"];
    liaf.run(&both).ends(2).says(&["--clamp-time"]);
    let imu = fixture("good/aedat4/dv_all_lz4.aedat4");
    let imu = ["convert", &imu, "-o", "imu.csv", "--stream", "imu", "--sort"];
    liaf.run(&imu).ends(2).says(&["--sort applies to events"]);
    assert_eq!(liaf.files(), ["a.csv", "sorted.csv"]);
}
