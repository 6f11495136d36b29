//! An event file appears whole under its name or not at all, whatever goes wrong.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use liaf_data::write::{self, EventSpec, EventWriter, Target, WriteOptions};
use liaf_data::{ErrorKind, EventBatch, Hint, Limits, ReadOptions, Result, SensorSize};

use super::shared::{QUICK, events, read_back, reading};

const SENSOR: SensorSize = SensorSize::new(128, 128);

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn create(path: &Path, target: &'static Target, overwrite: bool) -> Result<Box<dyn EventWriter>> {
    let options = WriteOptions { overwrite, ..QUICK };
    write::create(path, target, &EventSpec::new(SENSOR), &options)
}

/// Writes all events, a few at a time.
fn write_all(writer: &mut dyn EventWriter, events: &EventBatch) -> Result<()> {
    for at in (0..events.len()).step_by(5000) {
        let mut batch = EventBatch::new();
        batch.extend_from(&events[at..events.len().min(at + 5000)]);
        writer.write(&batch)?;
    }
    Ok(())
}

#[test]
fn an_existing_file_is_kept_unless_it_may_be_replaced() {
    for target in write::targets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a").with_extension(target.extension);
        fs::write(&path, b"old").unwrap();
        let error = create(&path, target, false).err().unwrap();
        assert_eq!((error.kind(), error.path()), (ErrorKind::Caller, Some(&*path)));
        assert_eq!(error.hints(), [Hint::Overwrite]);
        // Dropped in the middle.
        let mut writer = create(&path, target, true).unwrap();
        write_all(&mut *writer, &events(&target.capabilities, 100_000)).unwrap();
        assert!(names(folder.path()).len() > 1);
        drop(writer);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        let mut writer = create(&path, target, true).unwrap();
        write_all(&mut *writer, &events(&target.capabilities, 10)).unwrap();
        writer.finish().unwrap();
        assert_ne!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()).len(), 1, "{}", target.name);
    }
}

#[test]
fn a_file_that_comes_up_meanwhile_is_kept() {
    for target in write::targets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.out");
        let mut writer = create(&path, target, false).unwrap();
        write_all(&mut *writer, &events(&target.capabilities, 10)).unwrap();
        fs::write(&path, b"theirs").unwrap();
        let error = writer.finish().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Caller, "{}: {error}", target.name);
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        assert_eq!(names(folder.path()), ["a.out"], "{}", target.name);
    }
}

#[test]
fn a_file_larger_than_the_limit_is_refused() {
    for target in write::targets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.out");
        let limits = Limits { output_bytes: 100_000, ..QUICK.limits };
        let options = WriteOptions { limits, ..QUICK };
        let mut writer = write::create(&path, target, &EventSpec::new(SENSOR), &options).unwrap();
        let events = events(&target.capabilities, 300_000);
        let error = match write_all(&mut *writer, &events) {
            Err(error) => {
                drop(writer);
                error
            }
            // The last bytes are written only now.
            Ok(()) => writer.finish().unwrap_err(),
        };
        assert_eq!((error.kind(), error.path()), (ErrorKind::Limit, Some(&*path)), "{error}");
        assert!(names(folder.path()).is_empty(), "{}", target.name);
    }
}

