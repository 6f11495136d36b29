//! Faults while a data set is made: disks that are full, calls that fail, folders that cannot be written,
//! journals of others, and signals. Nothing half-made is left, and what was finished is used again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{fixture, refused};
use tempfile::TempDir;

/// Recordings, and what is made of them without any fault.
struct Job {
    folder: TempDir,
    args: Vec<String>,
}

const FILES: [&str; 2] = ["out.train.npz", "out.test.npz"];

impl Job {
    /// `n` recordings of two classes.
    fn new(n: usize, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for i in 0..n {
            let class = folder.path().join("set").join(["box", "mug"][i % 2]);
            fs::create_dir_all(&class).unwrap();
            let to = class.join(format!("{i}.aedat"));
            fs::copy(fixture("good/aedat2/dvs128.aedat"), to).unwrap();
        }
        let set = folder.path().join("set").display().to_string();
        let args = ["dataset", "folder", &set, "-j", "2", "-q", "--split", "first:0.5"];
        let args = args.iter().chain(more).map(|&word| word.to_owned()).collect();
        fs::create_dir(folder.path().join("whole")).unwrap();
        let job = Self { folder, args };
        let done = job.command("whole").output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        job
    }

    /// The program, which makes `out.npz` in this folder.
    fn command(&self, folder: &str) -> Command {
        let out = self.path(folder).join("out.npz");
        let mut command = Command::new(env!("CARGO_BIN_EXE_liaf"));
        command.args(&self.args).arg("-o").arg(out);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Whether a file of a folder is as it should be; `None` if it does not exist.
    fn is_whole(&self, folder: &str, file: &str) -> Option<bool> {
        let made = fs::read(self.path(folder).join(file)).ok()?;
        Some(made == fs::read(self.path("whole").join(file)).unwrap())
    }

    /// Nothing half-made is there: outputs are whole or missing, and no partial files are left.
    #[track_caller]
    fn check_nothing_half_made(&self, folder: &str, what: &str) {
        for file in FILES {
            assert_ne!(self.is_whole(folder, file), Some(false), "{what}: {file} is half-made");
        }
        let mut folders = vec![self.path(folder)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                let name = entry.display().to_string();
                assert!(!name.ends_with(".partial"), "{what}: {name} is left");
                if entry.is_dir() {
                    folders.push(entry);
                }
            }
        }
    }

    /// The same command without faults ends with the same files, and leaves nothing else.
    #[track_caller]
    fn check_it_ends(&self, folder: &str, what: &str) {
        let done = self.command(folder).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{what}: {said}");
        assert_eq!(FILES.map(|file| self.is_whole(folder, file)), [Some(true); 2], "{what}");
        let left = fs::read_dir(self.path(folder)).unwrap().count();
        assert_eq!(left, 2, "{what}");
    }
}

/// It failed with this exit code, and names a path in its folder.
#[track_caller]
fn failed(output: &Output, folder: &Path, what: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{what}: {said}");
    assert!(said.contains(&*folder.display().to_string()), "{what}: {said}");
    assert!(!said.contains("panicked"), "{what}: {said}");
}

const SMALL: &[&str] = &["--window", "20ms", "--sample", "100ms", "--size", "32x32"];

#[test]
fn a_full_disk_ends_it_at_any_size_and_the_next_run_goes_on() {
    let job = Job::new(4, SMALL);
    let mut met = 0;
    // In KiB, as the largest size of any file: of a journal, of parts, and of the outputs.
    const LIMITS: [u32; 8] = [0, 1, 5, 25, 40, 61, 80, 1_000];
    for limit in LIMITS {
        let what = format!("{limit} KiB");
        let folder = format!("full{limit}");
        fs::create_dir(job.path(&folder)).unwrap();
        let command = job.command(&folder);
        let script = format!("ulimit -f {limit} || exit 9; exec \"$0\" \"$@\"");
        let output = Command::new("bash")
            .args(["-c", &script])
            .arg(command.get_program())
            .args(command.get_args())
            .output()
            .unwrap();
        if !output.status.success() {
            met += 1;
            failed(&output, &job.path(&folder), &what);
            assert!(String::from_utf8_lossy(&output.stderr).contains("File too large"), "{what}");
            job.check_nothing_half_made(&folder, &what);
        }
        job.check_it_ends(&folder, &what);
    }
    // How many recordings a thread makes, and so the size of its file, differs from run to run.
    assert!((4..LIMITS.len()).contains(&met), "{met} of {} met the limit", LIMITS.len());
}

