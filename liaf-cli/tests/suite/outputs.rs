//! What `-o` means: a file, a folder or standard output; and dry runs.

use super::*;

/// Inputs, what exists as `out`, the output, the kind, and the file that is made or what is said.
type Row = (
    &'static [&'static str],
    &'static str,
    &'static str,
    &'static str,
    Result<&'static str, &'static str>,
);

#[test]
fn the_rule_for_outputs_holds_in_every_row() {
    let rows: [Row; 22] = [
        (&["in/a.aedat"], "", "x.npz", "", Ok("x.npz")),
        (&["in/a.aedat"], "", "x.npz", "npz", Ok("x.npz")),
        (&["in/a.aedat"], "", "x.npz", "npz-events", Ok("x.npz")),
        (&["in/a.aedat"], "", "x.tmp", "npz", Ok("x.tmp")),
        (&["in/a.aedat"], "", "out", "npz", Ok("out/a.npz")),
        (&["in/a.aedat"], "", "out/", "npz", Ok("out/a.npz")),
        (&["in/a.aedat"], "folder", "out", "npz", Ok("out/a.npz")),
        (&["in/a.aedat"], "folder", "out/", "npz", Ok("out/a.npz")),
        (&["in/a.aedat"], "file", "out", "npz", Err("out is a file")),
        (&["in/a.aedat"], "file", "out/", "npz", Err("out/ is a file")),
        (&["in"], "", "out", "npz", Ok("out/a.npz")),
        (&["in"], "", "out/", "npz", Ok("out/a.npz")),
        (&["in"], "", "x.npz", "", Err("one output file")),
        (&["in/*.aedat"], "", "out", "npz", Ok("out/a.npz")),
        (&["in/*.aedat"], "", "x.npz", "", Err("one output file")),
        (&["in/a.aedat", "in/a.aedat"], "", "x.npz", "", Err("one output file")),
        (&["in/a.aedat"], "", "x.npz", "npy", Err("contradict")),
        (&["in/a.aedat"], "", "x.aedat4", "aedat2", Err("contradict")),
        (&["in/a.aedat"], "", "x.npz", "png", Err("contradict")),
        (&["in/a.aedat"], "", "x.v2", "", Err("found .v2")),
        (&["in"], "", "-", "csv", Err("several inputs or a folder")),
        (&["in/a.aedat"], "", "-", "", Err("choose the kind with --to")),
    ];
    for (inputs, there, output, kind, ends) in rows {
        let what = format!("{inputs:?} {there} -o {output} --to {kind}");
        let liaf = Liaf::new();
        fs::create_dir(liaf.path("in")).unwrap();
        fs::copy(fixture("good/aedat2/dvs128.aedat"), liaf.path("in/a.aedat")).unwrap();
        match there {
            "file" => fs::write(liaf.path("out"), b"mine").unwrap(),
            "folder" => fs::create_dir(liaf.path("out")).unwrap(),
            _ => {}
        }
        let before = liaf.files();
        let to: &[&str] = if kind.is_empty() { &[] } else { &["--to", kind] };
        let args = [&["convert"], inputs, &["-o", output, "-q"], to].concat();
        // A dry run ends as the run does, and leaves nothing.
        let code = if ends.is_ok() { 0 } else { 2 };
        let dry = liaf.run(&[&args[..], &["--dry-run"]].concat()).ends(code);
        assert_eq!(liaf.files(), before, "{what}");
        let done = liaf.run(&args).ends(code);
        match ends {
            Ok(made) => {
                let mut all = before;
                all.push(made.into());
                all.sort();
                assert_eq!(liaf.files(), all, "{what}");
            }
            Err(says) => {
                assert_eq!(dry.err(), done.err(), "{what}");
                done.says(&[says]);
                assert_eq!(liaf.files(), before, "{what}");
            }
        }
    }
}

