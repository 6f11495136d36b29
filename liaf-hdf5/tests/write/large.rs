//! A file of more than 4 GiB, most of which is a hole.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use liaf_hdf5::{ChunkedDataset, ElementType, FileWriter, Output};

use super::judge::{ask, checksum};

const ZEROS: [u8; 4096] = [0; 4096];

/// A file into which large pieces of zeros are not written.
struct Sparse {
    file: File,
    length: u64,
}

impl Output for Sparse {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        // Compared in pieces, which takes a small part of the time of a loop over bytes in such a build.
        let is_zero =
            |bytes: &[u8]| bytes.chunks(ZEROS.len()).all(|piece| piece == &ZEROS[..piece.len()]);
        if bytes.len() >= 1 << 20 && is_zero(bytes) {
            self.file.seek(SeekFrom::Current(bytes.len() as i64))?;
        } else {
            self.file.write_all(bytes)?;
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn overwrite(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.write_all(bytes)?;
        self.file.seek(SeekFrom::Start(self.length)).map(|_| ())
    }
}

#[test]
fn more_than_4_gib() {
    const ROW: usize = 64 << 20;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.h5");
    let sparse = Sparse { file: File::create(&path).unwrap(), length: 0 };
    let mut file = FileWriter::new(sparse).unwrap();
    let rows = ChunkedDataset::new(ElementType::U8, &[70, ROW as u64], &[1, ROW as u32]).growing();
    let rows = file.create_dataset("rows", rows).unwrap();
    let mut raw = vec![0; ROW];
    for row in 0..70u64 {
        if matches!(row, 0 | 33 | 69) {
            raw[ROW - 9] = row as u8 + 1;
        }
        file.write_chunk(rows, &[row, 0], &raw, 0).unwrap();
        raw[ROW - 9] = 0;
    }
    file.dataset("last", &[5u16; 3], &[3]).unwrap();
    file.text_attribute("/", "liaf", "after 4 GiB").unwrap();
    let (_, bytes) = file.finish().unwrap();
    assert!(bytes > 70 * ROW as u64 && bytes > 1 << 32);
    let path = path.to_str().unwrap();
    let asked = ask(&["rows", path, "rows", "0", "1", "33", "68", "69"]);
    let Some(said) = asked else { return };
    let expected: String = [0usize, 1, 33, 68, 69]
        .map(|row| {
            // The sum counts from the beginning of the row.
            let value = if matches!(row, 1 | 68) { 0 } else { row as u64 + 1 };
            format!("{row} uint8 70x{ROW} {}\n", value * (ROW as u64 - 8))
        })
        .concat();
    assert_eq!(said, expected);
    let said = ask(&["rows", path, "last", "2"]);
    assert_eq!(said.unwrap(), format!("2 uint16 3 {}\n", checksum(&[5, 0])));
}
