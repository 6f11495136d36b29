//! DVS128 Gesture.

use std::collections::BTreeSet;
use std::path::Path;

use super::super::folder::{Found, files};
use super::super::{DataSet, Entry, Labels, ListOptions, Listing, SourceKind, Split, Stretch};
use super::table::{Table, check_stretches};
use super::{only_published, remark};
use crate::error::Result;
use crate::io::read_text;
use crate::limits::Limits;
use crate::model::{SensorSize, TimePoint};

/// DVS128 Gesture (Amir et al., CVPR 2017), as IBM distributes it.
pub(in crate::dataset) static DVS_GESTURE: DataSet = DataSet {
    name: "dvs-gesture",
    about: "11 gestures of 29 people, DVS128, AEDAT 3.1 with tables of labels; 1,176 samples to train and 288 to test",
    source: SourceKind::Recordings,
    sketch: "user<number>_<light>.aedat\nuser<number>_<light>_labels.csv\ntrials_to_train.txt, trials_to_test.txt",
    find,
};

const CLASSES: &[&str] = &[
    "hand_clapping",
    "right_hand_wave",
    "left_hand_wave",
    "right_arm_clockwise",
    "right_arm_counter_clockwise",
    "left_arm_clockwise",
    "left_arm_counter_clockwise",
    "arm_roll",
    "air_drums",
    "air_guitar",
    "other_gestures",
];

fn find(folder: &Path, options: &ListOptions) -> Result<Listing> {
    only_published("dvs-gesture", options, false)?;
    let all = files(folder)?;
    let mut listing = Listing {
        classes: CLASSES.iter().map(|&name| name.into()).collect(),
        sensor: Some(SensorSize::new(128, 128)),
        ..Listing::default()
    };
    let lists = [(Split::Train, "trials_to_train.txt"), (Split::Test, "trials_to_test.txt")];
    let mut listed = Vec::new();
    for (split, name) in lists {
        match all.iter().find(|file| file.file_name() == name) {
            Some(file) => listed.push((split, trials(file)?)),
            None => listing.remarks.push(format!("{name} is missing: users 1 to 23 train")),
        }
    }
    for (split, names) in &listed {
        let is_missing = |name: &&String| all.iter().all(|file| file.file_name() != **name);
        let missing: Vec<&String> = names.iter().filter(is_missing).collect();
        let what = format!("recordings are in the list to {}, but missing", split.name());
        remark(&mut listing.remarks, &what, &missing);
    }
    let (mut others, mut unlisted, mut unlabelled) = (Vec::new(), Vec::new(), Vec::new());
    for file in all.iter().filter(|file| file.extension() == "aedat") {
        let Some(user) = user(file.stem()) else {
            others.push(&file.name);
            continue;
        };
        let split = match listed.iter().find(|(_, names)| names.contains(file.file_name())) {
            Some((split, _)) => *split,
            None if listed.len() == 2 => {
                unlisted.push(&file.name);
                continue;
            }
            None if user <= 23 => Split::Train,
            None => Split::Test,
        };
        let table = file.path.with_file_name(format!("{}_labels.csv", file.stem()));
        if !table.is_file() {
            unlabelled.push(&file.name);
            continue;
        }
        let stretches = labels(&table, &mut listing.remarks)?;
        listing.recordings.push(Entry {
            path: file.path.clone(),
            name: file.name.clone(),
            split: Some(split),
            labels: Labels::Stretches(stretches),
            bytes: file.bytes,
        });
    }
    for (what, files) in [
        ("files are no recordings of the set, and are passed over", others),
        ("recordings are in neither list, and are passed over", unlisted),
        ("recordings have no table of labels, and are passed over", unlabelled),
    ] {
        remark(&mut listing.remarks, what, &files);
    }
    for (split, published) in [(Split::Train, 1_176), (Split::Test, 288)] {
        let of = listing.recordings.iter().filter(|entry| entry.split == Some(split));
        let n: usize = of
            .map(|entry| match &entry.labels {
                Labels::Stretches(all) => all.len(),
                _ => 0,
            })
            .sum();
        if n != published {
            let name = split.name();
            listing
                .remarks
                .push(format!("{n} samples to {name}, of {published} that are published"));
        }
    }
    Ok(listing)
}

/// The number in `user<number>_<light>`.
fn user(stem: &str) -> Option<u32> {
    stem.strip_prefix("user")?.split('_').next()?.parse().ok()
}

/// The names of files in a list. Empty lines are passed over.
fn trials(file: &Found) -> Result<BTreeSet<String>> {
    let text = read_text("the list", &file.path, Limits::DEFAULT.packet_bytes)?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// The stretches of a table of labels: class from 1 to 11, start and end in µs on the recording's clock.
fn labels(path: &Path, remarks: &mut Vec<String>) -> Result<Vec<Stretch>> {
    let table = Table::read(path)?;
    let columns = ["class", "startTime_usec", "endTime_usec"].map(|name| table.column(name));
    let [class, from, to] = columns;
    let (class, from, to) = (class?, from?, to?);
    let mut stretches = Vec::new();
    for row in table.rows() {
        let number = |column: usize| row.number::<i64>(column);
        let class = number(class)?;
        if !(1..=11).contains(&class) {
            let error = row.error("this is no class of the set").expected("1 to 11");
            return Err(error.found(class));
        }
        let [from, to] = [number(from)?, number(to)?].map(TimePoint::Absolute);
        let stretch = Stretch { class: class as usize - 1, from, to };
        stretches.push((stretch, row.line));
    }
    check_stretches(path, &stretches, remarks)?;
    Ok(stretches.into_iter().map(|(stretch, _)| stretch).collect())
}