#[test]
fn images_of_one_named_recording_are_in_the_output_itself() {
    let liaf = Liaf::new();
    let all = fixture("good/aedat4/dv_all_lz4.aedat4");
    fs::create_dir(liaf.path("in")).unwrap();
    fs::copy(&all, liaf.path("in/a.aedat4")).unwrap();
    liaf.run(&["convert", &all, "-o", "one", "--stream", "frames"]).ends(0);
    assert!(liaf.path("one/frames.csv").exists());
    for input in ["in", "in/*.aedat4"] {
        liaf.run(&["convert", input, "-o", "each", "--stream", "frames", "--force"]).ends(0);
        assert!(liaf.path("each/a/frames.csv").exists(), "{:?}", liaf.files());
    }
}

/// Every kind of event file that can be sent is the same on standard output as in a file.
#[test]
fn events_are_written_to_standard_output() {
    let liaf = Liaf::new();
    let input = fixture("good/aedat2/dvs128.aedat");
    let mut sent = Vec::new();
    for target in liaf::data::write::targets() {
        let kind = target.name;
        let args = ["convert", &input, "--zero-time", "--to", kind, "-o"];
        let done = liaf.run(&[&args[..], &["-"]].concat());
        if liaf::data::write::check_stream(target).is_err() {
            let done = done.ends(2).says(&["cannot be written to standard output"]);
            assert!(done.0.stdout.is_empty());
            continue;
        }
        let name = format!("a.{}", target.extension);
        let done = done.ends(0);
        liaf.run(&[&args[..], &[&name, "--force"]].concat()).ends(0);
        assert!(done.0.stdout == liaf.bytes(&name), "{kind}");
        done.says(&["-: ", "events of"]);
        sent.push(kind);
    }
    for kind in ["csv", "aedat2", "aedat3", "dat", "evt2", "evt21", "evt3", "es"] {
        assert!(sent.contains(&kind), "{kind} is not in {sent:?}");
    }
    assert!(!sent.contains(&"aedat4") && !sent.contains(&"npy-events"));
    // The events of a pipe, and a stream of measurements.
    let bytes = fs::read(&input).unwrap();
    let pipe = liaf.run_on(&bytes, &["convert", "-", "-o", "-", "--to", "csv", "-q"]).ends(0);
    liaf.run(&["convert", &input, "-o", "a.csv", "--force"]).ends(0);
    assert!(pipe.0.stdout == liaf.bytes("a.csv"));
    let all = fixture("good/aedat4/dv_all_lz4.aedat4");
    let imu = liaf.run(&["convert", &all, "-o", "-", "--to", "csv", "--stream", "imu"]).ends(0);
    assert_eq!(imu.out().lines().count(), 1 + 40);
    let dry = liaf.run(&["convert", &input, "-o", "-", "--to", "csv", "--dry-run"]).ends(0);
    assert!(dry.0.stdout.is_empty());
}

#[test]
fn what_cannot_be_sent_says_why() {
    let liaf = Liaf::new();
    let input = fixture("good/aedat2/dvs128.aedat");
    for (kind, says) in [
        ("npy", "the number of frames, which is only known at the end"),
        ("npz", "a container"),
        ("safetensors", "a container"),
        ("png", "a folder"),
        ("aedat4", "the table of its packets"),
        ("npz-events", "a container"),
    ] {
        let done = liaf.run(&["convert", &input, "-o", "-", "--to", kind]).ends(2);
        done.says(&[says]);
    }
    for option in ["--json", "--force", "--no-sync"] {
        let done = liaf.run(&["convert", &input, "-o", "-", "--to", "csv", option]).ends(2);
        done.says(&[option, "standard output"]);
    }
    assert!(liaf.files().is_empty());
}

