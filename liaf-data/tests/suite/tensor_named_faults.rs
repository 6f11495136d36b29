//! What cannot be written as named tensors is refused, and does no harm to the file.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::fs;
use std::path::Path;

use liaf_data::tensor::{
    Container, ElementType, Rows, TensorFile, TensorFileWriter, TensorId, TensorOptions,
};
use liaf_data::{Error, ErrorKind, Limits};

const CONTAINERS: [Container; 2] = [Container::Npz, Container::Safetensors];

fn options() -> TensorOptions {
    TensorOptions { sync: false, ..TensorOptions::default() }
}

fn create(path: &Path, container: Container) -> TensorFileWriter {
    TensorFileWriter::create(path, container, &options()).unwrap()
}

#[track_caller]
fn refused<T>(outcome: Result<T, Error>, kind: ErrorKind, path: &Path, says: &str) {
    let error = outcome.err().expect("refused");
    assert_eq!((error.kind(), error.path()), (kind, Some(path)), "{error}");
    assert!(error.to_string().contains(says), "{error}");
}

/// Does everything that must be refused, if `wrong`, between the steps of writing a file.
fn write(path: &Path, container: Container, wrong: bool) {
    let mut file = create(path, container);
    let a = file.add("a", ElementType::I64, Rows::Growing, &[2]).unwrap();
    let b = file.add("b", ElementType::U8, Rows::Fixed(3), &[]).unwrap();
    let caller = ErrorKind::Caller;
    if wrong {
        for name in ["", ".", "..", "a/b", "a\\b", "/", ".hidden", "a\0", "a\nb", "c:d"] {
            let added = file.add(name, ElementType::U8, Rows::Single, &[]);
            refused(added, caller, path, "invalid name of a tensor");
        }
        let long = "n".repeat(300);
        refused(file.add(&long, ElementType::U8, Rows::Single, &[]), caller, path, "invalid name");
        for name in ["__metadata__", "liaf", "padding"] {
            let added = file.add(name, ElementType::U8, Rows::Single, &[]);
            refused(added, caller, path, "is reserved");
        }
        refused(
            file.add("a", ElementType::U8, Rows::Single, &[]),
            caller,
            path,
            "already a tensor",
        );
        let mut add = |rows, row: &[usize]| file.add("c", ElementType::U16, rows, row);
        refused(add(Rows::Growing, &[2, 0]), caller, path, "must not be empty");
        refused(add(Rows::Single, &[usize::MAX, 2]), caller, path, "too large");
        refused(add(Rows::Fixed(usize::MAX), &[2]), caller, path, "too large");
        refused(add(Rows::Growing, &[1; 33]), caller, path, "too many axes");
        refused(add(Rows::Fixed(1 << 40), &[]), ErrorKind::Limit, path, "too large");
        refused(file.write("c", &[2, 2], &[1u8; 3]), caller, path, "does not agree");
    }
    file.append(b, &[1u8, 2]).unwrap();
    if wrong {
        refused(file.append(b, &[1u8, 2]), caller, path, "more rows than b can have");
        refused(file.append(b, &[1i8]), caller, path, "another type");
        refused(file.append(a, &[1i64, 2, 3]), caller, path, "whole number of rows of a");
        refused(file.append_bytes(a, &[0; 8]), caller, path, "whole number of rows of a");
    }
    file.append(a, &[1i64, 2, 3, 4]).unwrap();
    if wrong {
        let late = file.add("late", ElementType::U8, Rows::Single, &[]);
        refused(late, caller, path, "before any rows");
        refused(file.set_provenance("late"), caller, path, "before any rows");
        let others = &path.with_extension("others");
        let mut other = create(others, container);
        let ids: Vec<TensorId> =
            (0..3).map(|k| other.write(&format!("{k}"), &[1], &[0u8]).unwrap()).collect();
        refused(file.append(ids[2], &[0u8]), caller, path, "belongs to another file");
    }
    file.append(b, &[3u8]).unwrap();
    file.finish().unwrap();
}

