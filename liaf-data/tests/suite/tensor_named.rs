//! Files of named tensors: what is written is read back, by this crate and by Python's libraries, and
//! what those write is read.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use crate::judge;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use liaf_data::Limits;
use liaf_data::tensor::{
    Container, Element, ElementType, Rows, Tensor, TensorFile, TensorFileWriter, TensorOptions,
};
use serde_json::{Value, json};

const QUICK: TensorOptions = TensorOptions {
    overwrite: false,
    sync: false,
    parallel: true,
    compression: liaf_data::tensor::Compression::Runs,
    npz_deflate: false,
    limits: Limits::DEFAULT,
};

const PROVENANCE: &str = r#"{"liaf":"0.1.0","source":"a \"b\" \\ é 猫.aedat4"}"#;

/// Options and extension of each kind of file with several tensors.
fn kinds() -> [(Container, TensorOptions, &'static str); 3] {
    [
        (Container::Npz, QUICK, "npz"),
        (Container::Npz, TensorOptions { npz_deflate: true, ..QUICK }, "deflated.npz"),
        (Container::Safetensors, QUICK, "safetensors"),
    ]
}

/// What a file must hold: type, shape and bytes by name.
type Expected = BTreeMap<String, (ElementType, Vec<usize>, Vec<u8>)>;

/// Writes one tensor of `rows` rows of 3 elements, a row at a time.
fn add<T: Element>(
    file: &mut TensorFileWriter,
    expected: &mut Expected,
    rows: Rows,
    values: &[T],
    bytes: impl Fn(&T) -> Vec<u8>,
) {
    let id = file.add(T::TYPE.name(), T::TYPE, rows, &[3]).unwrap();
    for row in values.chunks(3) {
        file.append(id, row).unwrap();
    }
    let bytes = values.iter().flat_map(bytes).collect();
    expected.insert(T::TYPE.name().into(), (T::TYPE, vec![values.len() / 3, 3], bytes));
}

/// A file with a tensor of every type, each of `rows` rows.
fn every_type(path: &Path, container: Container, options: &TensorOptions, rows: usize) -> Expected {
    let mut file = TensorFileWriter::create(path, container, options).unwrap();
    file.set_provenance(PROVENANCE).unwrap();
    let mut expected = Expected::new();
    let n = 3 * rows as i64;
    let fixed = Rows::Fixed(rows);
    macro_rules! numbers {
        ($($type:ty, $rows:expr);+) => { $(
            let values: Vec<_> = (0..n).map(|i| (i * 7 - 9) as $type).collect();
            add(&mut file, &mut expected, $rows, &values, |v| v.to_le_bytes().to_vec());
        )+ };
    }
    // Every tensor but the first that grows has to wait, and the first ones are added in the most
    // awkward order.
    numbers!(u8, fixed; i16, fixed; f64, fixed);
    let scalar = file.write("scalar", &[], &[-7i32]).unwrap();
    assert!(file.append(scalar, &[1i32]).is_err());
    let whole = file.write("whole", &[2, 0, 5], &[] as &[u16]).unwrap();
    file.append(whole, &[] as &[u16]).unwrap();
    expected.insert("scalar".into(), (ElementType::I32, vec![], (-7i32).to_le_bytes().to_vec()));
    expected.insert("whole".into(), (ElementType::U16, vec![2, 0, 5], vec![]));
    numbers!(i8, fixed; u16, fixed; u32, fixed; i32, fixed; u64, fixed; i64, fixed; f32, fixed);
    let bools: Vec<bool> = (0..n).map(|i| i % 3 == 1).collect();
    add(&mut file, &mut expected, Rows::Growing, &bools, |&v| vec![v.into()]);
    assert_eq!(file.finish().unwrap(), path.metadata().unwrap().len());
    expected
}

fn check(path: &Path, expected: &Expected) {
    let file = TensorFile::open(path, &Limits::default()).unwrap();
    let mut names: Vec<_> = file.names().collect();
    names.sort_unstable();
    assert_eq!(names, expected.keys().map(String::as_str).collect::<Vec<_>>());
    for (name, (dtype, shape, bytes)) in expected {
        let info = file.info(name).unwrap();
        assert_eq!((info.dtype, &info.shape), (*dtype, shape), "{name}");
        let tensor = file.get(name).unwrap();
        assert_eq!((tensor.dtype(), tensor.shape()), (*dtype, &shape[..]), "{name}");
        assert_eq!(tensor.bytes(), bytes, "{name}");
        check_rows(&file, name, &tensor);
    }
}

/// Any rows of a tensor are those of the whole.
pub(crate) fn check_rows(file: &TensorFile, name: &str, all: &Tensor<'_>) {
    let &[n, ..] = all.shape() else {
        assert!(file.rows(name, 0..0).is_err(), "a scalar has no rows");
        return;
    };
    let row = all.bytes().len() / n.max(1);
    for (from, to) in [(0, 0), (0, n), (n / 2, n), (n, n), (n / 3, n / 2)] {
        let rows = file.rows(name, from..to).unwrap();
        assert_eq!((rows.shape()[0], &rows.shape()[1..]), (to - from, &all.shape()[1..]), "{name}");
        assert_eq!(rows.bytes(), &all.bytes()[from * row..to * row], "{name} {from}..{to}");
    }
    assert!(file.rows(name, 0..n + 1).is_err() && file.rows(name, n + 1..n + 1).is_err());
}

/// What Python finds in these files.
fn judged(python: &Path, arguments: &[PathBuf]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/named_tensors.py");
    let output = Command::new(python).arg(script).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// NumPy's name of a type.
fn numpy(dtype: ElementType) -> String {
    let name = dtype.name();
    match (&name[..1], &name[1..]) {
        ("u", bits) => format!("uint{bits}"),
        ("i", bits) => format!("int{bits}"),
        ("f", bits) => format!("float{bits}"),
        _ => name.to_owned(),
    }
}

#[test]
fn tensors_of_every_type_read_back_here_and_in_python() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (container, options, extension) in kinds() {
        for rows in [0, 1, 5] {
            let path = folder.path().join(format!("{rows}.{extension}"));
            let expected = every_type(&path, container, &options, rows);
            check(&path, &expected);
            let file = TensorFile::open(&path, &Limits::default()).unwrap();
            assert_eq!((file.container(), file.provenance()), (container, Some(PROVENANCE)));
            files.push((path, expected));
        }
    }
    let Some(python) = judge::python("numpy, safetensors") else { return };
    let mut arguments = vec![PathBuf::from("read")];
    arguments.extend(files.iter().map(|(path, _)| path.clone()));
    let seen = judged(&python, &arguments);
    assert_eq!(seen.len(), files.len());
    for (seen, (path, expected)) in seen.iter().zip(&files) {
        let expected: BTreeMap<_, _> = expected
            .iter()
            .map(|(name, (dtype, shape, bytes))| {
                (name, json!({"dtype": numpy(*dtype), "shape": shape, "bytes": hex(bytes)}))
            })
            .collect();
        assert_eq!(seen["tensors"], json!(expected), "{}", path.display());
        assert_eq!(seen["metadata"], json!({"liaf": PROVENANCE}), "{}", path.display());
    }
}

#[test]
fn files_of_numpy_and_safetensors_are_read() {
    let Some(python) = judge::python("numpy, safetensors") else { return };
    let folder = tempfile::tempdir().unwrap();
    let written = judged(&python, &["write".into(), folder.path().into()]);
    assert!(written.len() > 15, "{} files", written.len());
    for written in &written {
        let path = Path::new(written["path"].as_str().unwrap());
        let file = TensorFile::open(path, &Limits::default()).unwrap();
        let tensors: BTreeMap<_, _> = file
            .names()
            .map(|name| {
                let tensor = file.get(name).unwrap();
                check_rows(&file, name, &tensor);
                let bytes = hex(tensor.bytes());
                let described = json!({
                    "dtype": numpy(tensor.dtype()),
                    "shape": tensor.shape(),
                    "bytes": bytes,
                });
                (name, described)
            })
            .collect();
        assert_eq!(json!(tensors), written["tensors"], "{}", path.display());
        for (key, text) in written["metadata"].as_object().unwrap() {
            assert_eq!(file.metadata(key), text.as_str(), "{}", path.display());
        }
    }
}

#[test]
fn several_tensors_grow_together_in_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    // 24 MB of events in batches, with the offsets of each batch: far more than waits in memory.
    const BATCH: usize = 10_000;
    let x: Vec<u16> = (0..BATCH).map(|i| (i % 346) as u16).collect();
    let mut files = Vec::new();
    for (container, options, extension) in kinds() {
        let path = folder.path().join(format!("events.{extension}"));
        let mut file = TensorFileWriter::create(&path, container, &options).unwrap();
        let ids = ["x", "y", "t", "offsets"];
        let types = [ElementType::U16, ElementType::U16, ElementType::I64, ElementType::U64];
        let [xs, ys, ts, offsets] =
            [0, 1, 2, 3].map(|i| file.add(ids[i], types[i], Rows::Growing, &[]).unwrap());
        file.append(offsets, &[0u64]).unwrap();
        for k in 0..200u64 {
            let t: Vec<i64> = (0..BATCH as i64).map(|i| k as i64 * 1000 + i / 10).collect();
            file.append(ts, &t).unwrap();
            file.append(xs, &x).unwrap();
            file.append_bytes(ys, &vec![k as u8; 2 * BATCH]).unwrap();
            file.append(offsets, &[(k + 1) * BATCH as u64]).unwrap();
        }
        // What waits has no name: only the file itself is in the folder, under a hidden name.
        let hidden = std::fs::read_dir(folder.path()).unwrap().filter(|entry| {
            entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".partial")
        });
        assert_eq!(hidden.count(), 1);
        file.finish().unwrap();
        let file = TensorFile::open(&path, &Limits::default()).unwrap();
        let offsets = file.get("offsets").unwrap().to_vec::<u64>().unwrap();
        assert_eq!((offsets.len(), offsets[200]), (201, 2_000_000));
        let list = offsets[7] as usize..offsets[8] as usize;
        assert_eq!(file.get("x").unwrap().as_slice::<u16>().unwrap()[list.clone()], x);
        assert_eq!(
            file.get("y").unwrap().as_slice::<u16>().unwrap()[list.clone()],
            [0x0707; BATCH]
        );
        assert_eq!(file.get("t").unwrap().as_slice::<i64>().unwrap()[list.start + 25], 7002);
        assert_eq!(file.get("t").unwrap().len(), 2_000_000);
        files.push(path);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), files.len());
}

