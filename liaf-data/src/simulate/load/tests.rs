use std::fs;

use super::*;
use crate::error::ErrorKind;
use crate::tensor::{Container, TensorFileWriter, TensorOptions};

fn write(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> std::path::PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// An IDX file of these sides.
fn idx(sides: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, sides.len() as u8];
    sides.iter().for_each(|side| file.extend(side.to_be_bytes()));
    file.extend(bytes);
    file
}

fn light(pictures: &[Picture]) -> Vec<&[f32]> {
    pictures.iter().map(Picture::light).collect()
}

#[test]
fn images_of_mnist_are_read_with_their_labels() {
    let folder = tempfile::tempdir().unwrap();
    let images = write(&folder, "train-images-idx3-ubyte", &idx(&[2, 1, 2], &[0, 255, 51, 102]));
    let expected = [[0.0, 1.0].as_slice(), &[0.2, 0.4]];
    assert_eq!(light(&pictures(&images, &Limits::default()).unwrap()), expected);
    let missing = Digits::read(&images, &Limits::default()).unwrap_err();
    assert!(missing.to_string().contains("no file of labels"), "{missing}");
    let labels = write(&folder, "train-labels-idx1-ubyte", &idx(&[2], &[7, 3]));
    for path in [folder.path(), &images] {
        let digits = Digits::read(path, &Limits::default()).unwrap();
        assert_eq!(digits.len(), 2);
        assert_eq!(light(&digits.by_class[7]), [expected[0]]);
        assert_eq!(light(&digits.by_class[3]), [expected[1]]);
    }
    for (bytes, part) in [
        (idx(&[2], &[7, 10]), "no digit at byte 9"),
        (idx(&[1], &[7]), "not as many labels"),
        (idx(&[2], &[7]), "too early"),
        (idx(&[2], &[7, 8, 9]), "more than the stated"),
        (b"text".to_vec(), "no labels"),
    ] {
        fs::write(&labels, bytes).unwrap();
        let error = Digits::read(folder.path(), &Limits::default()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
        assert!(error.contains("train-labels-idx1-ubyte"), "{error}");
    }
}

#[test]
fn tables_of_digits_are_read_and_wrong_rows_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let read = |text: &str| {
        let path = write(&folder, "digits.csv", text.as_bytes());
        Digits::read(path, &Limits::default())
    };
    let digits = read("0,8,16,4,5\n\n16,16,0,0,5.0\r\n").unwrap();
    assert_eq!(light(&digits.by_class[5]), [[0.0, 0.5, 1.0, 0.25], [1.0, 1.0, 0.0, 0.0]]);
    for (text, part) in [
        ("", "no digits"),
        ("1,2,3\n", "rows of 2 pixels"),
        ("0,0,0,0,1\n0,0,0,0,11\n", "no digit at byte 10"),
        ("0,0,0,0,1\n0,0,0,1\n", "another length"),
        ("a,b\n", "no row of numbers"),
        ("-1,0,0,0,1\n", "other numbers"),
        ("NaN,0,0,0,1\n", "other numbers"),
        ("5\n", "other numbers"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(part) && error.contains("digits.csv"), "{error}");
    }
}

#[test]
fn arrays_are_read_by_their_type() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    let options = TensorOptions { overwrite: true, ..TensorOptions::default() };
    let writer = || TensorFileWriter::create(&path, Container::Npy, &options).unwrap();
    let mut file = writer();
    file.write("a", &[2, 1, 2], &[0_u8, 255, 51, 102]).unwrap();
    file.finish().unwrap();
    let expected = [[0.0, 1.0].as_slice(), &[0.2, 0.4]];
    assert_eq!(light(&pictures(&path, &Limits::default()).unwrap()), expected);
    let mut file = writer();
    file.write("a", &[1, 2], &[0.25_f64, 1.0]).unwrap();
    file.finish().unwrap();
    assert_eq!(light(&pictures(&path, &Limits::default()).unwrap()), [[0.25, 1.0]]);
    for (shape, part) in [(&[4][..], "shape"), (&[2, 2], "out of range")] {
        let mut file = writer();
        file.write("a", shape, &[0.0_f32, 1.5, 0.0, 0.0]).unwrap();
        file.finish().unwrap();
        let error = pictures(&path, &Limits::default()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[cfg(feature = "png")]
#[test]
fn png_files_become_luma_in_the_order_of_their_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let encode = |color: ::png::ColorType, bytes: &[u8]| {
        let mut file = Vec::new();
        let mut encoder = ::png::Encoder::new(&mut file, 1, 1);
        encoder.set_color(color);
        encoder.write_header().unwrap().write_image_data(bytes).unwrap();
        file
    };
    write(&folder, "frame10.png", &encode(::png::ColorType::Rgb, &[255, 0, 51]));
    write(&folder, "frame2.png", &encode(::png::ColorType::Grayscale, &[51]));
    write(&folder, "frame3.png", &encode(::png::ColorType::Rgba, &[255, 255, 255, 0]));
    let read = pictures(folder.path(), &Limits::default()).unwrap();
    let found: Vec<_> = read.iter().map(|picture| picture.light()[0]).collect();
    assert_eq!(found[..2], [0.2, 1.0]);
    assert!((found[2] - (0.299 + 0.114 * 0.2)).abs() < 1e-6, "{}", found[2]);
    let broken = write(&folder, "frame4.png", PNG);
    assert_eq!(pictures(&broken, &Limits::default()).unwrap_err().kind(), ErrorKind::Malformed);
}

#[test]
fn other_files_and_too_large_ones_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "a.txt", b"hello");
    assert_eq!(pictures(&path, &Limits::default()).unwrap_err().kind(), ErrorKind::Unsupported);
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert_eq!(pictures(&empty, &Limits::default()).unwrap_err().kind(), ErrorKind::Caller);
    assert_eq!(
        pictures(empty.join("none"), &Limits::default()).unwrap_err().kind(),
        ErrorKind::System
    );
    let small = Limits { held_bytes: 100, ..Limits::default() };
    let images = write(&folder, "images", &idx(&[4, 4, 4], &[0; 64]));
    assert_eq!(pictures(&images, &small).unwrap_err().kind(), ErrorKind::Limit);
}
