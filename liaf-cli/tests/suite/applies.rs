//! Options that would do nothing are refused: every row of the table in `docs/cli.md`.

use super::*;

const RAW: &str = "good/evt3/tiny.raw";
const CSV: &str = "good/csv/tiny.csv";
const AEDAT: &str = "good/aedat2/dvs128.aedat";

/// An option with its value, a command to which it does not apply, and one to which it does: the input,
/// the output and further words.
type Case = (&'static [&'static str], [&'static str; 2], [&'static str; 2]);

#[rustfmt::skip]
const CASES: &[Case] = &[
    (&["--window", "10ms"], [RAW, "a.csv"], [RAW, "a.npz"]),
    (&["--count", "100"], [RAW, "a.csv"], [RAW, "a.npz"]),
    (&["--bins", "3"], [RAW, "a.csv"], [RAW, "a.npz"]),
    (&["--event-bins", "3"], [RAW, "a.csv"], [RAW, "a.npz"]),
    (&["--overlap", "1ms"], [RAW, "a.csv"], [RAW, "a.npz"]),
    (&["--edge", "all"], [RAW, "a.csv"], [RAW, "a.npz"]),
    (&["--repr", "binary"], [RAW, "a.csv"], [RAW, "a.npz"]),
    (&["--dtype", "u8"], [RAW, "a.csv"], [RAW, "a.npz"]),
    (&["--binary"], [RAW, "a.csv"], [RAW, "a.npz"]),
    (&["--polarity", "split"], [RAW, "a.csv"], [RAW, "a.npz"]),
    (&["--size", "8x8"], [RAW, "a.csv"], [RAW, "a.npz"]),
    (&["--max-frames", "1000000"], [RAW, "a.csv"], [RAW, "a.npz"]),
    (&["--slack", "1ms"], [RAW, "a.csv"], [RAW, "a.npz"]),
    (&["--slack", "1ms", "--count", "100"], [RAW, "a.npz"], ["", ""]),
    (&["--slack", "1ms", "--event-bins", "3"], [RAW, "a.npz"], ["", ""]),
    (&["--npz-deflate"], [RAW, "a.npy"], [RAW, "a.npz"]),
    (&["--npz-deflate"], [RAW, "a.csv"], ["", ""]),
    (&["--zero-time"], [RAW, "a.npz"], [RAW, "a.csv"]),
    (&["--clamp-time"], [RAW, "a.npz"], [RAW, "a.csv"]),
    (&["--wrap"], [RAW, "a.csv"], [RAW, "a.dat"]),
    (&["--wrap"], [RAW, "a.npz"], ["", ""]),
    (&["--compress", "9"], [RAW, "a.safetensors"], ["", ""]),
    (&["--compress", "9"], [RAW, "a.npy"], ["", ""]),
    (&["--compress", "9"], [RAW, "a.npz"], ["", ""]),
    (&["--compress", "none"], ["", ""], [RAW, "a.npz"]),
    (&["--compress", "9", "--npz-deflate"], ["", ""], [RAW, "a.npz"]),
    (&["--sort-memory", "1"], [RAW, "a.csv"], ["", ""]),
    (&["--sort-memory", "1", "--sort"], ["", ""], [RAW, "a.csv"]),
    (&["--aedat2", "tonic"], [RAW, "a.csv"], [AEDAT, "a.csv"]),
    (&["--clock-reset", "keep"], [RAW, "a.csv"], [AEDAT, "a.csv"]),
    (&["--imu-ranges", "8,1000"], [RAW, "a.csv"], [AEDAT, "a.csv"]),
    (&["--keep-invalid"], [RAW, "a.csv"], ["good/aedat3/stereo.aedat", "1"]),
    (&["--evt21-order", "auto"], [RAW, "a.csv"], ["good/evt21/little.raw", "a.csv"]),
    (&["--time-shift", "none"], [AEDAT, "a.csv"], [RAW, "a.csv"]),
    (&["--atis-overflow", "tonic"], [RAW, "a.csv"], ["", ""]),
    (&["--keys", "t,x,y,p"], [AEDAT, "a.npz"], [CSV, "a.npz"]),
    (&["--columns", "t,x,y,p"], [RAW, "a.npz"], [CSV, "a.npz"]),
    (&["--time-unit", "us"], [AEDAT, "a.npz"], [CSV, "a.npz"]),
    (&["--t-offset"], [AEDAT, "a.npz"], ["", ""]),
    (&["--data-offset", "0"], [CSV, "a.npz"], ["", ""]),
];

