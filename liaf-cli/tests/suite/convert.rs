//! Conversions to tensor files: what is written, and what of damaged and empty recordings.

use super::*;

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
