//! The detection sets of Prophesee: Gen1 and 1 Mpx.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;

use super::super::boxes::{self, BoxFaults};
use super::super::folder::{Found, files};
use super::super::{BoxFile, DataSet, Entry, Labels, ListOptions, Listing, SourceKind, Split};
use super::{only_published, remark, split_of};
use crate::error::Result;
use crate::model::SensorSize;

/// What distinguishes the two.
struct Set {
    name: &'static str,
    sensor: SensorSize,
    classes: &'static [&'static str],
    /// Number of recordings to train, to validate and to test, where it is published.
    published: Option<[usize; 3]>,
}

/// Prophesee's Gen1 automotive detection set (de Tournemire et al., 2020, arXiv 2001.08499).
pub(in crate::dataset) static GEN1: DataSet = DataSet {
    name: "gen1",
    about: "cars and pedestrians in boxes, 304x240, recordings of 60 s in Prophesee DAT with _bbox.npy; with its split",
    source: SourceKind::Recordings,
    sketch: SKETCH,
    find: |folder, options| find(&SET_GEN1, folder, options),
};

/// Prophesee's 1 megapixel automotive detection set (Perot et al., NeurIPS 2020, arXiv 2009.13436).
pub(in crate::dataset) static ONE_MPX: DataSet = DataSet {
    name: "1mpx",
    about: "7 kinds of road users and signs in boxes, 1280x720, recordings of 60 s in Prophesee DAT or RAW with _bbox.npy; with its split",
    source: SourceKind::Recordings,
    sketch: SKETCH,
    find: |folder, options| find(&SET_1MPX, folder, options),
};

const SKETCH: &str =
    "<train|val|test>/<recording>_td.dat (or .raw)\n<train|val|test>/<recording>_bbox.npy";

static SET_GEN1: Set = Set {
    name: "gen1",
    sensor: SensorSize::new(304, 240),
    classes: &["car", "pedestrian"],
    published: Some([1_460, 429, 470]),
};

static SET_1MPX: Set = Set {
    name: "1mpx",
    sensor: SensorSize::new(1280, 720),
    classes: &["pedestrian", "two wheeler", "car", "truck", "bus", "traffic sign", "traffic light"],
    published: None,
};

fn find(set: &Set, folder: &Path, options: &ListOptions) -> Result<Listing> {
    only_published(set.name, options, false)?;
    let mut listing = Listing {
        classes: set.classes.iter().map(|&name| name.into()).collect(),
        sensor: Some(set.sensor),
        ..Listing::default()
    };
    let all = files(folder)?;
    let mut labels: BTreeMap<&str, &Found> =
        all.iter().filter_map(|file| Some((file.name.strip_suffix("_bbox.npy")?, file))).collect();
    let (mut unlabelled, mut nowhere) = (Vec::new(), Vec::new());
    for file in all.iter().filter(|file| ["dat", "raw"].contains(&&*file.extension())) {
        let name = file.name.rsplit_once('.').map_or(&*file.name, |(name, _)| name);
        let Some(label) = labels.remove(name.strip_suffix("_td").unwrap_or(name)) else {
            unlabelled.push(&file.name);
            continue;
        };
        let split = split_of(file.folder());
        if split.is_none() {
            nowhere.push(&file.name);
        }
        let Found { path, name, bytes } = file.clone();
        let labels = Labels::Boxes(BoxFile { path: label.path.clone(), ..BoxFile::default() });
        listing.recordings.push(Entry { path, name, split, labels, bytes });
    }
    let left: Vec<&String> = labels.values().map(|file| &file.name).collect();
    for (what, files) in [
        ("recordings have no _bbox.npy, and are passed over", unlabelled),
        ("files _bbox.npy have no recording", left),
        ("recordings are in no folder train, val or test", nowhere),
    ] {
        remark(&mut listing.remarks, what, &files);
    }
    let read = |entry: &mut Entry| {
        let Labels::Boxes(file) = &mut entry.labels else { return Ok(BoxFaults::default()) };
        let (all, faults) = boxes::read(&file.path, set.sensor, set.classes.len())?;
        file.times = all.iter().map(|one| one.t).collect();
        file.times.dedup();
        file.hash = boxes::hash(&all);
        let of = |class: usize| all.iter().filter(|one| one.class == class as i64).count() as u64;
        file.counts = (0..set.classes.len()).map(of).collect();
        Ok(faults)
    };
    let faults: Vec<Result<BoxFaults>> = listing.recordings.par_iter_mut().map(read).collect();
    let (mut sum, mut bad) = (BoxFaults::default(), Vec::new());
    for (entry, faults) in listing.recordings.iter().zip(faults) {
        match faults {
            Ok(faults) => sum = sum.add(faults),
            Err(error) => bad.push(format!("{} ({error})", entry.name)),
        }
    }
    let mut remarks = sum.remarks();
    remark(&mut remarks, "recordings have boxes that cannot be read", &bad);
    listing.remarks.append(&mut remarks);
    if let Some(published) = set.published {
        for (split, published) in Split::ALL.into_iter().zip(published) {
            let n = listing.recordings.iter().filter(|entry| entry.split == Some(split)).count();
            if n != published {
                let what = format!("{n} recordings to {} were found, of {published}", split.name());
                listing.remarks.push(format!("{what} that are published"));
            }
        }
    }
    Ok(listing)
}
