//! Recordings of one's own: folders of any format, with or without a table of labels.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::folder::{Found, files, natural};
use super::super::{
    ClassFrom, DataSet, Entry, Labels, ListOptions, Listing, SourceKind, Split, Stretch,
};
use super::table::{Row, Table, check_stretches};
use crate::error::{Error, Result};
use crate::model::{TimePoint, parse_duration};

/// Any folder of recordings.
pub(in crate::dataset) static FOLDER: DataSet = DataSet {
    name: "folder",
    about: "any recordings: the class is the folder, a part of the name, or is stated in a table of labels",
    source: SourceKind::Recordings,
    sketch: "<class>/<any recording>, or train/<class>/… and test/<class>/…\n<class>_<number>.<any format> in one folder",
    find,
};

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
    let is_labels = |file: &Found| labels.is_some() && file.path.canonicalize().ok() == labels;
    let (known, other): (Vec<_>, Vec<_>) = files(folder)?
        .into_iter()
        .filter(|file| !is_labels(file))
        .partition(|file| EXTENSIONS.contains(&&*file.extension()));
    if !other.is_empty() {
        let what = "files do not have the extension of a recording, and are passed over";
        listing.remarks.push(format!("{} {what}", other.len()));
    }
    match labels {
        Some(path) => by_table(&path, known, &mut listing)?,
        None => by_name(known, options.class_from, &mut listing),
    }
    let counts = listing.counts();
    for (class, _) in listing.classes.iter().zip(&counts).filter(|(_, count)| **count == 1) {
        listing.remarks.push(format!("the class {class} has a single recording"));
    }
    if listing.classes.len() == 1 {
        listing.remarks.push(format!("there is only one class, {}", listing.classes[0]));
    }
    Ok(listing)
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

fn split_name(folder: &str) -> Option<Split> {
    match folder.to_ascii_lowercase().as_str() {
        "train" | "training" => Some(Split::Train),
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

/// What a line of a table says about a recording.
struct Line {
    stretch: Option<(TimePoint, TimePoint)>,
    class: usize,
    split: Option<Split>,
    line: usize,
}

/// Classes by a table: `file`, `class`, and perhaps `start`, `end` and `split`.
fn by_table(path: &Path, files: Vec<Found>, listing: &mut Listing) -> Result<()> {
    let table = Table::read(path)?;
    let (file, class) = (table.column("file")?, table.column("class")?);
    let (start, end) = (table.find("start"), table.find("end"));
    if start.is_some() != end.is_some() {
        let error = Error::malformed("the table has only one of the columns start and end");
        return Err(error.in_file(path));
    }
    let split = table.find("split");
    let mut classes: Vec<String> = table
        .rows()
        .map(|row| row.text(class).to_owned())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    classes.sort_by(|a, b| natural(a).cmp(&natural(b)).then_with(|| a.cmp(b)));
    let mut by_file: BTreeMap<usize, Vec<Line>> = BTreeMap::new();
    for row in table.rows() {
        let number = find_file(&files, row.text(file), &row)?;
        let class = row.text(class);
        if class.is_empty() {
            return Err(row.error("the class is empty"));
        }
        let class = classes.iter().position(|name| name == class).unwrap_or(0);
        let stretch = match (start, end) {
            (Some(start), Some(end)) => Some((time(&row, start)?, time(&row, end)?)),
            _ => None,
        };
        let split = match split.map(|column| row.text(column)) {
            None | Some("") => None,
            Some(name) => Some(split_name(name).ok_or_else(|| {
                row.error("this is no split").expected("train or test").found(format!("{name:?}"))
            })?),
        };
        by_file.entry(number).or_default().push(Line { stretch, class, split, line: row.line });
    }
    let unnamed = files.len() - by_file.len();
    if unnamed > 0 {
        let what = "recordings are not in the table of labels, and are passed over";
        listing.remarks.push(format!("{unnamed} {what}"));
    }
    for (number, rows) in by_file {
        let Found { path: recording, name, bytes } = files[number].clone();
        let splits: BTreeSet<_> = rows.iter().map(|row| row.split).collect();
        let lines: Vec<_> = rows.iter().map(|row| row.line.to_string()).collect();
        if splits.len() > 1 {
            let what = format!("lines {}: one recording is in several splits", lines.join(", "));
            return Err(Error::malformed(what).found(name).in_file(path));
        }
        let labels = match &*rows {
            [Line { stretch: None, class, .. }] => Labels::Class(*class),
            [Line { stretch: None, .. }, ..] => {
                let what = format!("lines {}: one recording has several classes", lines.join(", "));
                let error = Error::malformed(what).found(name).in_file(path);
                return Err(error.advice("state the start and end of each"));
            }
            _ => {
                let stretches: Vec<_> = rows
                    .iter()
                    .filter_map(|row| {
                        let (from, to) = row.stretch?;
                        Some((Stretch { class: row.class, from, to }, row.line))
                    })
                    .collect();
                check_stretches(path, &stretches, &mut listing.remarks)?;
                Labels::Stretches(stretches.into_iter().map(|(stretch, _)| stretch).collect())
            }
        };
        let split = splits.into_iter().next().flatten();
        listing.recordings.push(Entry { path: recording, name, split, labels, bytes });
    }
    listing.classes = classes;
    Ok(())
}

/// The file with this name: its path within the folder, or its own name if only one file has it.
fn find_file(files: &[Found], name: &str, row: &Row<'_>) -> Result<usize> {
    if let Some(number) = files.iter().position(|file| file.name == name) {
        return Ok(number);
    }
    let own = |file: &Found| file.name.rsplit('/').next() == Some(name);
    let mut matching = files.iter().enumerate().filter(|(_, file)| own(file));
    match (matching.next(), matching.next()) {
        (Some((number, _)), None) => Ok(number),
        (None, _) => Err(row.error("there is no such recording").found(format!("{name:?}"))),
        _ => Err(row
            .error("several recordings have this name")
            .expected("the path within the folder")
            .found(format!("{name:?}"))),
    }
}

/// A time: a whole number of µs on the recording's clock, or a duration after its first event, such as
/// `1.5s`.
fn time(row: &Row<'_>, column: usize) -> Result<TimePoint> {
    let text = row.text(column);
    if let Ok(us) = text.parse() {
        return Ok(TimePoint::Absolute(us));
    }
    parse_duration(text).map(TimePoint::Relative).map_err(|_| {
        row.error("this is no time")
            .expected("a whole number of µs, or a duration such as 1.5s")
            .found(format!("{text:?}"))
    })
}
