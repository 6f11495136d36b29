//! Every tensor file is read back by the Python library that users read it with.

use crate::judge;
use crate::tensor_common;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tensor_common::{CONTAINERS, PROVENANCE, bytes, frame, spec, write};
use liaf_data::frames::Dtype;
#[cfg(feature = "hdf5")]
use liaf_data::frames::FrameShape;
use liaf_data::tensor::{Container, TensorOptions, TensorSpec};
use serde_json::{Value, json};

const DTYPES: [Dtype; 4] = [Dtype::U8, Dtype::U16, Dtype::I16, Dtype::F32];

/// What the judge says of the files, in their order.
fn judged(python: &Path, paths: &[PathBuf]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/read_tensors.py");
    let output = Command::new(python).arg(script).args(paths).output().expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The sha256 of some bytes, by the same Python.
fn sha256(python: &Path, files: &[PathBuf]) -> Vec<String> {
    let script = "import hashlib, sys\n\
                  for p in sys.argv[1:]: print(hashlib.sha256(open(p, 'rb').read()).hexdigest())";
    let output = Command::new(python).args(["-c", script]).args(files).output().expect("run");
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_string).collect()
}

struct Case {
    spec: TensorSpec,
    container: Container,
    frames: u64,
    path: PathBuf,
    raw: PathBuf,
    sum: f64,
}

fn check(cases: &[Case], python: &Path) {
    let seen = judged(python, &cases.iter().map(|case| case.path.clone()).collect::<Vec<_>>());
    let sums = sha256(python, &cases.iter().map(|case| case.raw.clone()).collect::<Vec<_>>());
    assert_eq!(seen.len(), cases.len());
    for ((case, seen), sha256) in cases.iter().zip(&seen).zip(&sums) {
        let name = case.path.display();
        let shape = case.spec.shape;
        let dtype = match case.spec.dtype {
            Dtype::U8 => "uint8",
            Dtype::U16 => "uint16",
            Dtype::I16 => "int16",
            Dtype::F32 => "float32",
        };
        assert_eq!(
            seen["shape"],
            json!([case.frames, shape.channels, shape.height, shape.width]),
            "{name}"
        );
        assert_eq!(seen["dtype"], dtype, "{name}");
        assert_eq!(seen["sha256"], sha256.as_str(), "{name}");
        assert_eq!(seen["sum"].as_f64(), Some(case.sum), "{name}");
        if case.container == Container::Npy {
            continue;
        }
        let windows: Vec<_> = (0..case.frames)
            .map(tensor_common::window)
            .map(|window| [window.start, window.end])
            .collect();
        assert_eq!(seen["timestamps"], json!(windows), "{name}");
        assert_eq!(seen["timestamps_dtype"], "int64", "{name}");
        assert_eq!(seen["provenance"], case.spec.provenance.as_str(), "{name}");
        match case.container {
            Container::Safetensors => assert_eq!(seen["extra"]["aligned"], true, "{name}"),
            Container::H5 => {
                assert_eq!(seen["extra"]["attribute"], "str", "{name}");
                assert_eq!(seen["extra"]["keys"], json!(["frames", "timestamps"]), "{name}");
            }
            _ => {}
        }
    }
}

fn case(
    folder: &Path,
    container: Container,
    spec: TensorSpec,
    frames: u64,
    sparse: bool,
    options: &TensorOptions,
) -> Case {
    let known = if spec.frames.is_some() { "known" } else { "unknown" };
    let kind = if sparse { "sparse" } else { "dense" };
    let shape = spec.shape;
    let name = format!(
        "{}x{}x{}-{}-{kind}-{frames}-{known}-{}.{}",
        shape.channels,
        shape.height,
        shape.width,
        spec.dtype,
        options.compression,
        container.name()
    );
    let path = folder.join(name);
    write(&path, container, &spec, frames, sparse, options);
    let raw = path.with_extension(format!("{}.raw", container.name()));
    let all: Vec<_> = (0..frames).map(|k| frame(&spec, k, false)).collect();
    std::fs::write(&raw, all.iter().flat_map(bytes).collect::<Vec<u8>>()).expect("raw bytes");
    let sum = all.iter().map(tensor_common::sum).sum();
    Case { spec, container, frames, path, raw, sum }
}

