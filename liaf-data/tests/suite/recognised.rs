//! What is no recording is named, and is not taken for one.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::fs;

use liaf_data::{ErrorKind, Format, ReadOptions, Recording};

use crate::common::fixtures;

fn refusal(name: &str, bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let error = Recording::open(&path, ReadOptions::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    error.to_string()
}

#[test]
fn other_files_are_named_with_what_to_do() {
    let lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    let page = b"\n<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n";
    let tar = [&[b'x'; 257][..], b"ustar\x0000", &[0; 249]].concat();
    let mat4 =
        [&[0, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, b'x', 0][..], &[0; 72]];
    let mat4 = mat4.concat();
    let cases: [(&str, &[u8], &str, &str); 24] = [
        ("a.h5", lfs, "Git LFS pointer", "git lfs pull"),
        ("a.csv", lfs, "Git LFS pointer", "git lfs pull"),
        ("a.raw", lfs, "Git LFS pointer", "git lfs pull"),
        ("a.txt", page, "web page", "download the file again"),
        ("a.aedat4", page, "web page", "download the file again"),
        ("a.tar", &tar, "tar archive", "unpack it"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c\0\x04", "7-Zip archive", "unpack it"),
        ("a.rar", b"Rar!\x1a\x07\x01\0", "RAR archive", "unpack it"),
        ("a.db3", b"SQLite format 3\0\x10\0", "SQLite database", "MCAP"),
        ("a.pkl", b"\x80\x04\x95\x10\0\0\0\0\0\0\0}", "pickle", "numpy.savez"),
        ("a.pcap", b"\xd4\xc3\xb2\xa1\x02\0\x04\0", "pcap", "camera"),
        ("a.csv", b"\xff\xfet\0,\0x\0,\0y\0", "UTF-16", "UTF-8"),
        ("a.txt", b"\xfe\xff\0t\0 \0x\0 \0y", "UTF-16", "iconv"),
        ("a.csv", b"\xff\xfe\0\0t\0\0\0,\0\0\0", "UTF-32", "iconv -f UTF-32"),
        ("a.bag", b"#ROSRECORD V1.2\n", "old version", "rosbag filter"),
        (
            "a.h5",
            b"<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code></Error>",
            "web page",
            "download",
        ),
        ("a.mat", &mat4, "MATLAB 4", "-v7"),
        ("a.pdf", b"%PDF-1.7\n%\xe2\xe3", "PDF document", "supported formats"),
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\x0d", "PNG image", "no events"),
        ("a.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF", "JPEG image", "no events"),
        ("a.mp4", b"\0\0\0\x20ftypisom\0\0\x02\0", "MP4", "no events"),
        ("a.avi", b"RIFF\0\x10\0\0AVI LIST", "AVI video", "no events"),
        ("a.mkv", b"\x1a\x45\xdf\xa3\x01\0\0\0", "Matroska", "no events"),
        ("a.lz4", b"\x04\x22\x4d\x18\x64\x40\xa7", "LZ4", "lz4 -d"),
    ];
    for (name, bytes, what, help) in cases {
        let text = refusal(name, bytes);
        assert!(text.contains(what) && text.contains(help), "{name}: {text}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.raw");
    std::os::unix::fs::symlink("gone.raw", &path).unwrap();
    let error = Recording::open(&path, ReadOptions::new()).unwrap_err();
    assert!(
        error.to_string().contains("the link leads to a file that does not exist: found gone.raw"),
        "{error}"
    );
    let error = Recording::open(folder.path(), ReadOptions::new()).unwrap_err();
    assert!(error.to_string().contains("the path is a folder"), "{error}");
}

/// Bytes that are no events, of a size.
fn others(size: usize) -> Vec<(&'static str, Vec<u8>)> {
    let mut state = size as u32 ^ 0x9e37_79b9;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    // A picture: rows of 64 pixels, of which each is similar to that beside it.
    let picture =
        |i: usize| (100.0 + 60.0 * (i as f64 % 64.0 / 9.0).sin() + i as f64 / 640.0) as u8;
    let diagonal = |i: usize| if i.is_multiple_of(65) { 255 } else { 0 };
    let words = b"timestamps of the events\x01\x02 in the order of their pixels\x03 ";
    vec![
        ("random", (0..size).map(|_| random()).collect()),
        ("random, below 128", (0..size).map(|_| random() & 127).collect()),
        ("constant", vec![7; size]),
        ("zeros but one", (0..size).map(|i| u8::from(i == size / 2)).collect()),
        ("ramp", (0..size).map(|i| i as u8).collect()),
        ("slow ramp", (0..size).map(|i| (i / 16) as u8).collect()),
        (
            "ramp of 16 bits",
            (0..size).map(|i| ((i as u16 / 2) >> (8 * (i as u16 & 1))) as u8).collect(),
        ),
        (
            "ramp of 32 bits",
            (0..size).map(|i| ((i as u32 / 4) >> (8 * (i as u32 & 3))) as u8).collect(),
        ),
        ("floats", (0..size).map(|i| (i as f32 / 8.0).sin().to_le_bytes()[i % 4]).collect()),
        ("picture", (0..size).map(picture).collect()),
        ("noisy picture", (0..size).map(|i| picture(i).saturating_add(random() & 7)).collect()),
        ("diagonal", (0..size).map(diagonal).collect()),
        ("text", (0..size).map(|i| words[i % words.len()]).collect()),
    ]
}

#[test]
fn what_has_no_header_is_not_taken_for_events() {
    let folder = tempfile::tempdir().unwrap();
    for size in [1, 5, 6, 8, 30, 40, 120, 256, 1000, 1024, 4096, 4100, 30_000, 65_536] {
        for (what, bytes) in others(size) {
            for extension in ["bin", "aedat", "dat", "raw", "es"] {
                let path = folder.path().join(format!("a.{extension}"));
                fs::write(&path, &bytes).unwrap();
                let found = Recording::open(&path, ReadOptions::new());
                assert!(
                    found.is_err(),
                    "{what}, {size} bytes, as {:?}",
                    found.unwrap().info().format
                );
            }
        }
    }
}

#[test]
fn files_of_others_that_were_taken_for_events_are_refused() {
    let shared = std::env::var_os("LIAF_SHARED")
        .map_or_else(|| crate::common::root().join("../shared"), Into::into);
    let folder = shared.join("field/cases/bin-false-positive");
    if !folder.exists() {
        eprintln!("skipped: no folder {}", folder.display());
        return;
    }
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "bin") {
            let error = Recording::open(&path, ReadOptions::new()).unwrap_err();
            assert!(error.to_string().contains("binary data"), "{error}");
            files += 1;
        }
    }
    assert!(files > 0);
}

/// A recording whose header is replaced by one that is not known: with the format and the offset of the
/// data, it reads as before, whole and in parts.
#[test]
fn an_unknown_header_is_skipped() {
    for (file, format, data) in [
        ("evt3/tiny.raw", "EVT 3.0", "% end\n"),
        ("evt2/tiny.raw", "EVT 2.0", "% end\n"),
        ("dat/tiny.dat", "DAT", ""),
        ("atis_bin/nmnist.bin", "ATIS bin", ""),
    ] {
        let path = fixtures().join("good").join(file);
        let mut known = Recording::open(&path, ReadOptions::new()).unwrap();
        let sensor = known.find_sensor().unwrap();
        let original = known.read_all().unwrap();
        let bytes = fs::read(&path).unwrap();
        let mut reader = known.reader().unwrap();
        while reader.pump(&mut liaf_data::EventBatch::new()).unwrap() {}
        let start = reader.report().bytes.header as usize;
        assert!(data.is_empty() || bytes[..start].ends_with(data.as_bytes()), "{file}");
        let format = Format::named(format).unwrap();
        for header in [0, 1, 100, 4097] {
            // The bytes before the data may say anything.
            let unknown = [&vec![0xee; header][..], &bytes[start..]].concat();
            let options = ReadOptions::new()
                .format(format)
                .data_offset(header as u64)
                .sensor(sensor.width, sensor.height);
            let mut recording = Recording::from_bytes(unknown.clone(), options).unwrap();
            let mut events = liaf_data::EventBatch::new();
            let mut reader = recording.reader().unwrap();
            reader.read_to_end(&mut events).unwrap();
            assert!(events == original, "{file} {header}");
            let account = reader.report().bytes;
            assert_eq!(
                (account.header, account.total()),
                (header as u64, unknown.len() as u64),
                "{file}"
            );
            assert_eq!(recording.index().unwrap().events, original.len() as u64);
            let middle = original.t()[original.len() / 2];
            let mut slice = liaf_data::EventBatch::new();
            recording.slice(middle..i64::MAX).unwrap().read_to_end(&mut slice).unwrap();
            let wanted = original.iter().filter(|event| event.t >= middle);
            assert!(slice.iter().eq(wanted), "{file} {header}");
        }
        let beyond = ReadOptions::new().format(format).data_offset(1 << 19);
        let error = Recording::from_bytes(bytes, beyond).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Caller, "{error}");
    }
    let csv = ReadOptions::new().format(Format::named("CSV").unwrap()).data_offset(5);
    let error = Recording::from_bytes(&b"t,x,y,p\n1,2,3,1\n"[..], csv).unwrap_err();
    assert!(error.kind() == ErrorKind::Caller && error.to_string().contains("CSV"), "{error}");
}