/// Builds the library that makes calls fail; `None` without a C compiler.
fn failing_calls(folder: &Path) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/fail_call.c");
    let library = folder.join("fail_call.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl");
    match compiler.status() {
        Ok(status) => {
            assert!(status.success(), "the C compiler failed");
            Some(library)
        }
        Err(_) => {
            eprintln!("skipped: there is no C compiler");
            None
        }
    }
}

#[test]
fn every_call_that_writes_may_fail() {
    let job = Job::new(4, &["--window", "100ms", "--steps", "2", "--size", "8x8"]);
    let Some(library) = failing_calls(job.folder.path()) else { return };
    const ENOSPC: &str = "28";
    const EIO: &str = "5";
    const EACCES: &str = "13";
    // The disk stays full; a write, a sync or a rename fails once.
    let faults = [
        ("write", ENOSPC, true),
        ("write", EIO, false),
        ("sync", EIO, false),
        ("rename", EACCES, false),
        ("open", EACCES, false),
    ];
    for (kind, error, stays) in faults {
        let mut n = 0;
        loop {
            n += 1;
            let what = format!("{kind} {n} fails with {error}");
            let folder = format!("{kind}{error}-{n}");
            let (out, seen) = (job.path(&folder), job.path(&format!("{folder}.seen")));
            fs::create_dir(&out).unwrap();
            let mut command = job.command(&folder);
            command.env("LD_PRELOAD", &library).env("FAIL_UNDER", &out).env("FAIL_KIND", kind);
            command.env("FAIL_AT", n.to_string()).env("FAIL_ERROR", error).env("FAIL_SEEN", &seen);
            if stays {
                command.env("FAIL_ON", "1");
            }
            let output = command.output().unwrap();
            if !seen.exists() {
                assert!(output.status.success(), "{what}: {output:?}");
                break;
            }
            // A link that fails is replaced by a rename, and a name that is in use by another.
            if !output.status.success() {
                failed(&output, &out, &what);
            }
            job.check_nothing_half_made(&folder, &what);
            job.check_it_ends(&folder, &what);
            fs::remove_dir_all(&out).unwrap();
        }
        // The outputs alone are named by a rename.
        let least = if kind == "rename" { FILES.len() } else { 5 };
        assert!(n > least, "only {n} calls of {kind}");
    }
}

#[test]
fn folders_that_cannot_be_written_are_named() {
    let job = Job::new(2, SMALL);
    let run = |out: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_liaf"));
        command.args(&job.args).arg("-o").arg(out).output().unwrap()
    };
    // Not even the superuser can write there.
    refused(&run(Path::new("/proc/none/out.npz")), 1, &["/proc/none/out.npz"]);
    let closed = job.path("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(closed.join("probe"), "").is_err() {
        refused(&run(&closed.join("out.npz")), 1, &["closed/out.npz", "ermission denied"]);
    }
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    let file = job.path("file");
    fs::write(&file, "mine").unwrap();
    refused(&run(&file.join("out.npz")), 1, &["file/out.npz"]);
    fs::write(job.path("whole/out.npz.parts"), "mine").unwrap();
    let again = job.command("whole").output().unwrap();
    assert!(again.status.success(), "what is complete needs no folder");
}

