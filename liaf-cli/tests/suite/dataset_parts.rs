//! Data sets in parts, each made by a process of its own, and in several files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::{fixture, liaf, printed, refused};
use tempfile::TempDir;

/// Two classes of recordings of several lengths.
fn recordings() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = ["good/aedat2/dvs128.aedat", "good/aedat3/dvs128.aedat", "good/evt3/tiny.raw"];
    for i in 0..10 {
        let class = folder.path().join("set").join(["box", "mug"][i % 2]);
        fs::create_dir_all(&class).unwrap();
        let from = fixture(files[i % 2]);
        let extension = Path::new(&from).extension().unwrap().to_str().unwrap().to_owned();
        fs::copy(from, class.join(format!("{i}.{extension}"))).unwrap();
    }
    folder
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// The files of a folder whose names begin so, in order.
fn named(folder: &TempDir, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let is = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(prefix);
    let mut found: Vec<_> = entries.filter(is).collect();
    found.sort();
    found
}

fn command(args: &[&str], env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_liaf"));
    command.args(args).envs(env.iter().copied()).stdin(Stdio::null());
    command
}

const EXTENSIONS: &[&str] =
    if cfg!(feature = "hdf5") { &["npz", "safetensors", "h5"] } else { &["npz", "safetensors"] };

#[test]
fn three_parts_of_three_processes_are_the_whole_bit_for_bit() {
    let folder = recordings();
    let set = text(&folder.path().join("set"));
    let options = |contents: &str| match contents {
        "sparse" => vec!["--sparse", "--sample", "60ms", "--window", "20ms", "--size", "8x8"],
        "events" => vec!["--repr", "events", "--sample", "60ms", "--window", "20ms"],
        // T is that of the longest recording, which only one of the parts has.
        _ => vec!["--window", "30ms", "--size", "8x8"],
    };
    let splits: [&[&str]; 2] = [&[], &["--split", "time:0.6"]];
    for extension in EXTENSIONS {
        for contents in ["frames", "sparse", "events"] {
            for split in splits {
                let path = |name: &str| text(&folder.path().join(format!("{name}.{extension}")));
                let (whole, parts, joined) = (path("whole"), path("parts"), path("joined"));
                let args = |out: &str| {
                    let first = ["dataset", "folder", &set, "-o", out].map(str::to_owned);
                    let more = options(contents).into_iter().chain(split.iter().copied());
                    first.into_iter().chain(more.map(str::to_owned)).collect::<Vec<_>>()
                };
                let say =
                    |args: &[String]| args.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
                let run = |args: &[String]| {
                    let args: Vec<&str> = args.iter().map(String::as_str).collect();
                    printed(liaf(&args))
                };
                run(&args(&whole));
                let mut children: Vec<_> = (0..3)
                    .map(|i| {
                        let mut args = args(&parts);
                        args.extend(["--part".to_owned(), "auto/3".to_owned(), "-q".to_owned()]);
                        let args: Vec<&str> = args.iter().map(String::as_str).collect();
                        let index = ["0", "1", "2"][i];
                        command(&args, &[("JOB_COMPLETION_INDEX", index)]).spawn().unwrap()
                    })
                    .collect();
                for child in &mut children {
                    assert!(child.wait().unwrap().success(), "{}", say(&args(&parts)));
                }
                let mut shards = named(&folder, "parts.");
                assert_eq!(shards.len(), if split.is_empty() { 3 } else { 6 }, "{shards:?}");
                shards.reverse();
                let shards: Vec<_> = shards.iter().map(|path| text(path)).collect();
                let mut merge: Vec<_> = ["dataset", "merge"].map(str::to_owned).to_vec();
                merge.extend(shards.clone());
                merge.extend(["-o".to_owned(), joined.clone()]);
                run(&merge);
                let (whole, joined) = (named(&folder, "whole."), named(&folder, "joined."));
                assert_eq!(whole.len(), joined.len());
                for (whole, joined) in whole.iter().zip(&joined) {
                    let same = fs::read(whole).unwrap() == fs::read(joined).unwrap();
                    assert!(same, "{} {}", joined.display(), say(&args("")));
                }
                // Again, it is complete; without a part, it is refused.
                run(&merge);
                let missing: Vec<&str> = ["dataset", "merge", &shards[0], "-o", "x.npz"].into();
                refused(&liaf(&missing), 2, &["shard 1 of 3 is missing"]);
                for path in whole.iter().chain(&joined).map(|path| text(path)).chain(shards) {
                    printed(liaf(&["dataset", "verify", &path]));
                    fs::remove_file(path).unwrap();
                }
            }
        }
    }
}

