//! HDF5 recordings through the program: read by a process of its own, whatever becomes of that.
#![cfg(feature = "hdf5")]
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use liaf::data::{EventBatch, ReadOptions, Recording};

fn fixture(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("fixtures/good/hdf5").join(name)
}

fn info(file: &Path) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_liaf"));
    program.args(["info", "--json"]).arg(file).output().unwrap()
}

#[test]
fn events_from_a_process_of_their_own_are_the_same() {
    let names = ["ecf_mixed.hdf5", "dsec_blosc_zstd.h5", "v2e.h5", "prophesee_none.hdf5"];
    for name in names {
        let file = fixture(name);
        let here = Recording::open(&file, ReadOptions::default()).unwrap().read_all().unwrap();
        for parallel in [false, true] {
            let program = Some(PathBuf::from(env!("CARGO_BIN_EXE_liaf")));
            let options = ReadOptions { hdf5_program: program, parallel, ..ReadOptions::default() };
            let mut recording = Recording::open(&file, options).unwrap();
            let mut reader = recording.reader().unwrap();
            let mut events = EventBatch::new();
            reader.read_to_end(&mut events).unwrap();
            assert_eq!(events, here, "{name}");
            let bytes = fs::metadata(&file).unwrap().len();
            assert_eq!(reader.report().bytes.total(), bytes, "{name}");
        }
        let output = info(&file);
        assert!(output.status.success(), "{name}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["events"], here.len(), "{name}");
    }
}

/// The process is told which time, or which rows, are wanted.
#[test]
fn a_part_of_a_file_comes_from_a_process_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["ecf_mixed.hdf5", "dsec_blosc_zstd.h5", "rvt.h5", "prophesee_deflate.hdf5"] {
        let file = folder.path().join(name);
        // Long enough to be looked into.
        let bytes = [fs::read(fixture(name)).unwrap(), vec![0; 5 << 20]].concat();
        fs::write(&file, &bytes).unwrap();
        let program = Some(PathBuf::from(env!("CARGO_BIN_EXE_liaf")));
        let options = ReadOptions { hdf5_program: program, ..ReadOptions::default() };
        let open = || Recording::open(&file, options.clone()).unwrap();
        let all = open().read_all().unwrap();
        let (first, last) = (all.t()[0], *all.t().iter().max().unwrap());
        let times = [first..first + 1, first..first + 30_000, last - 20_000..last + 1, last..first];
        for (time, indexed) in times.iter().flat_map(|time| [(time, false), (time, true)]) {
            let mut recording = open();
            if indexed {
                recording.index().unwrap();
            }
            let (mut found, mut expected) = (EventBatch::new(), all.clone());
            let mut reader = recording.slice(time.clone()).unwrap();
            reader.read_to_end(&mut found).unwrap();
            expected.retain(|event| time.contains(&event.t));
            assert!(found == expected, "{name} {time:?} {indexed}");
            assert_eq!(reader.report().bytes.total(), bytes.len() as u64, "{name} {time:?}");
        }
    }
}

#[test]
fn a_crash_of_the_library_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("crashes");
    fs::write(&program, "#!/bin/sh\nkill -SEGV $$\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let options = ReadOptions { hdf5_program: Some(program), ..ReadOptions::default() };
    let error = Recording::open(fixture("rvt.h5"), options).unwrap_err().to_string();
    assert!(error.contains("rvt.h5") && error.contains("crashed"), "{error}");
    assert!(error.contains("signal"), "{error}");
}

#[test]
fn damage_anywhere_in_a_file_never_ends_the_program_by_a_signal() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("damaged.h5");
    let mut random = 7u64;
    let mut next = |n: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % n as u64) as usize
    };
    for name in ["ecf_mixed.hdf5", "dsec_blosc_zstd.h5", "prophesee_deflate.hdf5", "mvsec.hdf5"] {
        let whole = fs::read(fixture(name)).unwrap();
        for round in 0..12 {
            let mut bytes = whole.clone();
            for _ in 0..1 + next(3) {
                // Structure stands at the start of these files as often as anywhere else.
                let at = if next(2) == 0 { next(2048.min(bytes.len())) } else { next(bytes.len()) };
                let end = bytes.len().min(at + 1 + next(8));
                let value = [0, 0xff, next(256) as u8][next(3)];
                bytes[at..end].fill(value);
            }
            fs::write(&file, &bytes).unwrap();
            let code = info(&file).status.code();
            assert!(matches!(code, Some(0 | 1)), "{name}, round {round}: {code:?}");
        }
    }
}
