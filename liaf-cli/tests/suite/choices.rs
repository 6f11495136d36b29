//! What a file leaves open is asked, and said by an option.

use std::fs;
use std::path::Path;

use crate::common::{fixture, liaf, printed, refused};
use serde_json::Value;

fn info(args: &[&str], file: &str) -> Value {
    let args = [&["info", "--json", "--fingerprint"], args, &[file]].concat();
    serde_json::from_str(&printed(liaf(&args))).unwrap()
}

/// The header of a recording without what it says of the order of its words.
fn without_order(bytes: &[u8]) -> Vec<u8> {
    let end = bytes.windows(6).position(|bytes| bytes == b"% end\n").unwrap();
    let header = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let header = header.replace(";endianness=legacy", "");
    let kept = header.lines().filter(|line| !line.contains("endianness"));
    let kept: String = kept.map(|line| format!("{line}\n")).collect();
    [kept.as_bytes(), &bytes[end..]].concat()
}

#[test]
fn the_order_of_the_words_of_evt21_can_be_stated() {
    let folder = tempfile::tempdir().unwrap();
    let legacy = folder.path().join("legacy.raw").display().to_string();
    let from = fixture("good/evt21/little.raw");
    printed(liaf(&["convert", &from, "-o", &legacy, "--to", "evt21-legacy"]));
    let truth = info(&[], &from);
    let silent = folder.path().join("silent.raw").display().to_string();
    fs::write(&silent, without_order(&fs::read(&legacy).unwrap())).unwrap();
    assert_ne!(info(&[], &silent)["xxh64"], truth["xxh64"]);
    for (file, order) in
        [(&silent, "legacy"), (&legacy, "auto"), (&from, "auto"), (&from, "little")]
    {
        let found = info(&["--evt21-order", order], file);
        assert_eq!(found["xxh64"], truth["xxh64"], "{file} {order}");
        assert_eq!(found["events"], truth["events"], "{file} {order}");
    }
    // It wins over what the header says, even where that is not known.
    let text = fs::read(&legacy).unwrap();
    let end = text.windows(6).position(|bytes| bytes == b"% end\n").unwrap();
    let header = String::from_utf8_lossy(&text[..end]).replace("=legacy", "=middle");
    let odd = folder.path().join("odd.raw").display().to_string();
    fs::write(&odd, [header.as_bytes(), &text[end..]].concat()).unwrap();
    refused(&liaf(&["info", &odd]), 1, &["middle", "--evt21-order"]);
    assert_eq!(info(&["--evt21-order", "legacy"], &odd)["xxh64"], truth["xxh64"]);
}

/// Recordings of several event streams, and the streams as they are listed.
const SEVERAL: &[(&str, &str)] = &[
    ("good/aedat4/dv_stereo_zstd.aedat4", "0 (events), 1 (events)"),
    ("good/aedat3/stereo.aedat", "1 (source 1), 4 (source 4)"),
    #[cfg(feature = "hdf5")]
    ("good/hdf5/m3ed_stereo.h5", "0 (left), 1 (right)"),
    #[cfg(feature = "hdf5")]
    ("good/hdf5/mvsec.hdf5", "0 (left), 1 (right)"),
];

#[test]
fn several_event_streams_are_listed_and_not_mixed() {
    let folder = tempfile::tempdir().unwrap();
    for (file, listed) in SEVERAL {
        let file = fixture(file);
        let found = info(&[], &file);
        let streams = found["event_streams"].as_array().unwrap();
        assert!(streams.len() == 2 && streams.iter().all(|one| one["events"].as_u64() > Some(0)));
        for name in ["a.aedat4", "a.npz", "a.csv"] {
            let output = folder.path().join(name).display().to_string();
            let sensor = ["--sensor", "2000x2000"];
            for sensor in [&[][..], &sensor] {
                let args = [&["convert", &*file, "-o", &*output], sensor].concat();
                refused(&liaf(&args), 1, &["several event streams", listed, "--stream"]);
                assert!(!Path::new(&output).exists());
            }
        }
        let id = streams[1]["stream"].to_string();
        let output = folder.path().join("b.csv").display().to_string();
        printed(liaf(&["convert", &file, "-o", &output, "--stream", &id, "--force"]));
        let written = info(&[], &output);
        assert_eq!(written["events"], streams[1]["events"], "{file}");
        assert_eq!(written["xxh64"], streams[1]["xxh64"], "{file}");
        refused(&liaf(&["info", &file, "--stream", "77"]), 1, &["stream 77", listed]);
    }
}

#[test]
fn a_matlab_file_without_its_hdf5_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mat");
    fs::write(&path, b"MATLAB 7.3 MAT-file, Platform: GLNXA64").unwrap();
    let says = if cfg!(feature = "hdf5") { "truncated or damaged" } else { "feature `hdf5`" };
    refused(&liaf(&["info", &path.display().to_string()]), 1, &["MATLAB 7.3 file", says]);
}