#[test]
fn options_that_do_nothing_are_usage_errors() {
    let liaf = Liaf::new();
    for (option, not, fits) in CASES {
        let run = |[input, output]: [&str; 2], dry: &[&str]| {
            // A recording of two cameras is converted one camera at a time.
            let (output, stream): (_, &[&str]) = match output {
                "1" => ("a.csv", &["--stream", "1"]),
                output => (output, &[]),
            };
            let input = fixture(input);
            liaf.run(&[&["convert", &input, "-o", output, "-q"], *option, stream, dry].concat())
        };
        if !not[0].is_empty() {
            for dry in [&[][..], &["--dry-run"]] {
                let done = run(*not, dry).ends(2);
                let name = if option[0] == "--columns" { "--keys" } else { option[0] };
                done.says(&[name, "applies to", "and the "]);
            }
            assert!(liaf.files().is_empty(), "{option:?} {not:?}");
        }
        if !fits[0].is_empty() {
            let done = run(*fits, &["--dry-run"]);
            assert_eq!(done.0.status.code(), Some(0), "{option:?} {fits:?}: {}", done.err());
        }
    }
}

/// The table in the documentation names every option of these cases and of the commands.
#[test]
fn the_documentation_has_the_table() {
    let page = fixtures().join("../docs/cli.md");
    let page = fs::read_to_string(page).unwrap();
    for (option, ..) in CASES.iter().filter(|(option, ..)| option[0] != "--columns") {
        let is_row =
            |line: &&str| line.starts_with('|') && line.contains(&format!("`{}`", option[0]));
        assert!(page.lines().any(|line| is_row(&line)), "{option:?}");
    }
}

#[test]
fn options_of_the_input_are_checked_for_every_command_and_for_pipes() {
    let liaf = Liaf::new();
    let raw = fixture(RAW);
    let bytes = fs::read(&raw).unwrap();
    liaf.run(&["info", &raw, "--keys", "t,x,y,p"]).ends(2).says(&["--keys applies to", "EVT 3.0"]);
    for args in [&["info", "-"][..], &["convert", "-", "-o", "a.npz"]] {
        let done = liaf.run_on(&bytes, &[args, &["--keys", "t,x,y,p"]].concat()).ends(2);
        done.says(&["--keys applies to", "EVT 3.0"]);
    }
    for option in [&["--mmap", "never"][..], &["--index"]] {
        let done = liaf.run_on(&bytes, &[&["convert", "-", "-o", "a.npz"], option].concat());
        done.ends(2).says(&[option[0], "applies to files", "standard input"]);
    }
    // Of several inputs one is enough.
    let csv = fixture(CSV);
    let both = ["convert", &raw, &csv, "-o", "out", "--to", "npz", "--time-unit", "us"];
    liaf.run(&both).ends(0);
    let args = ["convert", &raw, &fixture(AEDAT), "-o", "b", "--to", "npz", "--keys", "t,x,y,p"];
    liaf.run(&args).ends(2).says(&["no input is", "the first is EVT 3.0"]);
    assert!(!liaf.path("b").exists());
}

#[test]
fn a_stream_that_a_format_does_not_have_is_refused() {
    let liaf = Liaf::new();
    for file in [CSV, "good/numpy/tiny.npy", "good/event_stream/dvs.es", "good/atis_bin/tiny.bin"] {
        let path = fixtures().join(file);
        if !path.exists() {
            continue;
        }
        let file = path.display().to_string();
        let args = ["convert", &file, "-o", "a.npz", "--stream"];
        liaf.run(&[&args[..], &["imu"]].concat()).ends(1).says(&["no stream imu"]);
        liaf.run(&[&args[..], &["events", "--force"]].concat()).ends(0);
        liaf.run(&[&args[..], &["0", "--force"]].concat()).ends(0);
    }
}