#[test]
fn a_stale_or_foreign_journal_is_never_used() {
    let job = Job::new(4, SMALL);
    let stopped = |folder: &str| {
        fs::create_dir_all(job.path(folder)).unwrap();
        let mut command = job.command(folder);
        // The last recording cannot be opened.
        let last = job.path("set/mug/3.aedat");
        let bytes = fs::read(&last).unwrap();
        let time = fs::metadata(&last).unwrap().modified().unwrap();
        fs::write(&last, vec![0; bytes.len()]).unwrap();
        fs::File::options().append(true).open(&last).unwrap().set_modified(time).unwrap();
        let output = command.args(["--on-error", "stop"]).output().unwrap();
        fs::write(&last, bytes).unwrap();
        fs::File::options().append(true).open(&last).unwrap().set_modified(time).unwrap();
        assert_eq!(output.status.code(), Some(1));
        job.path(folder).join("out.npz.parts")
    };
    let parts = stopped("flipped");
    let journal = parts.join("journal.jsonl");
    let good = fs::read(&journal).unwrap();
    let header = good.iter().position(|&byte| byte == b'\n').unwrap();
    assert!(good.len() > header + 1, "no recording is in the journal");
    let command = || job.command("flipped").output().unwrap();
    // Every byte of the header, and bytes of the lines after it.
    for at in (0..=header).chain((header + 1..good.len()).step_by(7)) {
        let what = format!("byte {at} of the journal");
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        fs::write(&journal, bad).unwrap();
        let output = command();
        if output.status.success() {
            // What is not understood was made again.
            assert_eq!(FILES.map(|file| job.is_whole("flipped", file)), [Some(true); 2], "{what}");
            fs::remove_dir_all(job.path("flipped")).unwrap();
            stopped("flipped");
        } else {
            refused(&output, 2, &["out.npz.parts", "another command, another version"]);
        }
    }
    // A recording that was changed meanwhile.
    fs::write(&journal, &good).unwrap();
    let first = job.path("set/box/0.aedat");
    let bytes = fs::read(&first).unwrap();
    fs::write(&first, [&bytes[..], &bytes[bytes.len() - 8..]].concat()).unwrap();
    refused(&command(), 2, &["out.npz.parts", "of files that have changed since"]);
    fs::write(&first, bytes).unwrap();
    // Another process is at work.
    let lock = fs::File::open(parts.join("lock")).unwrap();
    lock.try_lock().unwrap();
    refused(&command(), 2, &["out.npz.parts", "another process is making the same file"]);
    drop(lock);
    // The time of a recording differs now, and only its owner can say whether it does otherwise.
    refused(&command(), 2, &["out.npz.parts"]);
    let forced = job.command("flipped").arg("--force").output().unwrap();
    assert!(forced.status.success(), "{forced:?}");
    assert_eq!(FILES.map(|file| job.is_whole("flipped", file)), [Some(true); 2]);
}

/// Number of recordings that the journal in this folder names.
fn finished(parts: &Path) -> usize {
    let journal = fs::read_to_string(parts.join("journal.jsonl")).unwrap_or_default();
    // The first line is the title.
    journal.lines().count().saturating_sub(1)
}

#[test]
fn a_signal_keeps_the_journal() {
    let job = Job::new(16, &["--window", "1ms", "--sample", "20ms"]);
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        fs::create_dir(job.path(name)).unwrap();
        let parts = job.path(name).join("out.npz.parts");
        let mut child = job.command(name).spawn().unwrap();
        while finished(&parts) < 3 {
            assert!(child.try_wait().unwrap().is_none(), "it ended before the signal");
            thread::sleep(Duration::from_millis(1));
        }
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{name}");
        assert!(finished(&parts) >= 3 && parts.join("journal.jsonl").exists(), "{name}");
        job.check_nothing_half_made(name, name);
        job.check_it_ends(name, name);
    }
}

/// Kills conversions, each at another moment and started once more, until 100 have been killed.
#[test]
#[ignore = "takes minutes; run by hand"]
fn a_hundred_conversions_that_are_killed_end_with_the_same_bytes() {
    const TIMES: u32 = 100;
    let job = Job::new(16, &["--window", "1ms", "--sample", "20ms", "--size", "32x32"]);
    let begun = Instant::now();
    fs::create_dir(job.path("measured")).unwrap();
    job.check_it_ends("measured", "without a signal");
    let took = begun.elapsed();
    let (mut killed, mut started, mut resumed) = (0, 0, 0);
    while killed < TIMES {
        let out = format!("{started}");
        fs::create_dir(job.path(&out)).unwrap();
        let mut child = job.command(&out).spawn().unwrap();
        // Spread evenly over the time that a whole conversion takes.
        thread::sleep(took.mul_f64(f64::from(started * 61 % 100) / 100.0));
        started += 1;
        let _ = child.kill();
        let is_killed = !child.wait().unwrap().success();
        killed += u32::from(is_killed);
        for file in FILES {
            assert_ne!(job.is_whole(&out, file), Some(false), "{file} is half-made");
        }
        let parts = job.path(&out).join("out.npz.parts");
        resumed += usize::from(is_killed && finished(&parts) > 0);
        job.check_it_ends(&out, &format!("after {started} starts"));
        fs::remove_dir_all(job.path(&out)).unwrap();
        assert!(started < 3 * TIMES, "only {killed} of {started} were killed before they ended");
    }
    println!("{started} conversions, {killed} killed, {resumed} of them with finished recordings");
}
