//! `liaf simulate` as a user meets it.

use std::fs;
use std::path::Path;

use crate::common::{liaf, printed, refused};

/// An array of NumPy of these sides and bytes, version 1.
pub fn npy(path: &Path, shape: &str, bytes: &[u8]) {
    let mut text = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}");
    text += &" ".repeat(63 - (10 + text.len()) % 64);
    text.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend(u16::try_from(text.len()).unwrap().to_le_bytes());
    file.extend(text.bytes());
    file.extend(bytes);
    fs::write(path, file).unwrap();
}

/// A folder with `a.npy`, a picture of 16x16, and `four.npy`, four of them.
fn pictures() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let light = |k: usize| -> Vec<u8> {
        (0..256).map(|i| if (i / 4 + i / 64 + k).is_multiple_of(2) { 40 } else { 200 }).collect()
    };
    npy(&folder.path().join("a.npy"), "(16, 16)", &light(0));
    npy(
        &folder.path().join("four.npy"),
        "(4, 16, 16)",
        &(0..4).flat_map(light).collect::<Vec<_>>(),
    );
    folder
}

fn in_folder(folder: &tempfile::TempDir, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

#[test]
fn a_picture_becomes_the_same_recording_on_any_number_of_threads() {
    let folder = pictures();
    let input = in_folder(&folder, "a.npy");
    let mut files = Vec::new();
    for threads in ["1", "2"] {
        let output = in_folder(&folder, &format!("{threads}.aedat4"));
        let options =
            ["--sensor", "48x32", "--noise", "5", "--leak", "1", "--seed", "3", "-j", threads];
        let run = liaf(&[&["simulate", &input, "-o", &output], &options[..]].concat());
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        printed(run);
        assert!(said.contains("events of 300.000 ms on 48x32"), "{said}");
        files.push(fs::read(output).unwrap());
    }
    assert!(files[0] == files[1], "the files differ");
    let output = in_folder(&folder, "1.aedat4");
    let info = printed(liaf(&["info", "--json", &output]));
    let info: serde_json::Value = serde_json::from_str(&info).unwrap();
    assert!(info.to_string().contains("[48,32]"), "{info}");
}

#[test]
fn events_go_to_standard_output_and_follow_the_motions() {
    let folder = pictures();
    let input = in_folder(&folder, "a.npy");
    let moved =
        ["--motion", "still:for=50ms", "--motion", "translation:x=100", "--duration", "40ms"];
    let run = [&["simulate", &input, "-o", "-", "--to", "csv", "-q"][..], &moved].concat();
    let table = printed(liaf(&run));
    let times: Vec<i64> =
        table.lines().filter_map(|line| line.split(',').next()?.trim().parse().ok()).collect();
    assert!(times.len() > 100 && times.is_sorted(), "{}", times.len());
    assert!(times[0] >= 50_000 && times[times.len() - 1] <= 90_000, "{times:?}");
}

#[test]
fn a_sequence_and_a_single_picture_of_it_are_chosen_by_options() {
    let folder = pictures();
    let input = in_folder(&folder, "four.npy");
    let output = in_folder(&folder, "a.csv");
    let run = |more: &[&str]| {
        let words = [&["simulate", &input, "-o", &output, "--force"][..], more].concat();
        liaf(&words)
    };
    refused(&run(&[]), 2, &["there are 4 pictures", "--fps", "--image"]);
    refused(&run(&["--image", "4"]), 2, &["--image 4"]);
    for (more, said) in [(["--fps", "100"], "30.000 ms on 16x16"), (["--image", "3"], "300.000 ms")]
    {
        let output = run(&more);
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && err.contains(said), "{err}");
    }
}

#[test]
fn a_set_becomes_a_folder_that_the_command_dataset_converts() {
    let folder = tempfile::tempdir().unwrap();
    let (set, frames) = (in_folder(&folder, "set"), in_folder(&folder, "set.npz"));
    let run = ["simulate", "--set", "directions", "--per-class", "2", "--seed", "4", "-o", &set];
    printed(liaf(&run));
    assert!(folder.path().join("set/turn/turn_0001.aedat4").is_file());
    refused(&liaf(&run), 2, &["right_0000", "exists"]);
    printed(liaf(&[&run[..], &["--force"]].concat()));
    let converted = liaf(&["dataset", "folder", &set, "-o", &frames, "--window", "10ms"]);
    let said = String::from_utf8_lossy(&converted.stderr).into_owned();
    printed(converted);
    assert!(said.contains("10 recordings") && said.contains("5 classes"), "{said}");
}

#[test]
fn digits_of_a_table_move_as_in_mnist_dvs() {
    let folder = tempfile::tempdir().unwrap();
    let row = |digit: usize| {
        let pixels = (0..64).map(|i| if (i + digit).is_multiple_of(3) { "16," } else { "0," });
        pixels.collect::<String>() + &digit.to_string()
    };
    let table = (0..10).map(row).collect::<Vec<_>>().join("\n");
    fs::write(folder.path().join("digits.csv"), table).unwrap();
    let (data, set) = (in_folder(&folder, "digits.csv"), in_folder(&folder, "set"));
    let options = ["--data", &data, "--digit-scale", "4", "--sensor", "32x32", "--to", "aedat2"];
    let run = [&["simulate", "--set", "mnist-dvs", "-o", &set][..], &options].concat();
    printed(liaf(&run));
    assert!(folder.path().join("set/7/7_0000.aedat").is_file());
}

#[test]
fn mistakes_are_found_before_any_work_and_leave_nothing() {
    let folder = pictures();
    let input = in_folder(&folder, "a.npy");
    let before = fs::read_dir(folder.path()).unwrap().count();
    let (events, tensors) = (in_folder(&folder, "a.aedat4"), in_folder(&folder, "a.npz"));
    let plain = in_folder(&folder, "set");
    for (words, says) in [
        (vec![&*input, "-o", &tensors], "npz is no kind of event file"),
        (vec![&input, "-o", &plain], "the output is a file"),
        (vec![&input, "-o", &events, "--to", "dance"], "no such kind"),
        (vec![&input, "-o", &events, "--to", "csv"], "contradict"),
        (vec![&input, "-o", "-"], "--to csv"),
        (vec![&input, "-o", &events, "--pos-thres", "0"], "threshold of ON events"),
        (vec![&input, "-o", &events, "--noise", "-1"], "noise"),
        (vec![&input, "-o", &events, "--motion", "jump"], "unknown motion"),
        (vec![&input, "-o", &events, "--motion", "zoom:factor=0"], "motion"),
        (vec![&input, "-o", &events, "--scale", "0"], "scale"),
        (vec![&input, "-o", &events, "--surround", "2"], "light around"),
        (vec![&input, "-o", &events, "--duration", "1s"], "--motion"),
        (vec!["--set", "dance", "-o", &plain], "directions"),
        (vec!["--set", "mnist-dvs", "-o", &plain], "--data"),
        (vec!["--set", "shapes", "-o", &events], "folder"),
        (vec!["--set", "shapes", "-o", &plain, "--fps", "3"], "--fps"),
        (vec!["-o", &events], "INPUT"),
    ] {
        let output = liaf(&[&["simulate"], words.as_slice()].concat());
        refused(&output, 2, &[says]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), before, "{words:?}");
    }
    let missing = in_folder(&folder, "none.png");
    refused(&liaf(&["simulate", &missing, "-o", &events]), 1, &["none.png"]);
    fs::write(&events, "mine").unwrap();
    refused(&liaf(&["simulate", &input, "-o", &events]), 2, &["exists"]);
    assert_eq!(fs::read_to_string(&events).unwrap(), "mine");
}