#[test]
#[cfg(unix)]
fn a_full_or_closed_standard_output_is_no_success_and_no_panic() {
    let liaf = Liaf::new();
    let input = fixture("good/aedat2/dvs128.aedat");
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    for args in [
        &["--help"][..],
        &["convert", "--help"],
        &["--version"],
        &["man"],
        &["completions", "bash"],
        &["info", &input],
        &["convert", &input, "-o", "-", "--to", "csv"],
        &["cost", "gesture-a"],
    ] {
        let done = Done(liaf.command(args).stdout(full()).output().unwrap()).ends(1);
        assert!(!done.err().contains("panicked"), "{}", done.err());
    }
    // The reader of a pipe may stop early.
    let mut child = liaf
        .command(&["convert", &input, "-o", "-", "--to", "csv"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let done = Done(child.wait_with_output().unwrap()).ends(0);
    assert!(!done.err().contains("panicked"), "{}", done.err());
}

/// A dry run fails where the run does, with the same words, and leaves nothing.
#[test]
fn a_dry_run_fails_where_the_run_would() {
    let liaf = Liaf::new();
    let (lz4, all) = (fixture(LZ4), fixture("good/aedat4/dv_all_lz4.aedat4"));
    fs::write(liaf.path("there.npz"), b"mine").unwrap();
    fs::write(liaf.path("there.csv"), b"mine").unwrap();
    fs::write(liaf.path("plain"), b"mine").unwrap();
    fs::create_dir(liaf.path("frames")).unwrap();
    fs::write(liaf.path("frames/frame_000000.png"), b"mine").unwrap();
    let rows: [(&[&str], i32); 12] = [
        (&[&lz4, "-o", "there.npz"], 1),
        (&[&lz4, "-o", "there.npz", "--force"], 0),
        (&[&lz4, "-o", "there.csv"], 1),
        (&[&lz4, "-o", "plain/sub/a.npz"], 1),
        (&[&all, "-o", "there.csv", "--stream", "imu"], 1),
        (&[&all, "-o", "frames", "--stream", "frames"], 1),
        (&[&all, "-o", "frames", "--stream", "frames", "--force"], 0),
        (&[&all, "-o", "x.npz", "--stream", "imu"], 2),
        (&[&lz4, "-o", "x", "--to", "png"], 2),
        (&[&lz4, "-o", "a.aedat"], 1),
        (&[&lz4, "-o", "new/sub/a.npz"], 0),
        (&[&lz4, "-o", "a.npz", "--from", "100s"], 1),
    ];
    let before = liaf.files();
    for (args, code) in rows {
        let dry = liaf.run(&[&["convert"], args, &["--dry-run"]].concat()).ends(code);
        assert_eq!(liaf.files(), before, "{args:?}");
        if code != 0 {
            let done = liaf.run(&[&["convert"], args].concat()).ends(code);
            let first = |done: &Done| done.err().lines().next().unwrap_or_default().to_owned();
            if !args[2].starts_with("plain") {
                assert_eq!(first(&dry), first(&done), "{args:?}");
            }
            assert_eq!(liaf.files(), before, "{args:?}");
        }
    }
}

#[test]
fn a_dry_run_fails_where_the_encoder_refuses_the_sensor() {
    let liaf = Liaf::new();
    fs::write(liaf.path("a.csv"), "t,x,y,p\n0,1,2,1\n9,3,4,0\n").unwrap();
    for target in liaf::data::write::targets() {
        let output = format!("a.out.{}", target.extension);
        let args = ["convert", "a.csv", "-o", &output, "--to", target.name, "--sensor", "700x500"];
        let dry = liaf.run(&[&args[..], &["--dry-run"]].concat());
        let done = liaf.run(&args);
        assert_eq!(dry.0.status.code(), done.0.status.code(), "{}", target.name);
        if target.name == "aedat2" {
            dry.ends(1).says(&["no camera with a sensor of this size"]);
            done.ends(1);
        }
    }
}

#[test]
fn a_folder_that_was_made_and_is_empty_does_not_stay() {
    let liaf = Liaf::new();
    fs::write(liaf.path("bad.aedat4"), b"#!AER-DAT4.0\r\n").unwrap();
    fs::create_dir(liaf.path("there")).unwrap();
    for output in ["out", "new/out/", "new/a.npz", "there"] {
        liaf.run(&["convert", "bad.aedat4", "-o", output]).ends(1);
        assert!(!liaf.path("out").exists() && !liaf.path("new").exists(), "{output}");
    }
    assert!(liaf.path("there").exists(), "this one was there before");
    let good = fixture("good/aedat2/dvs128.aedat");
    liaf.run(&["convert", "bad.aedat4", &good, "-o", "new/out", "--to", "npz"]).ends(1);
    assert!(!liaf.files().iter().all(|file| !file.ends_with(".npz")), "{:?}", liaf.files());
}