/// Run by `a_full_disk_is_an_error_with_the_path`, under a limit of file size.
#[test]
#[ignore = "a part of another test"]
fn child_that_meets_a_full_disk() {
    let folder = std::env::var("LIAF_TEST_FOLDER").unwrap();
    for target in write::targets() {
        let path = Path::new(&folder).join("a").with_extension(target.name);
        let error = match create(&path, target, true) {
            Ok(mut writer) => match write_all(&mut *writer, &events(&target.capabilities, 300_000))
            {
                Ok(()) => writer.finish().unwrap_err(),
                Err(error) => {
                    assert!(writer.write(&EventBatch::new()).is_err(), "{}: goes on", target.name);
                    error
                }
            },
            Err(error) => error,
        };
        assert_eq!(error.kind(), ErrorKind::System, "{}: {error}", target.name);
        assert_eq!(error.path(), Some(&*path), "{error}");
        assert!(error.to_string().contains("File too large"), "{}: {error}", target.name);
        println!("met: {error}");
    }
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_with_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let targets: Vec<_> = write::targets().collect();
    for target in &targets {
        fs::write(folder.path().join("a").with_extension(target.name), b"old").unwrap();
    }
    // In KiB: at the first bytes, in the middle, and later.
    for limit in [0, 4, 64, 500] {
        let script = format!("trap '' XFSZ; ulimit -f {limit} || exit 9; exec \"$0\" \"$@\"");
        let output = Command::new("bash")
            .args(["-c", &script])
            .arg(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "write::faults::child_that_meets_a_full_disk",
                "--ignored",
                "--nocapture",
            ])
            .env("LIAF_TEST_FOLDER", folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{limit} KiB: {said}\n{errors}");
        assert!(said.contains("1 passed"), "{said}");
        assert!(!errors.contains("HDF5"), "HDF5 speaks: {errors}");
        assert_eq!(said.matches("met: ").count(), targets.len(), "{limit} KiB: {said}");
        assert_eq!(names(folder.path()).len(), targets.len(), "{limit} KiB");
        for target in &targets {
            let path = folder.path().join("a").with_extension(target.name);
            assert_eq!(fs::read(path).unwrap(), b"old", "{}", target.name);
        }
    }
}

/// Run by `a_killed_writer_leaves_a_whole_file_or_none`, until it is killed.
#[test]
#[ignore = "a part of another test"]
fn child_that_is_killed() {
    let path = std::env::var("LIAF_TEST_FILE").unwrap();
    let target = write::target(&std::env::var("LIAF_TEST_TARGET").unwrap()).unwrap();
    let events = events(&target.capabilities, EVENTS);
    loop {
        let mut writer = create(Path::new(&path), target, true).unwrap();
        write_all(&mut *writer, &events).unwrap();
        writer.finish().unwrap();
    }
}

/// Events of the file whose writer is killed.
const EVENTS: usize = 60_000;

#[cfg(target_os = "linux")]
#[test]
fn a_killed_writer_leaves_a_whole_file_or_none() {
    let (mut whole, mut partial) = (0, 0);
    for (number, target) in write::targets().enumerate() {
        let events = events(&target.capabilities, EVENTS);
        let folder = tempfile::tempdir().unwrap();
        let name = format!("a.{}", target.extension);
        let path = folder.path().join(&name);
        for round in 0..2 {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "write::faults::child_that_is_killed",
                    "--ignored",
                    "--nocapture",
                ])
                .env("LIAF_TEST_FILE", &path)
                .env("LIAF_TEST_TARGET", target.name)
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            // Once it has begun, at another moment each time.
            while names(folder.path())
                .iter()
                .all(|name| !name.contains(&format!("{}-", child.id())))
            {
                assert!(child.try_wait().unwrap().is_none(), "{}: the child ended", target.name);
                std::thread::sleep(Duration::from_micros(200));
            }
            std::thread::sleep(Duration::from_millis((7 * number as u64 + 11 * round) % 40));
            child.kill().unwrap();
            child.wait().unwrap();
            for left in names(folder.path()) {
                if left == name {
                    let read = ReadOptions { strict: true, ..reading(SENSOR, target, &path) };
                    let found = read_back(&path, target, read);
                    assert!(found == events, "{}: not the whole file", target.name);
                    whole += 1;
                } else {
                    let of_child = format!(".{name}.{}-", child.id());
                    let is_named = left.starts_with(&of_child) && left.ends_with(".partial");
                    assert!(is_named, "{}: {left}", target.name);
                    partial += 1;
                }
            }
            // The next writer clears what was left.
            let mut writer = create(&path, target, true).unwrap();
            write_all(&mut *writer, &events).unwrap();
            writer.finish().unwrap();
            assert_eq!(names(folder.path()), [&*name]);
            fs::remove_file(&path).unwrap();
        }
    }
    println!("{whole} whole files, {partial} partial ones");
    assert!(partial > 0);
}
