//! Options that do not fit, and what is said of them.

use super::*;

#[test]
fn several_inputs_and_one_file_is_a_wrong_command() {
    let liaf = Liaf::new();
    let done = liaf.run(&["convert", &fixture(LZ4), &fixture(STEREO), "-o", "all.npz"]);
    done.ends(2).says(&["one file for each input", "`all/`"]);
    assert!(liaf.files().is_empty());
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
    done.says(&["the file is not npz", "chosen with --to npz"]);
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
fn options_of_the_other_kind_of_file_are_usage_errors() {
    let liaf = Liaf::new();
    let lz4 = fixture(LZ4);
    for (output, option) in
        [("a.aedat", "--window=10ms"), ("a.aedat", "--size=8x8"), ("a.npz", "--zero-time")]
    {
        let name = option.split('=').next().unwrap();
        liaf.run(&["convert", &lz4, "-o", output, option])
            .ends(2)
            .says(&[name, "and the output is"]);
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