#[test]
fn wrong_calls_are_refused_and_leave_the_file_as_it_was() {
    for container in CONTAINERS {
        let folder = tempfile::tempdir().unwrap();
        let paths = [false, true].map(|wrong| {
            let path = folder.path().join(format!("{wrong}.{container}"));
            write(&path, container, wrong);
            path
        });
        assert_eq!(fs::read(&paths[0]).unwrap(), fs::read(&paths[1]).unwrap(), "{container}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}

#[test]
fn a_fixed_tensor_that_is_left_short_makes_no_file() {
    for container in CONTAINERS {
        let folder = tempfile::tempdir().unwrap();
        let path = &folder.path().join("a");
        let mut file = create(path, container);
        let a = file.add("a", ElementType::I64, Rows::Fixed(2), &[]).unwrap();
        file.append(a, &[1i64]).unwrap();
        refused(file.finish(), ErrorKind::Caller, path, "incomplete: expected [2] in a");
        let mut file = create(path, container);
        file.add("scalar", ElementType::I64, Rows::Single, &[]).unwrap();
        refused(file.finish(), ErrorKind::Caller, path, "incomplete");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = &folder.path().join("a");
    refused(create(path, Container::Npy).finish(), ErrorKind::Caller, path, "no tensor was added");
    #[cfg(not(feature = "hdf5"))]
    {
        let created = TensorFileWriter::create(path, Container::H5, &options());
        refused(created, ErrorKind::Unsupported, path, "write .npz or .safetensors");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn all_tensors_together_stay_within_the_limit() {
    for container in CONTAINERS {
        let folder = tempfile::tempdir().unwrap();
        let path = &folder.path().join("a");
        let limits = Limits { output_bytes: 100, ..Limits::default() };
        let mut file =
            TensorFileWriter::create(path, container, &TensorOptions { limits, ..options() })
                .unwrap();
        let a = file.add("a", ElementType::U8, Rows::Growing, &[]).unwrap();
        let b = file.add("b", ElementType::U8, Rows::Growing, &[]).unwrap();
        file.write("c", &[10], &[0u32; 10]).unwrap();
        file.append(a, &[0u8; 40]).unwrap();
        refused(file.append(b, &[0u8; 21]), ErrorKind::Limit, path, "101 bytes");
        file.append(b, &[0u8; 20]).unwrap();
        refused(file.append(a, &[0u8]), ErrorKind::Limit, path, "at most 100 bytes");
        file.finish().unwrap();
        let file = TensorFile::open(path, &Limits::default()).unwrap();
        assert_eq!(["a", "b", "c"].map(|name| file.get(name).unwrap().len()), [40, 20, 10]);
    }
}

#[test]
fn a_dropped_writer_leaves_nothing() {
    for container in CONTAINERS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "old").unwrap();
        let mut file = TensorFileWriter::create(
            &path,
            container,
            &TensorOptions { overwrite: true, ..options() },
        )
        .unwrap();
        for name in ["a", "b"] {
            let id = file.add(name, ElementType::U8, Rows::Fixed(3 << 20), &[]).unwrap();
            file.append(id, &vec![1u8; 3 << 20]).unwrap();
        }
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn a_file_without_tensors_is_read_back() {
    for container in CONTAINERS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut file = create(&path, container);
        file.set_provenance("nothing").unwrap();
        file.finish().unwrap();
        let file = TensorFile::open(&path, &Limits::default()).unwrap();
        assert_eq!((file.names().count(), file.provenance()), (0, Some("nothing")));
        refused(file.get("a"), ErrorKind::Caller, &path, "no tensor with this name");
    }
}

/// Run by `a_full_disk_is_an_error_while_a_tensor_waits`, under a limit of file size.
#[test]
#[ignore = "a part of another test"]
fn child_that_meets_a_full_disk() {
    let folder = std::env::var("LIAF_TEST_FOLDER").unwrap();
    let path = &Path::new(&folder).join("a");
    for container in CONTAINERS {
        let mut file = create(path, container);
        file.add("first", ElementType::U8, Rows::Growing, &[]).unwrap();
        let waits = file.add("waits", ElementType::U8, Rows::Growing, &[]).unwrap();
        let row = vec![1u8; 100 << 10];
        let failed = (0..40).find_map(|_| file.append(waits, &row).err());
        refused(Err::<(), _>(failed.unwrap()), ErrorKind::System, path, "File too large");
        refused(file.append(waits, &row), ErrorKind::System, path, "an earlier write failed");
        refused(file.finish(), ErrorKind::System, path, "an earlier write failed");
    }
}

#[test]
fn a_full_disk_is_an_error_while_a_tensor_waits() {
    let folder = tempfile::tempdir().unwrap();
    let script = "trap '' XFSZ; ulimit -f 1000 || exit 9; exec \"$0\" \"$@\"";
    let output = std::process::Command::new("bash")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "tensor_named_faults::child_that_meets_a_full_disk",
            "--ignored",
            "--nocapture",
        ])
        .env("LIAF_TEST_FOLDER", folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
