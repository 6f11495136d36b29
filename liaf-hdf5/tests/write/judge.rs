//! The judge, and the lines that it is expected to print.

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use liaf_hdf5::{Element, FileWriter};
use tempfile::TempDir;

use super::python;

/// What `tests/judges/read_written.py` prints for these arguments; `None` without a judge.
pub fn ask(arguments: &[&str]) -> Option<String> {
    python::ask("read_written", arguments)
}

pub type Writer = FileWriter<BufWriter<std::fs::File>>;

/// Files that one run of the judge looks at.
pub struct Cases {
    folder: TempDir,
    /// Of each file: its path, and the lines expected, in order.
    files: Vec<(PathBuf, Vec<String>)>,
}

impl Cases {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), files: Vec::new() }
    }

    /// Writes a file by `write`, which returns the lines to expect, twice: both have the same
    /// bytes.
    pub fn add(&mut self, write: impl Fn(&mut Writer) -> Vec<String>) {
        let path = self.folder.path().join(format!("{}.h5", self.files.len()));
        let again = self.folder.path().join("again.h5");
        let run = |path: &Path| {
            let output = BufWriter::new(std::fs::File::create(path).unwrap());
            let mut file = FileWriter::new(output).unwrap();
            let expected = write(&mut file);
            let (_, bytes) = file.finish().unwrap();
            assert_eq!(std::fs::metadata(path).unwrap().len(), bytes);
            expected
        };
        let expected = run(&path);
        run(&again);
        assert!(std::fs::read(&path).unwrap() == std::fs::read(&again).unwrap(), "other bytes");
        self.files.push((path, expected));
    }

    /// Lets the judge read all files, and then extend them.
    pub fn check(&self) {
        let paths: Vec<&str> = self.files.iter().map(|(path, _)| path.to_str().unwrap()).collect();
        let Some(said) = ask(&[&["read"], &paths[..]].concat()) else { return };
        let mut parts = said.split("file ").skip(1);
        for (path, expected) in &self.files {
            let mut lines = parts.next().unwrap().lines();
            assert_eq!(lines.next(), path.to_str());
            let mut seen = 0;
            for (line, expected) in lines.zip(expected) {
                assert_eq!(line, expected);
                seen += 1;
            }
            assert_eq!(seen, expected.len());
        }
        let said = ask(&[&["extend"], &paths[..]].concat()).expect("it has answered before");
        assert_eq!(said.matches("\nextended ").count(), paths.len(), "{said}");
    }
}

/// The checksum of `read_written.py`.
pub fn checksum(bytes: &[u8]) -> u64 {
    let terms = bytes.iter().zip(1u64..).map(|(&byte, i)| i.wrapping_mul(byte.into()));
    terms.fold(0, u64::wrapping_add)
}

/// The checksum of texts.
pub fn checksum_of_texts<T: AsRef<str>>(texts: &[T]) -> u64 {
    let bytes: Vec<u8> = texts.iter().flat_map(|text| text.as_ref().bytes().chain([0])).collect();
    checksum(&bytes)
}

/// The bytes of numbers as they stand in a file.
pub fn bytes_of<T: Element>(data: &[T]) -> Vec<u8> {
    let mut bytes = vec![0; data.len() * T::TYPE.size() as usize];
    T::encode(data, &mut bytes);
    bytes
}

/// A shape as the judge prints it.
pub fn shape(shape: &[u64]) -> String {
    Vec::from_iter(shape.iter().map(u64::to_string)).join("x")
}
