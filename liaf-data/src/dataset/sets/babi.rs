//! bAbI question answering.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::folder::{Found, files};
use super::super::{DataSet, Entry, Labels, ListOptions, Listing, SourceKind, Split};
use super::{only_published, with_extension};
use crate::error::{Error, Result};
use crate::io::read_whole;
use crate::limits::Limits;
use crate::names::one_of;

/// bAbI question answering (Weston et al., "Towards AI-complete question answering: a set of prerequisite
/// toy tasks", 2015; CC BY 3.0), version 1.2 as it is unpacked.
pub(in crate::dataset) static BABI: DataSet = DataSet {
    name: "babi",
    about: "20 tasks of questions about stories, as text; 1,000 questions of each to train and 1,000 to test; subsets qa1 to qa20, a folder such as en-10k, or en-10k/qa1",
    source: SourceKind::Texts,
    sketch: "en/qa<1..20>_<task>_train.txt\nen/qa<1..20>_<task>_test.txt",
    find,
};

const TASKS: usize = 20;

/// The folder that is used if there are several and none is chosen.
const USUAL: &str = "en";

/// What is chosen of the set.
#[derive(Debug, Default)]
struct Subset<'a> {
    folder: Option<&'a str>,
    task: Option<usize>,
}

fn find(folder: &Path, options: &ListOptions) -> Result<Listing> {
    only_published("babi", options, true)?;
    let subset = subset(options.subset.as_deref().unwrap_or_default())?;
    let mut folders: BTreeMap<String, Vec<Found>> = BTreeMap::new();
    for file in with_extension(files(folder)?, &["txt"]) {
        // The files at the top of the archive are no tasks.
        if task(file.stem()).is_some() {
            folders.entry(file.folder().to_owned()).or_default().push(file);
        }
    }
    let chosen = choose(&folders, subset.folder).map_err(|error| error.in_file(folder))?;
    let mut listing = Listing::default();
    let passed: Vec<&str> =
        folders.keys().map(|name| &**name).filter(|name| *name != chosen).collect();
    if !passed.is_empty() {
        listing.remarks.push(format!("the folders {} are passed over", one_of(&passed)));
    }
    let mut validation = 0_u64;
    let mut found = BTreeSet::new();
    let (train, test) = published(if chosen.is_empty() { folder } else { Path::new(&chosen) });
    for file in folders.remove(&chosen).unwrap_or_default() {
        let Some(number) = task(file.stem()) else { continue };
        if subset.task.is_some_and(|task| task != number) {
            continue;
        }
        let split = match file.stem().rsplit('_').next() {
            Some("train") => Split::Train,
            Some("test") => Split::Test,
            _ => {
                validation += 1;
                continue;
            }
        };
        let Found { path, name, bytes } = file;
        if !found.insert((number, split)) {
            let what = format!("there are several files of task {number} to {}", split.name());
            return Err(Error::malformed(what).found(name).in_file(folder));
        }
        let questions = count(&path)?;
        let published = if split == Split::Train { train } else { test };
        if questions != published {
            let what = format!("{name} has {questions} questions, of {published}");
            listing.remarks.push(format!("{what} that are published"));
        }
        let split = Some(split);
        listing.recordings.push(Entry { path, name, split, labels: Labels::None, bytes });
    }
    if validation > 0 {
        let what = "files are neither to train nor to test, and are passed over";
        listing.remarks.push(format!("{validation} {what}"));
    }
    for number in (1..=TASKS).filter(|number| subset.task.is_none_or(|task| task == *number)) {
        for split in [Split::Train, Split::Test] {
            if !found.contains(&(number, split)) {
                let what = format!("the file of task {number} to {} is missing", split.name());
                listing.remarks.push(what);
            }
        }
    }
    Ok(listing)
}

/// The number of a task in `qa<number>_<name>_<split>`.
fn task(stem: &str) -> Option<usize> {
    let number = stem.strip_prefix("qa")?.split('_').next()?.parse().ok()?;
    (stem.contains('_') && (1..=TASKS).contains(&number)).then_some(number)
}

/// `qa<number>`, the name of a folder, or both with `/` between them.
fn subset(text: &str) -> Result<Subset<'_>> {
    let mut subset = Subset::default();
    for part in text.split('/').filter(|part| !part.is_empty()) {
        match part.strip_prefix("qa").and_then(|number| number.parse().ok()) {
            Some(number) if (1..=TASKS).contains(&number) => subset.task = Some(number),
            Some(_) => {
                return Err(Error::caller("the data set babi has no such task")
                    .expected(format!("qa1 to qa{TASKS}"))
                    .found(format!("{part:?}")));
            }
            None => subset.folder = Some(part),
        }
    }
    Ok(subset)
}

/// The folder with the tasks, of all that have any.
fn choose(folders: &BTreeMap<String, Vec<Found>>, wanted: Option<&str>) -> Result<String> {
    let last = |name: &str| name.rsplit('/').next().map(str::to_owned).unwrap_or_default();
    let names: Vec<&str> = folders.keys().map(|name| &**name).collect();
    let of = |wanted: &str| -> Vec<&str> {
        names.iter().copied().filter(|name| last(name) == wanted).collect()
    };
    let matching = match (wanted, &*names) {
        (Some(wanted), _) => of(wanted),
        (None, [] | [_]) => names.clone(),
        (None, _) => of(USUAL),
    };
    match *matching {
        [name] => Ok(name.to_owned()),
        [] if names.is_empty() => Ok(String::new()),
        _ => Err(Error::caller("the data set babi has tasks in several folders")
            .expected(format!("a subset that names one of {}", one_of(&names)))
            .found(wanted.map_or("none".into(), |name| format!("{name:?}")))),
    }
}

/// Number of published questions to train and to test for each task, in a folder of this name.
fn published(folder: &Path) -> (usize, usize) {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let train = if name.contains("valid") { 900 } else { 1_000 };
    (if name.contains("10k") { 10 * train } else { train }, 1_000)
}

/// Number of questions in a file: lines with a tab, after which the answer stands.
fn count(path: &Path) -> Result<usize> {
    let text = read_whole("the text", path, Limits::DEFAULT.packet_bytes)?;
    Ok(text.split(|&byte| byte == b'\n').filter(|line| line.contains(&b'\t')).count())
}
