//! Packed recordings and recordings in pieces.

use super::*;

#[test]
fn packed_recordings_are_converted_as_others() {
    let liaf = Liaf::new();
    let (packed, plain) = (fixture("packed/dv.aedat4.zst"), fixture(LZ4));
    let common = ["--window", "10ms", "--to", "npy"];
    liaf.run(&[&["convert", &packed, "-o", "packed/"], &common[..]].concat()).ends(0);
    liaf.run(&[&["convert", &plain, "-o", "plain/"], &common[..]].concat()).ends(0);
    // The output has the name of the recording, without both extensions.
    assert_eq!(liaf.files(), ["packed/dv.npy", "plain/dv_lz4.npy"]);
    assert_eq!(liaf.bytes("packed/dv.npy"), liaf.bytes("plain/dv_lz4.npy"));
    let part = ["--from", "20ms", "--to", "40ms"];
    liaf.run(&[&["convert", &packed, "-o", "a.csv"], &part[..]].concat()).ends(0);
    liaf.run(&[&["convert", &plain, "-o", "b.csv"], &part[..]].concat()).ends(0);
    assert_eq!(liaf.bytes("a.csv"), liaf.bytes("b.csv"));
    let info = liaf.run(&["info", &packed]).ends(0);
    assert!(
        info.out().contains("AEDAT 4.0, packed") && info.out().contains("ZSTD"),
        "{}",
        info.out()
    );
    let damaged = fixture("packed/truncated.csv.gz");
    liaf.run(&["convert", &damaged, "-o", "c.npy"]).ends(0).says(&["the gzip data is truncated"]);
    liaf.run(&["convert", &damaged, "-o", "d.npy", "--strict"])
        .ends(1)
        .says(&["the gzip data is truncated at byte"]);
    assert!(!liaf.path("d.npy").exists());
    let bytes = fs::read(fixture("packed/tiny.raw.xz")).unwrap();
    let piped = liaf.run_on(&bytes, &["info", "-", "--json"]).ends(0).json();
    assert_eq!(piped[0]["format"], "EVT 3.0");
}

#[test]
fn packed_recordings_of_a_folder_are_found() {
    let liaf = Liaf::new();
    for name in ["tiny.raw.gz", "events.zip", "several.zip", "nothing.csv.gz"] {
        fs::copy(fixture(&format!("packed/{name}")), liaf.path(name)).unwrap();
    }
    let lines = liaf.run(&["info", ".", "--json"]).json();
    let formats: Vec<_> = lines.iter().filter_map(|line| line["format"].as_str()).collect();
    assert_eq!(formats, ["CSV", "EVT 3.0"]);
}

#[test]
fn pieces_are_joined_in_order_of_time() {
    let liaf = Liaf::new();
    let text = fs::read_to_string(fixture("good/csv/tiny.csv")).unwrap();
    let mut lines = text.lines();
    let first = lines.next().unwrap();
    let lines: Vec<_> = lines.collect();
    let names: Vec<_> = (0..12).map(|number| format!("image_{number}.csv")).collect();
    let size = lines.len().div_ceil(names.len());
    for (name, piece) in names.iter().zip(lines.chunks(size)) {
        fs::write(liaf.path(name), format!("{first}\n{}\n", piece.join("\n"))).unwrap();
    }
    let whole = fixture("good/csv/tiny.csv");
    liaf.run(&["convert", &whole, "-o", "whole.npy", "--window", "5ms"]).ends(0);
    liaf.run(&["convert", "image_*.csv", "--join", "-o", "joined.npy", "--window", "5ms"]).ends(0);
    assert_eq!(liaf.bytes("joined.npy"), liaf.bytes("whole.npy"));
    let apart = liaf.run(&["info", "image_*.csv", "--json"]).ends(0).json();
    let joined = liaf.run(&["info", "image_*.csv", "--join", "--json"]).ends(0).json();
    let whole = liaf.run(&["info", &whole, "--json"]).ends(0).json();
    assert_eq!((apart.len(), joined.len()), (12, 1));
    for key in ["events", "on", "t_first", "t_last", "x_min", "y_max"] {
        assert_eq!(joined[0][key], whole[0][key], "{key}");
    }
    assert_eq!(joined[0]["details"]["pieces"], "12");
    // An output must be none of the pieces.
    liaf.run(&["convert", "image_*.csv", "--join", "-o", "image_3.csv"])
        .ends(2)
        .says(&["the same file as the input image_3.csv"]);
    fs::copy(liaf.path("image_3.csv"), liaf.path("image_90.csv")).unwrap();
    liaf.run(&["convert", "image_*.csv", "--join", "-o", "no.npy"])
        .ends(1)
        .says(&["the pieces overlap in time"]);
    assert!(!liaf.path("no.npy").exists());
}