#[test]
fn every_container_type_and_length_reads_back() {
    let Some(python) = judge::python("numpy, h5py, safetensors") else { return };
    let folder = tempfile::tempdir().expect("folder");
    let options = TensorOptions { sync: false, ..TensorOptions::default() };
    let mut cases = Vec::new();
    for &container in CONTAINERS {
        for dtype in DTYPES {
            for sparse in [false, true] {
                for frames in [0, 1, 7] {
                    for known in [None, Some(frames)] {
                        let spec = TensorSpec { frames: known, ..spec(dtype) };
                        cases.push(case(folder.path(), container, spec, frames, sparse, &options));
                    }
                }
            }
        }
    }
    check(&cases, &python);
}

#[test]
fn whether_the_length_is_known_and_frames_are_sparse_changes_no_byte() {
    let folder = tempfile::tempdir().expect("folder");
    let options = TensorOptions { sync: false, ..TensorOptions::default() };
    for &container in CONTAINERS {
        for frames in [0, 1, 7] {
            let mut files = Vec::new();
            for (sparse, known) in [(false, None), (true, None), (true, Some(frames))] {
                let spec = TensorSpec { frames: known, ..spec(Dtype::U16) };
                let case = case(folder.path(), container, spec, frames, sparse, &options);
                files.push(std::fs::read(case.path).expect("file"));
            }
            assert!(files.iter().all(|file| *file == files[0]), "{container} {frames}");
        }
    }
}

#[test]
fn deflated_npz_reads_back() {
    let Some(python) = judge::python("numpy") else { return };
    let folder = tempfile::tempdir().expect("folder");
    let options = TensorOptions { npz_deflate: true, sync: false, ..TensorOptions::default() };
    let mut cases = Vec::new();
    for frames in [0, 1, 7] {
        for known in [true, false] {
            let spec = TensorSpec { frames: known.then_some(frames), ..spec(Dtype::U16) };
            cases.push(case(folder.path(), Container::Npz, spec, frames, true, &options));
        }
    }
    check(&cases, &python);
    let seen = judged(&python, &[cases[4].path.clone()]);
    assert_eq!(seen[0]["extra"]["deflated"], true);
}

#[cfg(feature = "hdf5")]
#[test]
fn hdf5_reads_back_over_many_chunks_plain_and_at_every_level() {
    use liaf_data::tensor::Compression;

    let Some(python) = judge::python("h5py") else { return };
    let folder = tempfile::tempdir().expect("folder");
    let mut cases = Vec::new();
    for compression in [
        Compression::None,
        Compression::Runs,
        Compression::Deflate(1),
        Compression::Deflate(4),
        Compression::Deflate(9),
    ] {
        let options = TensorOptions { compression, sync: false, ..TensorOptions::default() };
        for (dtype, shape, frames) in [
            // 291 frames a chunk, and 1 a chunk.
            (Dtype::U8, FrameShape { channels: 2, height: 40, width: 45 }, 1000),
            (Dtype::F32, FrameShape { channels: 2, height: 370, width: 360 }, 4),
        ] {
            let spec = TensorSpec { shape, ..spec(dtype) };
            cases.push(case(folder.path(), Container::H5, spec, frames, true, &options));
        }
    }
    check(&cases, &python);
    let seen = judged(&python, &[cases[0].path.clone(), cases[2].path.clone()]);
    assert_eq!(seen[0]["extra"]["chunks"], json!([291, 2, 40, 45]));
    assert_eq!(seen[0]["extra"]["compression"], Value::Null);
    assert_eq!(seen[0]["extra"]["maxshape"], json!([null, 2, 40, 45]));
    assert_eq!(seen[1]["extra"]["compression"], "gzip");
}

#[test]
fn long_provenance_is_kept() {
    let Some(python) = judge::python("numpy, h5py, safetensors") else { return };
    let folder = tempfile::tempdir().expect("folder");
    let options = TensorOptions { sync: false, ..TensorOptions::default() };
    let provenance = format!("{PROVENANCE}{}", " é\n".repeat(50_000));
    let mut cases = Vec::new();
    for &container in CONTAINERS {
        let spec = TensorSpec { provenance: provenance.clone(), ..spec(Dtype::U8) };
        cases.push(case(folder.path(), container, spec, 2, false, &options));
    }
    check(&cases, &python);
}
