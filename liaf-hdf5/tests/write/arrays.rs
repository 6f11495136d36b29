//! Datasets in one piece.

use liaf_hdf5::{Element, ElementType, ErrorKind, FileWriter};

use super::judge::{Cases, Writer, bytes_of, checksum, shape};

/// Writes an array and returns the line that the judge prints.
fn array<T: Element>(
    file: &mut Writer,
    path: &str,
    dtype: &str,
    data: &[T],
    sides: &[u64],
) -> String {
    file.dataset(path, data, sides).unwrap();
    let (sides, sum) = (shape(sides), checksum(&bytes_of(data)));
    format!("/{path} {dtype} {sides} {sum} {sides} whole none")
}

#[test]
fn arrays_of_every_type_and_shape() {
    let mut cases = Cases::new();
    cases.add(|file| {
        let floats: Vec<f32> = (0..100_000).map(|i| i as f32 / 7.0).collect();
        vec![
            "/ group 16".into(),
            array(file, "a", "uint8", &[1u8, 255], &[2]),
            array(file, "b", "uint16", &[1u16, 65_535, 3, 4, 5, 6], &[2, 3]),
            array(file, "c", "uint32", &[u32::MAX], &[1]),
            array(file, "d", "uint64", &[u64::MAX, 1], &[2, 1]),
            array(file, "e", "int8", &[-1i8, 127, -128], &[3]),
            array(file, "f", "int16", &[-1i16, i16::MIN], &[2]),
            array(file, "g", "int32", &[i32::MIN], &[]),
            array(file, "h", "int64", &[i64::MIN, 0, 5, -7], &[2, 2]),
            array(file, "i", "float32", &floats, &[10, 100, 100]),
            array(file, "j", "float64", &[0.1f64, f64::INFINITY, -0.0], &[3]),
            array(file, "k", "bool", &[true, false, true], &[3]),
            array(file, "l", "bool", &[true], &[]),
            array(file, "m", "int64", &[0i64; 0], &[0, 2]),
            array(file, "n", "float32", &[0f32; 0], &[0]),
            array(file, "o", "uint8", &[9u8], &[1; 32]),
            array(file, "p", "uint16", &[7u16; 24], &[1, 2, 3, 4]),
        ]
    });
    // Nothing at all.
    cases.add(|_| vec!["/ group 0".into()]);
    cases.add(|file| {
        file.raw_dataset("fixed", ElementType::FixedText(5), b"abc\0\0h\xc3\xa9\0\0", &[2])
            .unwrap();
        let sum = checksum(b"abc\0\0h\xc3\xa9\0\0");
        vec!["/ group 1".into(), format!("/fixed text5 2 {sum} 2 whole none")]
    });
    cases.check();
}

#[test]
fn wrong_calls_are_refused_and_leave_the_file_as_it_was() {
    let mut file = FileWriter::new(std::io::Cursor::new(Vec::new())).unwrap();
    file.dataset("a/b", &[1u8], &[1]).unwrap();
    let length = file.length();
    let outcomes = [
        file.dataset("a/b", &[1u8], &[1]),
        file.dataset("a/b/c", &[1u8], &[1]),
        file.dataset("a", &[1u8], &[1]),
        file.dataset("/", &[1u8], &[1]),
        file.dataset("", &[1u8], &[1]),
        file.dataset("c//d", &[1u8], &[1]),
        file.dataset("c/", &[1u8], &[1]),
        file.dataset("c\0", &[1u8], &[1]),
        file.dataset("c/./d", &[1u8], &[1]),
        file.dataset("c", &[1u8], &[2]),
        file.dataset("c", &[1u8, 2], &[]),
        file.dataset("c", &[1u8], &[1; 33]),
        file.dataset("c", &[1u8], &[1 << 40, 1 << 40]),
        file.raw_dataset("c", ElementType::U16, &[1, 2, 3], &[1]),
        file.raw_dataset("c", ElementType::FixedText(0), &[], &[0]),
        file.raw_dataset("c", ElementType::Text, &[0; 16], &[1]),
        file.strings("c", &["a", "b"], &[3]),
        file.strings("c", &["a", "b\0"], &[2]),
        file.strings("a/b", &["a"], &[1]),
        file.group("a/b"),
        file.group("a//b"),
        file.text_attribute("nothing", "name", "text"),
        file.text_attribute("a", "", "text"),
        file.text_attribute("a", "name", "te\0xt"),
        file.attribute("a/b/c", "name", 1u8),
        file.array_attribute("a", "name", &[1u8], &[2]),
        file.array_attribute("a", "name", &[1u8; 1 << 16], &[1 << 16]),
    ];
    for (i, outcome) in outcomes.into_iter().enumerate() {
        assert_eq!(outcome.expect_err("refused").kind(), ErrorKind::Caller, "call {i}");
    }
    assert_eq!(file.length(), length);
    let (cursor, _) = file.finish().unwrap();
    let mut other = FileWriter::new(std::io::Cursor::new(Vec::new())).unwrap();
    other.dataset("a/b", &[1u8], &[1]).unwrap();
    assert_eq!(cursor.into_inner(), other.finish().unwrap().0.into_inner());
}