#[test]
fn the_same_tensors_give_the_same_bytes_however_they_are_appended() {
    let folder = tempfile::tempdir().unwrap();
    for (container, options, extension) in kinds() {
        let values: Vec<u32> = (0..400_000).collect();
        let files = [1, 777, 400_000].map(|step: usize| {
            let path = folder.path().join(format!("{step}.{extension}"));
            let mut file = TensorFileWriter::create(&path, container, &options).unwrap();
            let a = file.add("a", ElementType::U8, Rows::Growing, &[]).unwrap();
            let b = file.add("b", ElementType::U32, Rows::Growing, &[]).unwrap();
            for values in values.chunks(step.max(50)) {
                file.append(a, &vec![1u8; values.len()]).unwrap();
                file.append(b, values).unwrap();
            }
            file.append(a, &[2u8]).unwrap();
            file.finish().unwrap();
            std::fs::read(path).unwrap()
        });
        assert!(files.iter().all(|file| *file == files[0]), "{extension}");
    }
}

#[test]
fn a_single_tensor_makes_an_npy_file() {
    let folder = tempfile::tempdir().unwrap();
    for (name, rows) in [("growing", Rows::Growing), ("fixed", Rows::Fixed(4))] {
        let path = folder.path().join(format!("{name}.npy"));
        let mut file = TensorFileWriter::create(&path, Container::Npy, &QUICK).unwrap();
        let labels = file.add("labels", ElementType::F64, rows, &[2]).unwrap();
        assert!(file.add("more", ElementType::F64, rows, &[2]).is_err());
        file.append(labels, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        file.append(labels, &[7.0, 8.0]).unwrap();
        file.finish().unwrap();
        let file = TensorFile::open(&path, &Limits::default()).unwrap();
        assert_eq!(file.names().collect::<Vec<_>>(), ["arr_0"]);
        let tensor = file.get("arr_0").unwrap();
        assert_eq!((tensor.name(), tensor.shape()), ("arr_0", &[4, 2][..]));
        assert_eq!(tensor.as_slice::<f64>().unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        assert_eq!(file.provenance(), None);
    }
}

#[cfg(feature = "ndarray")]
#[test]
fn tensors_are_viewed_as_arrays() {
    let folder = tempfile::tempdir().unwrap();
    for (container, options, extension) in kinds() {
        let path = folder.path().join(format!("a.{extension}"));
        every_type(&path, container, &options, 5);
        let file = TensorFile::open(&path, &Limits::default()).unwrap();
        let tensor = file.get("i16").unwrap();
        let view = tensor.view::<i16>().unwrap();
        assert_eq!((view.shape(), view[[1, 2]]), (&[5, 3][..], 5 * 7 - 9));
        assert_eq!(file.get("scalar").unwrap().view::<i32>().unwrap().first(), Some(&-7));
        assert_eq!(file.get("whole").unwrap().view::<u16>().unwrap().shape(), [2, 0, 5]);
        assert!(file.get("bool").unwrap().view::<bool>().unwrap()[[0, 1]]);
        assert!(tensor.view::<u16>().is_err());
        let owned = tensor.into_owned();
        drop(file);
        assert_eq!(owned.view::<i16>().unwrap()[[0, 0]], -9);
    }
}
