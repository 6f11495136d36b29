//! Whole networks against PyTorch: every tensor, forward and back.
//!
//! The files are those that `examples/check_reference` reads. They are looked for in
//! `reference` beside the project (`../shared`, or `$LIAF_SHARED`); a small one is bundled.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../examples/check_reference/reference.rs"]
mod checked;

use std::path::{Path, PathBuf};

use checked::check;

use crate::common::reference_file;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Files to compare with, those of the largest network only if they are asked for.
fn files() -> Option<Vec<PathBuf>> {
    let shared = std::env::var_os("LIAF_SHARED").map(PathBuf::from);
    let folder = shared.unwrap_or_else(|| root().join("../shared")).join("reference");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: no {}", folder.display());
        return None;
    };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|e| e == "safetensors"));
    files.sort();
    Some(files)
}

fn passes(file: &Path) {
    let report = check(file, None).unwrap();
    let worst = report.errors.iter().max_by(|(_, a), (_, b)| a.total_cmp(b));
    eprintln!("{}: {:.1e}, {:.2} s", report.title, report.largest(), report.seconds);
    assert!(report.passed(), "{}: {worst:?}", report.title);
}

#[test]
fn networks_are_those_of_pytorch() {
    let Some(files) = files() else { return };
    assert!(!files.is_empty());
    files.iter().for_each(|file| passes(file));
}

#[test]
fn the_bundled_networks_are_those_of_pytorch() {
    for name in ["net_liaf_tr", "net_liaf_ntr", "net_lif", "net_liaf_tr_detach"] {
        passes(&reference_file(&format!("{name}.safetensors")));
    }
}

#[test]
fn results_are_written_under_the_keys_of_the_file() {
    let file = reference_file("net_lif.safetensors");
    let folder = tempfile::tempdir().unwrap();
    let report = check(&file, Some(folder.path())).unwrap();
    let bytes = std::fs::read(folder.path().join("net_lif.safetensors")).unwrap();
    let written = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let theirs = std::fs::read(&file).unwrap();
    let theirs = safetensors::SafeTensors::deserialize(&theirs).unwrap();
    assert_eq!(written.len(), report.errors.len());
    for (key, _) in &report.errors {
        let (ours, theirs) = (written.tensor(key).unwrap(), theirs.tensor(key).unwrap());
        assert_eq!((ours.shape(), ours.dtype()), (theirs.shape(), theirs.dtype()), "{key}");
    }
    let copy = folder.path().join("net_lif.safetensors");
    std::fs::copy(&file, &copy).unwrap();
    assert!(check(&copy, Some(folder.path())).err().unwrap().to_string().contains("overwrite"));
}

#[test]
fn other_files_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.safetensors");
    std::fs::write(&garbage, b"not tensors").unwrap();
    let text = check(&garbage, None).err().unwrap().to_string();
    assert!(text.contains("garbage") && text.contains("safetensors"), "{text}");
    let layer = reference_file("conv2d_same.safetensors");
    let text = check(&layer, None).err().unwrap().to_string();
    assert!(text.contains("not a file of reference tensors"), "{text}");
    assert!(check(&folder.path().join("missing"), None).is_err());
}