#[test]
fn options_for_events_do_not_apply_to_measurements() {
    let liaf = Liaf::new();
    let all = fixture("good/aedat4/dv_all_lz4.aedat4");
    for option in [
        &["--crop", "0,0,4,4"][..],
        &["--only", "on"],
        &["--filter", "refractory:period=1ms"],
        &["--sort"],
        &["--sensor", "8x8"],
    ] {
        let args = ["convert", &all, "-o", "a.csv", "--stream", "imu"];
        let done = liaf.run(&[&args[..], option].concat()).ends(2);
        done.says(&[option[0], "applies to events"]);
    }
    assert!(liaf.files().is_empty());
}

/// The other commands, in a folder with a picture, a set of one recording of AEDAT 4 and a folder of texts.
#[test]
fn options_of_other_commands_that_do_nothing_are_refused() {
    let liaf = Liaf::new();
    simulate::npy(&liaf.path("p.npy"), "(8, 8)", &[[40; 32], [200; 32]].concat());
    fs::create_dir_all(liaf.path("set/pen")).unwrap();
    fs::create_dir(liaf.path("texts")).unwrap();
    fs::copy(fixture("good/aedat4/dv_lz4.aedat4"), liaf.path("set/pen/a.aedat4")).unwrap();
    let before = liaf.files();
    for (words, says) in [
        ("dataset folder set -o x.npz --aedat2 tonic", "--aedat2 applies to AEDAT 1.0 and 2.0"),
        ("dataset folder set -o x.npz --time-unit s", "--time-unit applies to"),
        ("dataset folder set -o x.npz --keys t,x,y,p", "--keys applies to"),
        ("dataset folder set -o x.npz --bins 2 --partial pad", "--partial applies to"),
        ("dataset folder set -o x.npz --steps 3 --partial pad", "--partial applies to"),
        ("dataset folder set -o x.npz --repr events --polarity merged", "--polarity"),
        ("dataset folder set -o x.npz --repr voxel_grid --polarity split", "--polarity applies to"),
        ("dataset babi texts -o x.npz --mmap never", "--mmap does not apply"),
        ("dataset babi texts -o x.npz --keys t,x,y,p", "--keys does not apply"),
        ("dataset babi texts -o x.npz --aedat2 tonic", "--aedat2 does not apply"),
        ("dataset babi texts -o x.npz --time-unit s", "--time-unit does not apply"),
        (
            "convert set/pen/a.aedat4 -o x.npz --repr voxel_grid --polarity split",
            "--polarity applies to",
        ),
        (
            "convert set/pen/a.aedat4 -o x.npz --repr signed --polarity merged",
            "--polarity applies to",
        ),
        ("simulate p.npy -o x.csv --per-class 3", "--per-class is for --set"),
        ("simulate p.npy -o x.csv --digit-scale 4", "--digit-scale"),
        ("simulate p.npy -o x.csv --fps 10", "--fps is the rate of several pictures"),
        (
            "simulate p.npy -o x.csv --duration 1s --motion saccades:each=10ms",
            "--duration is that of motions that do not state one",
        ),
        (
            "simulate p.npy -o x.csv --duration 1s --motion still:for=1ms",
            "--duration is that of motions that do not state one",
        ),
        ("simulate p.npy -o - --to csv --force", "--force applies to files"),
    ] {
        let args: Vec<&str> = words.split(' ').collect();
        let done = liaf.run(&args).ends(2).says(&[says]);
        assert_eq!(done.out(), "", "{words}");
        assert_eq!(liaf.files(), before, "{words}");
    }
    for words in [
        "dataset folder set -o a.npz --repr voxel_grid --bins 2",
        "dataset folder set -o b.npz --repr count --polarity merged --bins 2 --mmap never",
        "convert set/pen/a.aedat4 -o c.npz --repr signed --polarity signed",
        "simulate p.npy -o d.csv --duration 10ms --motion still:for=1ms --motion translation",
    ] {
        liaf.run(&words.split(' ').collect::<Vec<_>>()).ends(0);
    }
}
