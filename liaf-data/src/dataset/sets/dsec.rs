//! DSEC.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::folder::{Found, files};
use super::super::{DataSet, Entry, Labels, ListOptions, Listing, SourceKind, Split};
use super::{check_subset, only_published, remark, split_of};
#[cfg(feature = "hdf5")]
use crate::container::hdf5;
use crate::error::Result;
#[cfg(feature = "hdf5")]
use crate::io::{ByteSource, MapChoice};
#[cfg(feature = "hdf5")]
use crate::limits::Limits;
use crate::model::SensorSize;

/// DSEC (Gehrig et al., RA-L 2021), as it is unpacked: a folder for each sequence, or the folders of its
/// archives.
pub(in crate::dataset) static DSEC: DataSet = DataSet {
    name: "dsec",
    about: "drives seen by two event cameras, 640x480, HDF5; no classes; 41 sequences to train and 12 to test; subsets left and right",
    source: SourceKind::Recordings,
    sketch: "<train|test>/<sequence>/events/<left|right>/events.h5\n<train|test>/<sequence>_events_<left|right>/events.h5\nrectify_map.h5 beside each",
    find,
};

const SIDES: &[&str] = &["left", "right"];

fn find(folder: &Path, options: &ListOptions) -> Result<Listing> {
    only_published("dsec", options, true)?;
    check_subset("dsec", options, SIDES)?;
    let mut listing = Listing { sensor: Some(SensorSize::new(640, 480)), ..Listing::default() };
    let all = files(folder)?;
    let (mut sequences, mut others) = (BTreeMap::<_, BTreeSet<_>>::new(), 0_u64);
    let (mut unrectified, mut bare) = (Vec::new(), Vec::new());
    for file in all.iter().filter(|file| file.file_name() == "events.h5") {
        let Some((sequence, side)) = sequence(file) else {
            others += 1;
            continue;
        };
        sequences.entry((split_of(&file.name), sequence)).or_default().insert(side);
        if options.subset.as_deref().is_some_and(|one| one != side) {
            continue;
        }
        if !file.path.with_file_name("rectify_map.h5").is_file() {
            unrectified.push(&*file.name);
        }
        if !has_table(&file.path) {
            bare.push(&*file.name);
        }
        let Found { path, name, bytes } = file.clone();
        let split = split_of(&name);
        listing.recordings.push(Entry { path, name, split, labels: Labels::None, bytes });
    }
    if others > 0 {
        let what = "files events.h5 are not where those of the set are, and are passed over";
        listing.remarks.push(format!("{others} {what}"));
    }
    for (what, files) in [
        ("recordings have no rectify_map.h5 beside them", unrectified),
        ("recordings lack the table ms_to_idx or the number t_offset", bare),
    ] {
        remark(&mut listing.remarks, what, &files);
    }
    for side in
        SIDES.iter().filter(|side| options.subset.as_deref().is_none_or(|one| one == **side))
    {
        let lacks: Vec<_> = sequences
            .iter()
            .filter(|(_, sides)| !sides.contains(side))
            .map(|((_, s), _)| s)
            .collect();
        remark(&mut listing.remarks, &format!("sequences have no {side} camera"), &lacks);
    }
    for (split, published) in [(Split::Train, 41), (Split::Test, 12)] {
        let n = sequences.keys().filter(|(of, _)| *of == Some(split)).count();
        if n != published {
            let what = format!("{n} sequences to {} were found, of {published}", split.name());
            listing.remarks.push(format!("{what} that are published"));
        }
    }
    Ok(listing)
}

/// The sequence and the side in `<sequence>/events/<side>/events.h5` or `<sequence>_events_<side>/events.h5`.
fn sequence(file: &Found) -> Option<(&str, &'static str)> {
    let mut folders = file.folder().rsplit('/');
    let last = folders.next()?;
    let side =
        SIDES.iter().find(|side| last == **side || last.ends_with(&format!("_events_{side}")))?;
    let sequence = match last.strip_suffix(&format!("_events_{side}")) {
        Some(sequence) => sequence,
        None => folders.next().filter(|name| *name == "events").and(folders.next())?,
    };
    Some((sequence, side))
}

/// Whether a file has what later tools need to find times. What cannot be read fails later.
#[cfg(feature = "hdf5")]
fn has_table(path: &Path) -> bool {
    let file = ByteSource::open(path, MapChoice::NEVER)
        .and_then(|source| hdf5::open(&source, &Limits::DEFAULT));
    file.map_or(true, |(file, _)| {
        ["ms_to_idx", "t_offset"].iter().all(|name| file.dataset(name).is_ok())
    })
}

#[cfg(not(feature = "hdf5"))]
fn has_table(_: &Path) -> bool {
    true
}
