//! Recordings of one's own: folders of any format, with or without a table of labels.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::folder::{Found, by_folder, files, natural};
use super::super::{ClassFrom, DataSet, Entry, Labels, ListOptions, Listing, SourceKind, Split};
use super::label_table::by_table;
use super::remark;
use crate::error::{Error, Result};
use crate::read::columns_in;

/// Any folder of recordings.
pub(in crate::dataset) static FOLDER: DataSet = DataSet {
    name: "folder",
    about: "any recordings: the class is the folder, a part of the name, or is stated in a table of labels",
    source: SourceKind::Recordings,
    sketch: "<class>/<any recording>, or train/<class>/… and test/<class>/…\n<class>_<number>.<any format> in one folder",
    find,
};

/// Most classes with a single recording of which each has a remark of its own.
const SINGLE: usize = 10;

/// Extensions of files that are recordings.
const EXTENSIONS: &[&str] = &[
    "aedat", "aedat2", "aedat4", "bin", "csv", "dat", "es", "h5", "hdf5", "mat", "npy", "npz",
    "raw", "txt", "gz", "zst", "xz", "bag", "mcap",
];

fn find(folder: &Path, options: &ListOptions) -> Result<Listing> {
    if options.subset.is_some() {
        return Err(Error::caller("a plain folder has no subsets"));
    }
    let labels = options.labels.as_deref().map(std::fs::canonicalize).transpose();
    let labels = labels.map_err(|cause| {
        let path = options.labels.as_deref().unwrap_or(folder);
        Error::system("the table of labels cannot be read", cause).in_file(path)
    })?;
    let mut listing = Listing::default();
    let all = join_arrays(folder, files(folder)?);
    let is_labels = |file: &Found| labels.is_some() && file.path.canonicalize().ok() == labels;
    let (known, other): (Vec<_>, Vec<_>) = all
        .into_iter()
        .filter(|file| !is_labels(file))
        .partition(|file| EXTENSIONS.contains(&&*file.extension()));
    if !other.is_empty() {
        let what = "files do not have the extension of a recording, and are passed over";
        listing.remarks.push(format!("{} {what}", other.len()));
    }
    match labels {
        Some(path) => by_table(&path, known, options.window, &mut listing)?,
        None => by_name(known, options.class_from, &mut listing),
    }
    let counts = listing.counts();
    let single = listing.classes.iter().zip(&counts).filter(|(_, count)| **count == 1);
    let single: Vec<&String> = single.map(|(class, _)| class).collect();
    match single.len() {
        0..=SINGLE => listing
            .remarks
            .extend(single.iter().map(|class| format!("the class {class} has a single recording"))),
        _ => remark(&mut listing.remarks, "classes have a single recording", &single),
    }
    if listing.classes.len() == 1 {
        listing.remarks.push(format!("there is only one class, {}", listing.classes[0]));
    }
    Ok(listing)
}

/// Puts a folder whose arrays are the columns of one recording in place of its files.
fn join_arrays(folder: &Path, files: Vec<Found>) -> Vec<Found> {
    let joined: BTreeMap<String, Found> = by_folder(&files)
        .into_iter()
        .filter(|(name, files)| !name.is_empty() && files.iter().any(|f| f.extension() == "npy"))
        .filter_map(|(name, files)| {
            let path = columns_in(folder.join(name))?;
            let bytes = files.iter().map(|file| file.bytes).sum();
            Some((name.to_owned(), Found { path, name: name.to_owned(), bytes }))
        })
        .collect();
    let mut seen = BTreeSet::new();
    let kept = files.into_iter().filter_map(|file| match joined.get(file.folder()) {
        Some(recording) => seen.insert(recording.name.clone()).then(|| recording.clone()),
        None => Some(file),
    });
    kept.collect()
}

/// Classes by the names of folders and files.
fn by_name(files: Vec<Found>, class_from: ClassFrom, listing: &mut Listing) {
    let in_folders = files.iter().any(|file| named_folder(file).is_some());
    let class = |file: &Found| match class_from {
        ClassFrom::Usual if in_folders => named_folder(file).unwrap_or("").to_owned(),
        ClassFrom::Dir => named_folder(file).unwrap_or("").to_owned(),
        ClassFrom::Usual => without_number(file.stem()).to_owned(),
        ClassFrom::Stem => file.stem().to_owned(),
        ClassFrom::Prefix => prefix(file.stem()).to_owned(),
    };
    let mut passed = 0_u64;
    let mut sorted = Vec::new();
    for file in files {
        let class = class(&file);
        if class.is_empty() {
            passed += 1;
        } else {
            sorted.push((file, class));
        }
    }
    if passed > 0 {
        listing.remarks.push(format!("{passed} files have no class, and are passed over"));
    }
    let mut names: Vec<String> = sorted
        .iter()
        .map(|(_, class)| class.clone())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    names.sort_by(|a, b| natural(a).cmp(&natural(b)).then_with(|| a.cmp(b)));
    let mut similar: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in &names {
        similar.entry(name.to_lowercase()).or_default().push(name);
    }
    for names in similar.values().filter(|names| names.len() > 1) {
        listing.remarks.push(format!("the classes {} differ in case alone", names.join(" and ")));
    }
    for (file, class) in sorted {
        let split = split_folder(&file);
        let class = names.iter().position(|name| *name == class).unwrap_or(0);
        let Found { path, name, bytes } = file;
        listing.recordings.push(Entry { path, name, split, labels: Labels::Class(class), bytes });
    }
    listing.classes = names;
}

/// The folder of a file, unless it is the folder of a split.
fn named_folder(file: &Found) -> Option<&str> {
    file.parent().filter(|parent| split_name(parent).is_none())
}

pub(super) fn split_name(folder: &str) -> Option<Split> {
    match folder.to_ascii_lowercase().as_str() {
        "train" | "training" => Some(Split::Train),
        "val" | "valid" | "validation" => Some(Split::Val),
        "test" | "testing" => Some(Split::Test),
        _ => None,
    }
}

/// The split that the first folder of the path is named after.
fn split_folder(file: &Found) -> Option<Split> {
    file.name.split_once('/').and_then(|(first, _)| split_name(first))
}

/// The name without a trailing `_` and digits.
fn without_number(stem: &str) -> &str {
    match stem.rsplit_once('_') {
        Some((name, digits))
            if !name.is_empty()
                && !digits.is_empty()
                && digits.bytes().all(|b| b.is_ascii_digit()) =>
        {
            name
        }
        _ => stem,
    }
}

/// The name up to the first `_` or `-`, or to the first digit.
fn prefix(stem: &str) -> &str {
    let end = stem.find(|c: char| c == '_' || c == '-' || c.is_ascii_digit());
    &stem[..end.unwrap_or(stem.len())]
}