#[test]
fn a_split_without_samples_is_joined_as_it_is_made_at_once() {
    let folder = recordings();
    let set = text(&folder.path().join("set"));
    let path = |name: &str| text(&folder.path().join(name));
    // The last tenth of each recording is shorter than a sample.
    let rule = ["--window", "50ms", "--sample", "100ms", "--size", "4x4", "--split", "time:0.9"];
    let run = |out: &str, more: &[&str]| {
        printed(liaf(&[&["dataset", "folder", &set, "-o", out, "-q"], &rule[..], more].concat()))
    };
    run(&path("whole.npz"), &[]);
    run(&path("parts.npz"), &["--part", "1/2"]);
    run(&path("parts.npz"), &["--part", "2/2"]);
    let shards: Vec<_> = named(&folder, "parts.").iter().map(|path| text(path)).collect();
    assert_eq!(shards.len(), 4);
    let merge = |out: &str, more: &[&str]| {
        let shards = shards.iter().map(String::as_str);
        let args: Vec<_> = ["dataset", "merge", "-o", out].into_iter().chain(shards).collect();
        liaf(&[&args[..], more].concat())
    };
    let said = merge(&path("joined.npz"), &[]);
    let text_of = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(text_of.contains("joined.test.npz: complete, 0 samples"), "{text_of}");
    for split in ["train", "test"] {
        let [whole, joined] = ["whole", "joined"].map(|name| path(&format!("{name}.{split}.npz")));
        assert!(fs::read(whole).unwrap() == fs::read(&joined).unwrap(), "{split}");
        printed(liaf(&["dataset", "verify", &joined]));
    }
    printed(merge(&path("joined.npz"), &["--index"]));
    for split in ["train", "test"] {
        printed(liaf(&["dataset", "verify", &path(&format!("joined.{split}.json"))]));
    }
}

