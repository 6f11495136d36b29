//! Every event of a data set is counted where it went: in the samples, filtered, or in no sample.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::fmt::Write;

use liaf_data::dataset::{Build, Built, Contents, SampleRule, SplitRule};
use liaf_data::frames::{Dtype, FrameOptions, WindowRule};
use liaf_data::tensor::TensorFile;
use liaf_data::{Limits, Polarity};
use tempfile::TempDir;

use crate::dataset::{folder, list, run};

/// The times of `n` events, one each 10 µs, in a file of text.
fn text(n: i64, time: impl Fn(i64) -> i64) -> String {
    let mut text = String::from("text:t,x,y,p\n");
    for i in 0..n {
        writeln!(text, "{},{},{},{}", time(i), i % 8, i / 8 % 8, i % 2).unwrap();
    }
    text
}

fn build(folder: &TempDir, rule: SampleRule, contents: Contents) -> Build {
    Build {
        frames: FrameOptions::window_ms(1).dtype(Dtype::U16),
        samples: rule,
        contents,
        ..Build::new("folder", folder.path().join("out.safetensors")).unwrap()
    }
}

/// Number of events in the files of a build.
fn in_files(built: &Built, contents: Contents) -> u64 {
    let of = |(path, ..): &(std::path::PathBuf, u64, u64)| {
        let file = TensorFile::open(path, &Limits::default()).unwrap();
        match contents {
            Contents::Events => file.get("t").unwrap().shape()[0] as u64,
            _ => {
                let name = if contents == Contents::Sparse { "count" } else { "frames" };
                let cells = file.get(name).unwrap().to_vec::<u16>().unwrap();
                cells.into_iter().map(u64::from).sum()
            }
        }
    };
    built.files.iter().map(of).sum()
}

#[test]
fn the_counts_are_those_of_the_files() {
    let events = text(1_270, |i| 10 * i);
    let folder = folder(&[("a_1.csv", &*events), ("a_2.csv", &*events)]);
    let listing = list("folder", &folder).unwrap();
    let whole = |steps| SampleRule::Whole { steps };
    let cut = |keep_partial| SampleRule::Cut { steps: 5, keep_partial };
    let all = [Contents::Frames, Contents::Sparse, Contents::Events];
    for (rule, kept) in [
        (whole(None), 1_270),
        (whole(Some(3)), 300),
        (whole(Some(50)), 1_270),
        (SampleRule::Bins { steps: 4 }, 1_270),
        (cut(false), 1_000),
        (cut(true), 1_270),
    ] {
        for contents in all {
            if (contents, rule) == (Contents::Events, SampleRule::Bins { steps: 4 }) {
                continue;
            }
            for split in [SplitRule::None, "time:0.5".parse().unwrap()] {
                let mut build = build(&folder, rule, contents);
                (build.split, build.tensor.overwrite) = (split, true);
                let built = run(&build, &listing).unwrap();
                let counts = built.events;
                let said = format!("{rule:?} {contents:?} {split}: {counts:?}");
                assert_eq!(in_files(&built, contents), counts.kept, "{said}");
                if split == SplitRule::None {
                    assert_eq!(counts.kept, 2 * kept, "{said}");
                    assert_eq!(counts.left_out, 0, "{said}");
                    assert_eq!(counts.in_no_sample, 2 * (1_270 - kept), "{said}");
                }
            }
        }
    }
}

#[test]
fn what_is_filtered_is_in_samples_or_not_and_counted_once() {
    let events = text(1_000, |i| 10 * i);
    let folder = folder(&[("a_1.csv", &*events)]);
    let listing = list("folder", &folder).unwrap();
    for contents in [Contents::Frames, Contents::Events] {
        let mut build = build(&folder, SampleRule::Whole { steps: Some(3) }, contents);
        build.frames.selection.polarity = Some(Polarity::On);
        build.tensor.overwrite = true;
        let counts = run(&build, &listing).unwrap().events;
        assert_eq!((counts.kept, counts.left_out, counts.in_no_sample), (150, 500, 350));
    }
}

#[test]
fn windows_of_a_number_of_events_are_counted_as_well() {
    let events = text(1_000, |i| 10 * i);
    let folder = folder(&[("a_1.csv", &*events)]);
    let listing = list("folder", &folder).unwrap();
    let mut build = build(&folder, SampleRule::Whole { steps: Some(2) }, Contents::Frames);
    build.frames.windows = WindowRule::Count { events: 150, overlap: 50 };
    let built = run(&build, &listing).unwrap();
    assert_eq!((built.events.kept, built.events.in_no_sample), (250, 750));
}

#[test]
fn what_need_not_be_read_is_not_read_and_that_is_said() {
    let events = text(400_000, |i| 10 * i);
    let folder = folder(&[("a_1.csv", &*events), ("a_2.csv", &*text(250, |i| 10 * i))]);
    let listing = list("folder", &folder).unwrap();
    // Several threads would decode all of the recording at once.
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for contents in [Contents::Frames, Contents::Sparse, Contents::Events] {
        let mut build = build(&folder, SampleRule::Whole { steps: Some(2) }, contents);
        build.tensor.overwrite = true;
        let built = one.install(|| run(&build, &listing)).unwrap();
        assert_eq!((built.events.kept, built.with_rest), (400, 1), "{contents:?}");
        assert_eq!(in_files(&built, contents), 400);
        assert!((50..400_000).contains(&built.events.in_no_sample), "{:?}", built.events);
    }
}

#[test]
fn cells_that_could_not_count_are_counted_in_the_samples_alone() {
    // 400 events of one pixel and polarity in each 4 ms.
    let events = text(2_000, |i| 10 * i);
    let hot: String = events.lines().map(|line| format!("{}\n", hot(line))).collect();
    let folder = folder(&[("a_1.csv", &*hot)]);
    let listing = list("folder", &folder).unwrap();
    for contents in [Contents::Frames, Contents::Sparse] {
        for (samples, cells) in [
            (SampleRule::Whole { steps: None }, 5),
            (SampleRule::Whole { steps: Some(2) }, 2),
            (SampleRule::Cut { steps: 2, keep_partial: false }, 4),
        ] {
            let mut build = build(&folder, samples, contents);
            build.frames = FrameOptions::window_ms(4).dtype(Dtype::U8);
            build.tensor.overwrite = true;
            let built = run(&build, &listing).unwrap();
            assert_eq!(built.events.saturated_cells, cells, "{contents:?} {samples:?}");
        }
    }
}

/// A line of text whose event is at one pixel.
fn hot(line: &str) -> String {
    match line.split_once(',') {
        Some((t, _)) if !line.contains('t') => format!("{t},3,3,1"),
        _ => line.to_owned(),
    }
}
