//! A tensor file appears whole under its name or not at all, whatever goes wrong.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::tensor_common::{CONTAINERS, frame, spec, window, write};
use liaf_data::frames::{CellValues, Cells, Dtype, Frame, FrameShape};
use liaf_data::tensor::{self, Compression, Container, TensorOptions, TensorSpec};
use liaf_data::{ErrorKind, Hint, Limits};

const QUICK: TensorOptions = TensorOptions {
    overwrite: false,
    sync: false,
    parallel: true,
    compression: Compression::Deflate(4),
    npz_deflate: false,
    limits: Limits {
        packet_bytes: 1 << 20,
        open_frames_bytes: 1 << 20,
        reorder_bytes: 1 << 20,
        ..Limits::DEFAULT
    },
};

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("folder")
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn an_existing_file_is_kept_unless_it_may_be_replaced() {
    for &container in CONTAINERS {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a").with_extension(container.name());
        fs::write(&path, b"old").expect("old file");
        let error = tensor::create(&path, container, &spec(Dtype::U8), &QUICK).err();
        let error = error.expect("refused");
        assert_eq!(error.kind(), ErrorKind::Caller);
        assert_eq!(error.path(), Some(&*path));
        assert_eq!(error.hints(), [Hint::Overwrite]);
        assert_eq!(fs::read(&path).expect("old file"), b"old");
        let options = TensorOptions { overwrite: true, sync: true, ..QUICK };
        write(&path, container, &spec(Dtype::U8), 3, false, &options);
        assert_ne!(fs::read(&path).expect("new file"), b"old");
        assert_eq!(names(folder.path()).len(), 1);
    }
}

#[test]
fn a_file_that_comes_up_meanwhile_is_kept() {
    for &container in CONTAINERS {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.out");
        let mut writer =
            tensor::create(&path, container, &spec(Dtype::U8), &QUICK).expect("created");
        writer.write(&frame(&spec(Dtype::U8), 0, false)).expect("written");
        fs::write(&path, b"theirs").expect("their file");
        let error = writer.finish().expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Caller);
        assert_eq!(fs::read(&path).expect("their file"), b"theirs");
        assert_eq!(names(folder.path()), ["a.out"]);
    }
}

#[test]
fn a_dropped_writer_leaves_nothing_and_keeps_the_old_file() {
    for &container in CONTAINERS {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.out");
        let spec = TensorSpec {
            shape: FrameShape { channels: 2, height: 200, width: 300 },
            ..spec(Dtype::U16)
        };
        for (old, compression, parallel) in [
            (false, QUICK.compression, true),
            (false, Compression::None, true),
            (false, Compression::None, false),
            (true, QUICK.compression, true),
            (true, Compression::None, true),
        ] {
            if old {
                fs::write(&path, b"old").expect("old file");
            }
            let options = TensorOptions { overwrite: old, compression, parallel, ..QUICK };
            let mut writer = tensor::create(&path, container, &spec, &options).expect("created");
            for k in 0..20 {
                writer.write(&frame(&spec, k, true)).expect("written");
            }
            drop(writer);
            assert_eq!(names(folder.path()).len(), usize::from(old), "{container}");
        }
        assert_eq!(fs::read(&path).expect("old file"), b"old");
    }
}

