//! How the program ends: by a signal, with nobody to read what it prints, or without threads.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{CONTAINERS, Liaf, fixture, large_recording};

/// Waits until `is_so`, for at most a minute.
#[track_caller]
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what} never happened");
        thread::sleep(Duration::from_millis(5));
    }
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
}

/// Ends a conversion of standard input by a signal when it has begun an output and can read no more.
/// Returns how it ended, and the files that it had begun.
fn interrupted(liaf: &Liaf, input: &[u8], args: &[&str], name: &str) -> (ExitStatus, Vec<String>) {
    let mut command = liaf.command(args);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let before = liaf.files();
    thread::scope(|scope| {
        // The pipe stays open, so that the program waits for more.
        let feeding = scope.spawn(move || {
            let _ = stdin.write_all(input);
            stdin
        });
        let mut begun = Vec::new();
        wait_until(&format!("an output of {args:?}"), || {
            begun = liaf.files();
            begun.retain(|file| !before.contains(file));
            if let Some(status) = child.try_wait().unwrap() {
                let mut said = String::new();
                child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                panic!("{args:?} ended with {status}: {said}");
            }
            !begun.is_empty()
        });
        signal(&child, name);
        let status = child.wait().unwrap();
        drop(feeding.join().unwrap());
        (status, begun)
    })
}

#[test]
fn signals_remove_what_is_unfinished_and_say_so_by_the_exit_code() {
    let liaf = Liaf::new();
    let recording = liaf.path("large.aedat");
    large_recording(&recording, 3 << 20);
    let input = fs::read(&recording).unwrap();
    fs::remove_file(recording).unwrap();
    let events = ["aedat4", "aedat2", "evt3", "dat", "es", "csv", "npz-events", "npy-events"];
    let kinds = CONTAINERS.iter().chain(&events);
    let kinds = kinds.chain(if cfg!(feature = "hdf5") { &["h5-events"][..] } else { &[] });
    for (kind, (name, code)) in kinds.zip([("INT", 130), ("TERM", 143)].into_iter().cycle()) {
        let args = ["convert", "-", "-o", "out", "--to", kind, "--sensor", "128x128"];
        let (status, begun) = interrupted(&liaf, &input, &args, name);
        assert_eq!((status.code(), status.signal()), (Some(code), None), "{kind}");
        assert!(begun.iter().all(|file| file.ends_with(".partial")), "{begun:?}");
        assert_eq!(liaf.files(), [""; 0], "{kind}");
        assert!(!liaf.path("out").exists(), "{kind}: a folder that was made is left");
    }
}

#[test]
#[cfg(all(feature = "xml", feature = "lz4"))]
fn a_signal_removes_the_images_of_an_unfinished_folder_and_keeps_other_files() {
    let recording = fs::read(fixture("good/aedat4/dv_all_lz4.aedat4")).unwrap();
    for exists in [false, true] {
        let liaf = Liaf::new();
        if exists {
            fs::create_dir(liaf.path("images")).unwrap();
            fs::write(liaf.path("images/notes.txt"), "mine").unwrap();
        }
        let args = ["convert", "-", "-o", "images", "--to", "png", "--stream", "frames"];
        let part = &recording[..recording.len() * 2 / 3];
        let (status, begun) = interrupted(&liaf, part, &args, "TERM");
        assert_eq!(status.code(), Some(143));
        assert!(begun.iter().any(|file| file.ends_with("frame_000000.png")), "{begun:?}");
        assert_eq!(liaf.path("images").exists(), exists);
        assert_eq!(liaf.files(), if exists { vec!["images/notes.txt"] } else { vec![] });
    }
}

