//! EVIMO2, and other sets whose recordings are folders of arrays.

use std::path::Path;

use super::super::folder::{Found, by_folder, files};
use super::super::{DataSet, Entry, Labels, ListOptions, Listing, SourceKind};
use super::{only_published, remark, split_of, with_extension};
use crate::error::{Error, Result};
use crate::model::SensorSize;
use crate::names::one_of;
use crate::read::columns_in;

/// EVIMO2 (Burner et al., 2022), as its NumPy version is unpacked.
pub(in crate::dataset) static EVIMO2: DataSet = DataSet {
    name: "evimo2",
    about: "indoor scenes with moving objects, 640x480, each a folder of arrays; no classes, with its split; subsets by folder, such as samsung_mono or imo",
    source: SourceKind::Recordings,
    sketch: "<camera>/<imo|sfm|…>/<train|eval>/<scene>/dataset_events_t.npy\n<camera>/<imo|sfm|…>/<train|eval>/<scene>/dataset_events_xy.npy\n<camera>/<imo|sfm|…>/<train|eval>/<scene>/dataset_events_p.npy",
    find,
};

/// How the names of the three arrays of a recording end.
const ARRAYS: [&str; 3] = ["events_t", "events_xy", "events_p"];

fn find(folder: &Path, options: &ListOptions) -> Result<Listing> {
    only_published("evimo2", options, true)?;
    let mut listing = Listing { sensor: Some(SensorSize::new(640, 480)), ..Listing::default() };
    let arrays = with_extension(files(folder)?, &["npy", "npz"]);
    let (mut without, mut incomplete) = (0_u64, Vec::new());
    for (name, files) in by_folder(&arrays) {
        if options.subset.as_deref().is_some_and(|one| name.split('/').all(|part| part != one)) {
            continue;
        }
        let of = |ending: &&str| files.iter().find(|file| file.stem().ends_with(ending));
        let found: Vec<&&Found> = ARRAYS.iter().filter_map(of).collect();
        if found.is_empty() {
            without += 1;
            continue;
        }
        let Some(path) = columns_in(folder.join(name)).filter(|_| found.len() == ARRAYS.len())
        else {
            let missing: Vec<_> = ARRAYS.into_iter().filter(|array| of(array).is_none()).collect();
            incomplete.push(format!("{name} has no {}", one_of(&missing)));
            continue;
        };
        let bytes = found.iter().map(|file| file.bytes).sum();
        let split = split_of(name);
        let name = name.to_owned();
        listing.recordings.push(Entry { path, name, split, labels: Labels::None, bytes });
    }
    if let (Some(subset), [], []) = (&options.subset, &*listing.recordings, &*incomplete) {
        return Err(Error::caller("no recording is in a folder of this name")
            .found(format!("{subset:?}"))
            .in_file(folder));
    }
    if without > 0 {
        let what =
            "folders of arrays have no events, as those of a camera of frames, and are passed over";
        listing.remarks.push(format!("{without} {what}"));
    }
    let splits = listing.recordings.iter().filter(|entry| entry.split.is_some()).count();
    if splits > 0 && splits < listing.recordings.len() {
        let n = listing.recordings.len() - splits;
        listing.remarks.push(format!("{n} recordings are neither in a folder train nor in eval"));
    }
    let what = "recordings are incomplete and are passed over";
    remark(&mut listing.remarks, what, &incomplete);
    Ok(listing)
}