#[test]
fn wrong_frames_are_refused_and_do_no_harm() {
    for &container in CONTAINERS {
        let folder = tempfile::tempdir().expect("folder");
        let (one, two) = (folder.path().join("1"), folder.path().join("2"));
        let spec = spec(Dtype::U16);
        write(&one, container, &spec, 2, false, &QUICK);
        let mut writer = tensor::create(&two, container, &spec, &QUICK).expect("created");
        for k in 0..2 {
            for cells in [
                Cells::Dense(CellValues::zeros(Dtype::U16, 14)),
                Cells::Dense(CellValues::zeros(Dtype::I16, 15)),
                Cells::Sparse { index: vec![15], cells: CellValues::zeros(Dtype::U16, 1) },
                Cells::Sparse { index: vec![2, 1], cells: CellValues::zeros(Dtype::U16, 2) },
                Cells::Sparse { index: vec![1, 2], cells: CellValues::zeros(Dtype::U16, 1) },
                Cells::Sparse { index: vec![1], cells: CellValues::zeros(Dtype::U8, 1) },
            ] {
                let error = writer
                    .write(&Frame { window: window(k), shape: spec.shape, cells })
                    .expect_err("refused");
                assert_eq!(error.kind(), ErrorKind::Caller);
                assert_eq!(error.path(), Some(&*two));
            }
            writer.write(&frame(&spec, k, false)).expect("written");
        }
        writer.finish().expect("finished");
        assert_eq!(fs::read(one).expect("file"), fs::read(two).expect("file"));
    }
}

#[test]
fn promises_and_limits_are_kept() {
    for &container in CONTAINERS {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.out");
        let known = TensorSpec { frames: Some(2), ..spec(Dtype::U8) };
        let mut writer = tensor::create(&path, container, &known, &QUICK).expect("created");
        writer.write(&frame(&known, 0, true)).expect("written");
        assert_eq!(writer.finish().expect_err("too few").kind(), ErrorKind::Caller);
        let mut writer = tensor::create(&path, container, &known, &QUICK).expect("created");
        writer.write(&frame(&known, 0, true)).expect("written");
        writer.write(&frame(&known, 1, true)).expect("written");
        let error = writer.write(&frame(&known, 2, true)).expect_err("too many");
        assert_eq!(error.kind(), ErrorKind::Caller);
        drop(writer);

        let limits = Limits { frames: 1, ..QUICK.limits };
        let options = TensorOptions { limits, ..QUICK };
        let error = tensor::create(&path, container, &known, &options).err().expect("refused");
        assert_eq!(error.kind(), ErrorKind::Limit);
        let limits = Limits { output_bytes: 150, ..QUICK.limits };
        let options = TensorOptions { limits, ..QUICK };
        let mut writer =
            tensor::create(&path, container, &spec(Dtype::U8), &options).expect("created");
        let error = (0..20).find_map(|k| writer.write(&frame(&known, k, true)).err());
        assert_eq!(error.expect("refused").kind(), ErrorKind::Limit);
        drop(writer);

        let mut none = spec(Dtype::U8);
        none.shape.width = 0;
        let error = tensor::create(&path, container, &none, &QUICK).err().expect("refused");
        assert_eq!(error.kind(), ErrorKind::Caller);
        assert!(names(folder.path()).is_empty());
    }
}

#[test]
fn the_same_frames_give_the_same_bytes_on_any_number_of_threads() {
    let shape = FrameShape { channels: 2, height: 130, width: 173 };
    for &container in CONTAINERS {
        for (dtype, compression) in [
            (Dtype::U8, QUICK.compression),
            (Dtype::F32, QUICK.compression),
            (Dtype::U16, Compression::None),
        ] {
            let folder = tempfile::tempdir().expect("folder");
            let spec = TensorSpec { shape, frames: Some(60), ..spec(dtype) };
            let options = TensorOptions { npz_deflate: true, compression, ..QUICK };
            let mut files = Vec::new();
            for (threads, parallel) in [(1, false), (1, true), (2, true), (5, true), (2, true)] {
                let path = folder.path().join(files.len().to_string());
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                pool.expect("pool").install(|| {
                    let options = TensorOptions { parallel, ..options };
                    write(&path, container, &spec, 60, true, &options)
                });
                files.push(fs::read(path).expect("file"));
            }
            assert!(
                files.iter().all(|file| *file == files[0]),
                "{container} {dtype} {compression}"
            );
        }
    }
}

