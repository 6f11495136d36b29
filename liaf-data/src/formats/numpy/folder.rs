//! A recording whose arrays are files of their own: one `.npy` for each column, as EVIMO2 and the memory
//! maps of `event_utils` have it.

use std::path::{Path, PathBuf};

use crate::codec::Field;
use crate::codec::columns::Name;

/// The files of the columns of one recording.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ColumnFiles {
    /// The file of the times.
    pub times: PathBuf,
    /// The other files.
    pub others: Vec<PathBuf>,
    /// Where t, x, y and p are: the index of a file, of which the times are number 0, and the column if
    /// the file has x and y.
    pub places: [super::arrays::Place; 4],
}

/// No more files of a folder than this are looked at.
const MOST_FILES: usize = 10_000;

/// What a file is for a recording, by its name: the part of the name that the files of one recording
/// share, and the field; `None` for x and y together.
fn role(path: &Path) -> Option<(String, Option<Field>)> {
    let is_array = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy"));
    let stem = path.file_stem().filter(|_| is_array)?.to_str()?;
    let (prefix, word) = match stem.rsplit_once('_') {
        Some((prefix, word)) => (prefix, word),
        None => ("", stem),
    };
    if Name::is_pair(word) {
        return Some((prefix.to_owned(), None));
    }
    Some((prefix.to_owned(), Some(Name::field(word)?)))
}

/// The files of the recording that `file` belongs to, if it is one of several columns of one.
pub(crate) fn with_columns_of(file: &Path) -> Option<ColumnFiles> {
    let (prefix, _) = role(file)?;
    in_folder(file.parent()?, |other| *other == prefix)
}

/// The files of the recording that is in a folder as files of its columns, if there is one, and no more
/// than one.
pub(crate) fn of_columns(folder: &Path) -> Option<ColumnFiles> {
    in_folder(folder, |_| true)
}

/// Paths of files begin as that of the folder does, which is empty for the current one.
fn in_folder(folder: &Path, is_wanted: impl Fn(&String) -> bool) -> Option<ColumnFiles> {
    let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut fields: [Option<PathBuf>; 4] = [const { None }; 4];
    let mut pair = None;
    let mut shared = None;
    for entry in std::fs::read_dir(listed).ok()?.take(MOST_FILES) {
        let path = folder.join(entry.ok()?.file_name());
        let Some((prefix, field)) = role(&path).filter(|(prefix, _)| is_wanted(prefix)) else {
            continue;
        };
        // Files of two recordings are not one.
        if *shared.get_or_insert_with(|| prefix.clone()) != prefix || !path.is_file() {
            return None;
        }
        let place = field.map_or(&mut pair, |field| &mut fields[field.index()]);
        if place.replace(path).is_some() {
            return None;
        }
    }
    let [Some(times), x, y, Some(polarities)] = fields else { return None };
    let (others, places) = match (pair, x, y) {
        (Some(pair), None, None) => {
            (vec![pair, polarities], [(0, None), (1, Some(0)), (1, Some(1)), (2, None)])
        }
        (None, Some(x), Some(y)) => {
            (vec![x, y, polarities], [(0, None), (1, None), (2, None), (3, None)])
        }
        _ => return None,
    };
    Some(ColumnFiles { times, others, places })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_recording_are_found_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["events_t.npy", "events_xy.npy", "poses.npy", "events_p.npy", "t.txt"] {
            std::fs::write(at(name), b"").unwrap();
        }
        let found = of_columns(folder.path()).unwrap();
        assert_eq!(found.times, at("events_t.npy"));
        assert_eq!(found.others, [at("events_xy.npy"), at("events_p.npy")]);
        assert_eq!(found.places[2], (1, Some(1)));
        assert_eq!(with_columns_of(&at("events_t.npy")), Some(found));
        assert_eq!(with_columns_of(&at("poses.npy")), None);
        // Two recordings are not one, but each of them is found by a file of it.
        for name in ["right_t.npy", "right_x.npy", "right_y.npy", "right_p.npy"] {
            std::fs::write(at(name), b"").unwrap();
        }
        assert_eq!(of_columns(folder.path()), None);
        assert_eq!(with_columns_of(&at("right_p.npy")).unwrap().others.len(), 3);
        std::fs::remove_file(at("events_p.npy")).unwrap();
        assert_eq!(with_columns_of(&at("events_t.npy")), None);
    }
}