#[test]
fn shards_are_listed_and_every_fault_in_them_is_found() {
    let folder = recordings();
    let set = text(&folder.path().join("set"));
    let (whole, out) = (folder.path().join("whole.npz"), folder.path().join("out.npz"));
    let args = ["dataset", "folder", &set, "--sample", "60ms", "--window", "20ms", "--size", "8x8"];
    let run = |more: &[&str]| liaf(&[&args[..], more].concat());
    printed(run(&["-o", &text(&whole)]));
    printed(run(&["-o", &text(&out), "--shards", "4"]));
    let shards = named(&folder, "out.shard-");
    let names: Vec<_> =
        shards.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!((names.len(), names[3]), (4, "out.shard-4-of-4.npz"));
    let list = folder.path().join("out.json");
    let described: serde_json::Value = serde_json::from_slice(&fs::read(&list).unwrap()).unwrap();
    let rows = described["shards"].as_array().unwrap();
    let mut offset = 0;
    for (row, name) in rows.iter().zip(&names) {
        assert_eq!((&row["file"], &row["offset"]), (&(*name).into(), &offset.into()));
        offset += row["samples"].as_u64().unwrap();
    }
    assert_eq!(described["samples"], offset);
    let again = run(&["-o", &text(&out), "--shards", "4"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("is complete already"));
    refused(&run(&["-o", &text(&out), "--shards", "3"]), 2, &["out.json", "exists already"]);
    let joined = text(&folder.path().join("joined.npz"));
    printed(liaf(&["dataset", "merge", &text(&list), "-o", &joined]));
    assert!(fs::read(&joined).unwrap() == fs::read(&whole).unwrap());
    // Of at most 4,000 bytes each: a sample has 3 x 2 x 8 x 8.
    printed(run(&["-o", &text(&folder.path().join("sized.npz")), "--shards", "4kB"]));
    assert_eq!(named(&folder, "sized.shard-").len() as u64, offset.div_ceil(4_000 / 384));

    let verify = |path: &Path| liaf(&["dataset", "verify", &text(path)]);
    printed(verify(&list));
    let good = fs::read(&shards[1]).unwrap();
    for (what, bytes) in [
        ("one byte", {
            let mut bytes = good.clone();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            bytes
        }),
        ("its end", good[..good.len() - 1].to_vec()),
        ("another shard", fs::read(&shards[2]).unwrap()),
    ] {
        fs::write(&shards[1], bytes).unwrap();
        refused(&verify(&list), 1, &["out.shard-2-of-4.npz"]);
        let failed = verify(&shards[1]);
        assert_eq!(failed.status.code(), Some(i32::from(what != "another shard")), "{what}");
    }
    fs::remove_file(&shards[1]).unwrap();
    refused(&verify(&list), 1, &["out.shard-2-of-4.npz"]);
    fs::write(&shards[1], &good).unwrap();
    let text = fs::read_to_string(&list).unwrap();
    for (from, to, says) in [
        ("\"offset\": 0", "\"offset\": 1", "the offset of out.shard-1-of-4.npz is 1, not 0"),
        ("\"liaf_shards\": 1", "\"liaf_shards\": 2", "another version"),
        ("out.shard-3", "../out.shard-3", "no name of a file"),
        ("\"failed\": 0", "\"failed\": 3", "does not agree with its shards"),
        ("{", "", "no list of shards"),
    ] {
        fs::write(&list, text.replacen(from, to, 1)).unwrap();
        refused(&verify(&list), 1, &["out.json", says]);
    }
}

#[test]
fn parts_are_indexed_where_they_are() {
    let folder = recordings();
    let set = text(&folder.path().join("set"));
    let out = text(&folder.path().join("out.npz"));
    let args = ["dataset", "folder", &set, "-o", &out, "--bins", "3", "--size", "8x8", "-q"];
    // More parts than recordings: some are empty.
    for part in ["1/12", "2/12", "3/12", "4/12", "5/12", "6/12", "7/12", "8/12", "9/12", "10/12"] {
        printed(liaf(&[&args[..], &["--part", part]].concat()));
    }
    let parts = |folder: &TempDir| -> Vec<String> {
        named(folder, "out.part-").iter().map(|path| text(path)).collect()
    };
    let index = |folder: &TempDir, out: &str| {
        let files = parts(folder);
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        liaf(&[&["dataset", "merge"], &files[..], &["-o", out, "--index"]].concat())
    };
    refused(&index(&folder, &out), 2, &["shard 11 of 12 is missing"]);
    for part in ["11/12", "12/12"] {
        printed(liaf(&[&args[..], &["--part", part]].concat()));
    }
    refused(&index(&folder, "elsewhere.npz"), 2, &["must be in their folder"]);
    printed(index(&folder, &out));
    let all = parts(&folder);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let onto_one = [&["dataset", "merge"], &all[..], &["-o", all[0], "--force"]].concat();
    refused(&liaf(&onto_one), 2, &["one of the files to join"]);
    let list = text(&folder.path().join("out.json"));
    printed(liaf(&["dataset", "verify", &list]));
    assert!(!Path::new(&out).exists());
    let other = text(&folder.path().join("other.npz"));
    printed(liaf(&["dataset", "folder", &set, "-o", &other, "--bins", "2", "--part", "1/12"]));
    fs::rename(folder.path().join("other.part-01-of-12.npz"), &parts(&folder)[0]).unwrap();
    refused(&index(&folder, &out), 2, &["another data set, or was made in another way"]);
}

#[test]
fn parts_are_stated_in_full() {
    let folder = recordings();
    let set = text(&folder.path().join("set"));
    let run = |part: &str, env: &[(&str, &str)]| {
        let args = ["dataset", "folder", &set, "-o", "x.npz", "--part", part];
        command(&args, env).output().unwrap()
    };
    refused(&run("4/3", &[]), 2, &["there is no such part"]);
    refused(&run("auto", &[]), 2, &["none of SLURM_ARRAY_TASK_ID"]);
    refused(&run("auto", &[("HQ_TASK_ID", "1")]), 2, &["auto/N"]);
    refused(&run("auto/2", &[("HQ_TASK_ID", "2")]), 2, &["only 2 parts"]);
    let both = ["dataset", "folder", &set, "-o", "x.npz", "--part", "1/2", "--shards", "2"];
    refused(&liaf(&both), 2, &["cannot be used with"]);
    refused(&liaf(&["dataset", "merge", "-o", "x.npz"]), 2, &["<FILE>"]);
    refused(&liaf(&["dataset", "verify", &set]), 1, &["set"]);
    for command in ["merge", "verify"] {
        assert!(printed(liaf(&["dataset", command, "-h"])).contains("<FILE>"), "{command}");
    }
    assert!(!Path::new("x.npz.parts").exists() && !Path::new("x.part-1-of-2.npz.parts").exists());
}
