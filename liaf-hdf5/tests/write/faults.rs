//! Files that are not finished, for whatever reason.

use std::io::{self, Cursor, ErrorKind, Write};

use liaf_hdf5::{ChunkedDataset, ElementType, FileWriter, Output, Result};

/// A disk that fails at one of the calls, and not after that.
struct Full {
    cursor: Cursor<Vec<u8>>,
    calls: usize,
    fails_at: usize,
}

impl Full {
    fn count(&mut self) -> io::Result<()> {
        self.calls += 1;
        if self.calls - 1 == self.fails_at {
            return Err(io::Error::from(ErrorKind::StorageFull));
        }
        Ok(())
    }
}

impl Output for &mut Full {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.count()?;
        self.cursor.write_all(bytes)
    }

    fn overwrite(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.count()?;
        Output::overwrite(&mut self.cursor, offset, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.count()
    }
}

fn write(output: &mut Full) -> Result<u64> {
    let mut file = FileWriter::new(output)?;
    file.text_attribute("/", "liaf", "made by hand")?;
    let spec = ChunkedDataset::new(ElementType::U16, &[0], &[2]).growing();
    let grown = file.create_dataset("a/grown", spec)?;
    for i in 0..5 {
        file.resize(grown, 2 * i + 2)?;
        file.write_chunk(grown, &[2 * i], &[1, 2, 3, 4], 0)?;
    }
    file.strings("a/texts", &["x".repeat(5_000), "y".into()], &[2])?;
    file.strings("a/text", &["x"], &[])?;
    file.dataset("b", &[1u16, 2, 3], &[3])?;
    Ok(file.finish()?.1)
}

#[test]
fn a_disk_that_is_full_at_any_call_leaves_no_file() {
    let mut whole = Full { cursor: Cursor::default(), calls: 0, fails_at: usize::MAX };
    let bytes = write(&mut whole).unwrap();
    assert_eq!(bytes, whole.cursor.get_ref().len() as u64);
    assert_eq!(whole.cursor.get_ref()[1..4], *b"HDF");
    assert!(whole.calls > 20);
    for fails_at in 0..whole.calls {
        let mut full = Full { cursor: Cursor::default(), calls: 0, fails_at };
        let error = write(&mut full).unwrap_err();
        assert_eq!(error.kind(), liaf_hdf5::ErrorKind::System, "call {fails_at}");
        assert_eq!(error.into_io().unwrap().kind(), ErrorKind::StorageFull);
        // Flushing is the one call that comes after the signature.
        let is_signed = full.cursor.get_ref().get(1..4) == Some(b"HDF");
        assert_eq!(is_signed, fails_at + 1 == whole.calls, "call {fails_at}");
    }
}

#[test]
fn a_file_that_is_dropped_has_no_signature() {
    let mut cursor = Cursor::new(Vec::new());
    let mut file = FileWriter::new(&mut cursor).unwrap();
    file.dataset("b", &[1u16, 2, 3], &[3]).unwrap();
    drop(file);
    assert!(cursor.get_ref()[..96].iter().all(|&byte| byte == 0));
}
