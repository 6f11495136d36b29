//! Folders as inputs: what is in them is converted, fails by its name, or is counted as no recording.

use super::simulate::npy;
use super::*;

/// Files of the bundled recordings that are surely no recordings of events.
const NO_RECORDINGS: &[&str] = &[
    "bad/csv/labels.csv",
    "bad/hdf5/frames.hdf5",
    "bad/numpy/frames.npy",
    "bad/numpy/one_column.npy",
    "bad/numpy/other_names.npy",
    "bad/numpy/frames.npz",
];
/// Extensions of which most files are not recordings.
const IN_COMMON_USE: &[&str] = &["csv", "txt", "npy", "npz", "mat", "h5", "hdf5"];

fn put(liaf: &Liaf, name: &str, bytes: &[u8]) {
    let path = liaf.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The names of the files that `info --json` of a folder passes over and that fail.
fn sorted_out(liaf: &Liaf, folder: &str) -> (Vec<String>, Vec<String>) {
    let lines = liaf.run(&["info", "--json", folder]).json();
    let names = |key: &str| {
        let has_key = lines.iter().filter(|line| line.get(key).is_some());
        let names = has_key.map(|line| {
            Path::new(line["path"].as_str().unwrap()).file_name().unwrap().display().to_string()
        });
        names.collect()
    };
    (names("passed_over"), names("error"))
}

#[test]
fn recordings_that_cannot_be_read_are_never_passed_over() {
    let liaf = Liaf::new();
    let (mut passed, mut failing, mut number) = (Vec::new(), Vec::new(), 0);
    for row in tables::rows(&fixtures(), "bad") {
        let file = row["file"].as_str().unwrap();
        let extension = file.rsplit('.').next().unwrap();
        if row["outcome"].as_str() != Some("error") || !IN_COMMON_USE.contains(&extension) {
            continue;
        }
        if cfg!(not(all(feature = "hdf5", feature = "zip"))) && extension != "csv" {
            continue;
        }
        number += 1;
        // One name serves several formats.
        let name = format!("{number:03}.{extension}");
        put(&liaf, &format!("in/{name}"), &fs::read(fixtures().join(file)).unwrap());
        match NO_RECORDINGS.contains(&file) {
            true => passed.push(name),
            false => failing.push(name),
        }
    }
    assert!(failing.len() > 1 && !passed.is_empty());
    let found = sorted_out(&liaf, "in");
    assert_eq!(found.0, passed);
    // Others open and turn out to be damaged only when they are read.
    for name in &failing {
        let read = Value::from(format!("in/{name}"));
        let is_said = found.1.contains(name)
            || liaf.run(&["info", "--json", "in"]).json().iter().any(|line| line["path"] == read);
        assert!(is_said, "{name} vanished");
    }
}

/// The neighbours that recordings of well-known data sets have.
#[test]
fn what_data_sets_have_beside_recordings_is_passed_over_and_counted() {
    let liaf = Liaf::new();
    put(&liaf, "in/events.txt", b"0.001 3 4 1\n0.002 5 6 0\n0.003 7 8 1\n");
    for (name, text) in [
        ("images.txt", "0.001 images/frame_0.png\n0.033 images/frame_1.png\n"),
        ("imu.txt", "0.001 0.1 0.2 9.8 0.01 0.02 0.03\n0.002 0.1 0.2 9.8 0.01 0.02 0.03\n"),
        (
            "groundtruth.txt",
            "0.001 0.1 0.2 0.3 0.5 0.5 0.5 0.5\n0.002 0.1 0.2 0.3 0.5 0.5 0.5 0.5\n",
        ),
        ("calib.txt", "199.0 198.8 132.1 110.7 -0.36 0.15 -0.0003 -0.002 0.0\n"),
        ("labels.csv", "class,startTime_usec,endTime_usec\n1,2,3\n"),
        ("imu.csv", "t,ax,ay,az,gx,gy,gz,temperature\n1,2,3,4,5,6,7,8\n"),
        ("README", "Recorded on a rainy day.\n"),
        ("notes.txt", "Recorded on a rainy day.\nWith an umbrella.\n"),
        ("calibration.yaml", "camera: [1, 2, 3]\n"),
        ("meta.json", "{\"width\": 346}\n"),
        ("run.py", "print(1, 2, 3)\n"),
        ("poses.tum", "1 2 3 4 5 6 7 8\n"),
    ] {
        put(&liaf, &format!("in/{name}"), text.as_bytes());
    }
    put(&liaf, "in/picture.png", b"\x89PNG\r\n\x1a\n and more");
    put(&liaf, "in/picture.bin", b"\x89PNG\r\n\x1a\n and more");
    put(&liaf, "in/film.mp4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\x01\x02\x03");
    let done = liaf.run(&["convert", "in", "-o", "out", "--to", "npz"]).ends(0);
    done.says(&["15 files are no recordings and were passed over (-v names them)"]);
    assert!(liaf.path("out/events.npz").exists());
    let passed = liaf.files().into_iter().filter(|name| name.starts_with("in/")).count() - 1;
    let done = liaf.run(&["convert", "in", "-o", "b", "--to", "npz", "-v"]).ends(0);
    assert_eq!(done.err().matches(": passed over: ").count(), passed, "{}", done.err());
    let done = liaf.run(&["convert", "in", "-o", "c", "--to", "npz", "--json"]).ends(0);
    let lines = done.json();
    assert_eq!(lines.iter().filter(|line| line["passed_over"].is_string()).count(), passed);
    assert_eq!(lines.len(), passed + 1);
    let done = liaf.run(&["info", "in"]).ends(0);
    done.says(&["15 files are no recordings and were passed over"]);
    let done = liaf.run(&["info", "in", "--verbose"]).ends(0);
    done.says(&["in/labels.csv: passed over: no column has a name for t"]);
    // Named one by one they are errors, as before.
    liaf.run(&["convert", "in/imu.txt", "-o", "d.npz"]).ends(1);
    let quiet = liaf.run(&["convert", "in", "-o", "e", "--to", "npz", "-q"]).ends(0);
    assert!(!quiet.err().contains("passed over"), "{}", quiet.err());
}

#[test]
fn recordings_that_are_not_read_fail_by_their_names() {
    let liaf = Liaf::new();
    put(&liaf, "in/good.aedat", &fs::read(fixture("good/aedat2/dvs128.aedat")).unwrap());
    let failing: [(&str, &[u8]); 9] = [
        ("a.bag", b"#ROSBAG V2.0\nand more"),
        ("b.bag", b"\0\0\0\0"),
        ("c.db3", b"SQLite format 3\0"),
        ("d.aedat.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03"),
        ("e.mcap", b"\x89MCAP0\r\n"),
        ("f.csv", b""),
        ("g.raw", b"% evt 9.0\n% end\n"),
        ("h.aedat4", b"This is a letter.\n"),
        ("v2e.txt", b"#!events.txt\n# made by a tool\n0.1 2 3 1 9\n"),
    ];
    for (name, bytes) in failing {
        put(&liaf, &format!("in/{name}"), bytes);
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere.raw", liaf.path("in/link.raw")).unwrap();
    let done = liaf.run(&["convert", "in", "-o", "out", "--to", "npz"]).ends(1);
    for (name, _) in failing {
        assert!(done.err().contains(&format!("in/{name}: ")), "{name} is not in:\n{}", done.err());
    }
    #[cfg(unix)]
    let done = done.says(&["in/link.raw: ", "10 of 11 files failed"]);
    assert!(!done.err().contains("passed over"), "{}", done.err());
    assert!(liaf.path("out/good.npz").exists());
    liaf.run(&["info", "in"]).ends(1);
}

#[test]
fn one_missing_input_does_not_keep_the_others() {
    let liaf = Liaf::new();
    fs::create_dir(liaf.path("empty")).unwrap();
    let good = fixture("good/evt3/tiny.raw");
    let args = ["convert", "gone.raw", &good, "*.none", "empty", "-o", "out", "--to", "npz"];
    let done = liaf.run(&args).ends(1);
    done.says(&[
        "gone.raw: no such file",
        "*.none: no file matches",
        "empty: no recordings in this folder",
        "3 of 4 files failed",
    ]);
    assert_eq!(liaf.files(), ["out/tiny.npz"]);
    let done = liaf.run(&[&args[..], &["--json", "--force"]].concat()).ends(1);
    let failed = done.json().into_iter().filter(|line| line.get("error").is_some());
    assert_eq!(
        failed.map(|line| line["input"].clone()).collect::<Vec<_>>(),
        ["gone.raw", "*.none", "empty"]
    );
    let done = liaf.run(&["info", "gone.raw", &good, "--json"]).ends(1);
    assert_eq!(done.json()[0]["error"]["kind"], "system");
    assert_eq!(done.json()[1]["format"], "EVT 3.0");
}

/// A folder with nothing but other files is an error, as an empty one is.
#[test]
fn a_folder_without_recordings_is_an_error() {
    let liaf = Liaf::new();
    put(&liaf, "in/notes.txt", b"nothing here\n");
    for args in [&["info", "in"][..], &["convert", "in", "-o", "out"]] {
        liaf.run(args).ends(1).says(&["no recordings in this folder", "1 file is no recording"]);
    }
    assert_eq!(liaf.files(), ["in/notes.txt"]);
}

/// Cases from reports of users, which are not bundled.
#[test]
fn a_folder_of_the_field_keeps_nothing_back() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = std::env::var_os("LIAF_SHARED").map_or(root, PathBuf::from);
    let folder = shared.join("field/cases/folder-silent-skips/recordings");
    if !folder.is_dir() || cfg!(not(all(feature = "hdf5", feature = "zip"))) {
        eprintln!("skipped: no {}", folder.display());
        return;
    }
    let liaf = Liaf::new();
    let done = liaf.run(&["convert", folder.to_str().unwrap(), "-o", "out", "--to", "npz"]).ends(1);
    for name in ["cut_copy.h5", "cut_copy.npz", "empty.csv"] {
        assert!(done.err().contains(name), "{name} is not in:\n{}", done.err());
    }
    assert!(!done.err().contains("passed over") && liaf.path("out/ok.npz").exists());
}

#[test]
fn a_recording_of_several_files_is_named_with_or_without_its_folder() {
    let liaf = Liaf::new();
    let columns: [(&str, u8); 4] =
        [("e_t.npy", 100), ("e_x.npy", 9), ("e_y.npy", 7), ("e_p.npy", 2)];
    for (name, most) in columns {
        let column: Vec<u8> = (0..100).map(|i| i % most).collect();
        npy(&liaf.path(name), "(100,)", &column);
    }
    for name in ["e_t.npy", "./e_t.npy", "."] {
        let lines = liaf.run(&["info", "--json", name]).ends(0).json();
        assert_eq!((lines.len(), &lines[0]["events"]), (1, &100.into()), "{name}");
    }
    liaf.run(&["info", "e_x.npy"]).ends(1).says(&["name the file of the times, e_t.npy"]);
}