#[test]
fn many_writers_in_one_pool_do_not_wait_for_each_other() {
    use rayon::prelude::*;
    let folder = tempfile::tempdir().expect("folder");
    let spec = TensorSpec {
        shape: FrameShape { channels: 2, height: 130, width: 173 },
        ..spec(Dtype::U16)
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("pool");
    for &container in CONTAINERS {
        pool.install(|| {
            (0..6).into_par_iter().for_each(|i| {
                let path = folder.path().join(format!("{i}.{container}"));
                let compression = if i % 2 == 0 { QUICK.compression } else { Compression::None };
                let options = TensorOptions { compression, ..QUICK };
                write(&path, container, &spec, 60, true, &options);
            });
        });
    }
}

/// Run by `a_full_disk_is_an_error_with_the_path`, under a limit of file size.
#[test]
#[ignore = "a part of another test"]
fn child_that_meets_a_full_disk() {
    let folder = std::env::var("LIAF_TEST_FOLDER").expect("folder");
    let room = std::env::var("LIAF_TEST_LIMIT").expect("limit").parse::<u32>().expect("number");
    for &container in CONTAINERS {
        let path = Path::new(&folder).join("a").with_extension(container.name());
        let [said, said_alone] =
            [true, false].map(|parallel| meet_a_full_disk(&path, container, parallel));
        assert_eq!(said, said_alone);
        println!("met: {said}");
        // The process is not spoilt: what fits can be written after.
        if room >= 64 {
            let small = Path::new(&folder).join("small");
            write(&small, container, &spec(Dtype::U8), 2, false, &QUICK);
            fs::remove_file(small).expect("removed");
        }
    }
}

/// What is said when 2,400,000 bytes do not fit.
fn meet_a_full_disk(path: &Path, container: Container, parallel: bool) -> String {
    let shape = FrameShape { channels: 2, height: 100, width: 150 };
    let spec = TensorSpec { shape, ..spec(Dtype::U16) };
    let options =
        TensorOptions { overwrite: true, compression: Compression::None, parallel, ..QUICK };
    let error = match tensor::create(path, container, &spec, &options) {
        Ok(mut writer) => {
            // 60,000 bytes a frame: 40 of them pass any of the limits.
            let failed = (0..40).find_map(|k| writer.write(&frame(&spec, k, true)).err());
            if failed.is_some() && container == Container::H5 {
                let error = writer.write(&frame(&spec, 40, true)).expect_err("no more");
                assert!(error.to_string().contains("an earlier write failed"), "{error}");
            }
            failed.unwrap_or_else(|| writer.finish().expect_err("no room"))
        }
        Err(error) => error,
    };
    assert_eq!(error.kind(), ErrorKind::System, "{error}");
    assert_eq!(error.path(), Some(path), "{error}");
    assert!(error.to_string().contains("File too large"), "{error}");
    error.to_string()
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_with_the_path() {
    let folder = tempfile::tempdir().expect("folder");
    for &container in CONTAINERS {
        let path = folder.path().join("a").with_extension(container.name());
        fs::write(path, b"old").expect("old file");
    }
    // In KiB: the writers fail at their first bytes, in the middle, and near the end.
    for limit in [0, 1, 4, 64, 1000, 1100, 2048, 2340, 2343] {
        let script = format!("trap '' XFSZ; ulimit -f {limit} || exit 9; exec \"$0\" \"$@\"");
        let output = Command::new("bash")
            .args(["-c", &script])
            .arg(std::env::current_exe().expect("this program"))
            .args([
                "--exact",
                "tensor_faults::child_that_meets_a_full_disk",
                "--ignored",
                "--nocapture",
            ])
            .env("LIAF_TEST_FOLDER", folder.path())
            .env("LIAF_TEST_LIMIT", limit.to_string())
            .output()
            .expect("bash runs");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "limit {limit}: {:?}\n{text}", output.status);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("1 passed"), "{said}");
        assert!(!text.contains("HDF5"), "HDF5 speaks: {text}");
        assert_eq!(names(folder.path()).len(), CONTAINERS.len(), "limit {limit}");
        for &container in CONTAINERS {
            let path = folder.path().join("a").with_extension(container.name());
            assert_eq!(fs::read(path).expect("old file"), b"old");
        }
    }
}