#[test]
fn a_signal_keeps_the_files_that_are_complete() {
    let liaf = Liaf::new();
    fs::copy(fixture("good/aedat2/dvs128.aedat"), liaf.path("a.aedat")).unwrap();
    // The second input is a pipe that nobody has written to the end.
    let pipe = liaf.path("b.aedat");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let args = ["convert", "a.aedat", "b.aedat", "-o", "out", "--to", "npz", "-j", "1"];
    let mut child = liaf.command(&args).stderr(Stdio::null()).spawn().unwrap();
    let recording = liaf.path("large.aedat");
    large_recording(&recording, 3 << 20);
    let mut writer = File::options().write(true).open(&pipe).unwrap();
    let input = fs::read(&recording).unwrap();
    let feeding = thread::spawn(move || {
        let _ = writer.write_all(&input);
        writer
    });
    wait_until("the second output", || {
        assert_eq!(child.try_wait().unwrap(), None);
        liaf.files().iter().any(|file| file.ends_with(".partial") && file.contains("b.npz"))
    });
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(feeding.join().unwrap());
    assert_eq!(liaf.files(), ["a.aedat", "b.aedat", "large.aedat", "out/a.npz"]);
}

/// The arguments of conversions that say much on standard error.
const TALKING: &[&str] =
    &["convert", "a.aedat", "none.aedat", "b.aedat", "-o", "out/", "--to", "npz", "-v"];

#[test]
fn nothing_depends_on_whether_messages_can_be_written() {
    let inputs = |liaf: &Liaf| {
        for name in ["a.aedat", "b.aedat"] {
            fs::copy(fixture("good/aedat2/dvs128.aedat"), liaf.path(name)).unwrap();
        }
        fs::write(liaf.path("none.aedat"), "no recording").unwrap();
    };
    let mut targets: Vec<(&str, Stdio)> = Vec::new();
    // A pipe whose reader is gone, as after `2>&1 | head -1`.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    targets.push(("closed pipe", writer.into()));
    if let Ok(full) = File::options().write(true).open("/dev/full") {
        targets.push(("full", full.into()));
    }
    for (what, stderr) in targets {
        let liaf = Liaf::new();
        inputs(&liaf);
        let status = liaf.command(TALKING).stderr(stderr).status().unwrap();
        assert_eq!(status.code(), Some(1), "{what}: one of the inputs is no recording");
        let made: BTreeSet<_> = liaf.files().into_iter().collect();
        for file in ["out/a.npz", "out/b.npz"] {
            assert!(made.contains(file), "{what}: {made:?}");
        }
    }
}

/// Commands that print on standard output.
fn printing(liaf: &Liaf) -> Vec<Vec<String>> {
    let recording = fixture("good/aedat2/dvs128.aedat");
    let out = liaf.path("x.npz").display().to_string();
    let commands: &[&[&str]] = &[
        &["info", &recording],
        &["info", "--json", &recording],
        &["cost", "gesture-a"],
        &["cost", "gesture-a", "gesture-a-lif", "--json"],
        &["convert", &recording, "-o", &out, "--json", "--force"],
        &["completions", "bash"],
        &["man", "convert"],
    ];
    commands.iter().map(|words| words.iter().map(|&word| word.to_owned()).collect()).collect()
}

#[test]
fn data_that_nobody_reads_is_no_failure() {
    let liaf = Liaf::new();
    for words in printing(&liaf) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = liaf.command(&[]).args(&words).stdout(writer).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("liaf: "), "{words:?}: {said}");
    }
}

#[test]
fn data_that_cannot_be_written_is_a_failure() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        eprintln!("skipped: there is no /dev/full");
        return;
    };
    let liaf = Liaf::new();
    for words in printing(&liaf) {
        let full = full.try_clone().unwrap();
        let output = liaf.command(&[]).args(&words).stdout(full).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
        assert!(said.to_lowercase().contains("no space left"), "{words:?}: {said}");
    }
}

#[test]
fn more_threads_than_a_multiple_of_the_processors_are_not_started() {
    let liaf = Liaf::new();
    let recording = fixture("good/aedat2/dvs128.aedat");
    let all = ["-j", "4000000000", "-o", "out.npz"];
    for args in [
        &["info", &recording, "-j", "4000000000"][..],
        &[&["convert", &recording], &all[..]].concat(),
    ] {
        liaf.run(args).ends(0).says(&["--threads 4000000000", "threads are used"]);
        let few = args.iter().map(|&word| if word.starts_with('4') { "2" } else { word });
        let few: Vec<_> =
            few.chain(if args[0] == "convert" { vec!["--force"] } else { vec![] }).collect();
        assert!(!liaf.run(&few).ends(0).err().contains("threads are used"));
    }
}
