//! A checkpoint is written whole or not at all, whatever goes wrong.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::trained::{step, trainer};
use liaf_core::ErrorKind;
use liaf_core::checkpoint::Series;
use liaf_core::rng::Key;
use liaf_core::train::Trainer;

/// The folder that a test gives a process of its own.
const FOLDER: &str = "LIAF_TEST_CHECKPOINTS";

#[test]
fn a_checkpoint_is_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    trainer::<f32>().save(&path).unwrap();
    let good = std::fs::read(&path).unwrap();
    assert!(trainer::<f32>().save(folder.path()).is_err(), "a folder");
    assert!(trainer::<f32>().save(path.join("below")).is_err(), "below a file");
    assert_eq!(std::fs::read(&path).unwrap(), good);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// This program, to run one of its tests that are processes of others.
fn again(test: &str, folder: &Path) -> Vec<std::ffi::OsString> {
    let program = std::env::current_exe().unwrap().into_os_string();
    let args = ["--ignored", "--exact", "--nocapture", "--test-threads=1", test];
    assert!(folder.is_dir());
    std::iter::once(program).chain(args.map(Into::into)).collect()
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net-00000000.safetensors");
    trainer::<f32>().save(&path).unwrap();
    let good = std::fs::read(&path).unwrap();
    // No file may grow beyond two blocks, and writing on is an error instead of a signal.
    let limited = "trap '' XFSZ; ulimit -f 2; exec \"$@\"";
    let output = Command::new("sh")
        .args(["-c", limited, "sh"])
        .args(again("faults::process_that_cannot_write", folder.path()))
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert!(good.len() > 2 * 1024, "the limit is below the size of the file");
    assert_eq!(std::fs::read(&path).unwrap(), good);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
#[ignore = "the process of another test"]
fn process_that_cannot_write() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let mut trainer = trainer::<f32>();
    for path in ["net-00000000.safetensors", "new.safetensors"].map(|name| folder.join(name)) {
        let error = trainer.save(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::System, "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
    step(&mut trainer);
    // The series has not removed the old one either.
    assert!(Series::new(&folder, "net").keeping(1).save(&trainer, None).is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_said() {
    for path in ["/proc/net.safetensors", "/nowhere/at/all/net.safetensors"] {
        let error = trainer::<f32>().save(path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::System, "{error}");
        assert!(error.to_string().contains(path), "{error}");
    }
}

/// Steps of the process that is killed, after which it begins anew.
const STEPS: u64 = 300;

#[test]
fn killed_in_the_middle_of_saving_it_goes_on_bit_for_bit() {
    let mut whole = trainer::<f32>();
    let losses: Vec<f64> = (0..=STEPS).map(|_| step(&mut whole).loss).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let mut seen = std::collections::BTreeSet::new();
    for moment in 0..20 {
        let command = again("faults::process_that_is_killed", folder.path());
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It says so each time it has saved. How often it is awaited makes the moments different even where
        // the process gets little time.
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut saves = out.bytes().filter(|byte| *byte.as_ref().unwrap() == b'!');
        let awaited = 1 + moment as usize % 7;
        // The pipe stays open until the process is killed, which would otherwise end by itself.
        assert_eq!(saves.by_ref().take(awaited).count(), awaited);
        std::thread::sleep(Duration::from_micros(Key::new(3).bits(moment) % 20_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let mut resumed = Trainer::<f32>::resume(&path).unwrap();
        let at = resumed.steps();
        assert_eq!(step(&mut resumed).loss, losses[at as usize], "resumed at {at}");
        seen.insert(at);
    }
    assert!(seen.len() > 3, "killed at different moments: {seen:?}");
    // What a killed process has left is gone after the next save.
    trainer::<f32>().save(&path).unwrap();
    let left = std::fs::read_dir(folder.path()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap()).collect();
    assert!(
        left.iter().all(|entry| { entry.path() == path || entry.metadata().unwrap().len() == 0 }),
        "{left:?}"
    );
}

#[test]
#[ignore = "the process of another test"]
fn process_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    loop {
        let mut trainer = trainer::<f32>();
        for _ in 0..STEPS {
            step(&mut trainer);
            trainer.save(folder.join("net.safetensors")).unwrap();
            println!("!");
        }
    }
}
