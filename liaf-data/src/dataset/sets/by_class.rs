//! Published sets whose folders are named after the classes.

use std::path::Path;

use super::super::folder::{Found, files};
use super::super::{DataSet, Entry, Labels, ListOptions, Listing, SourceKind, Split};
use super::{check_subset, only_published, split_of, with_extension};
use crate::error::Result;
use crate::model::SensorSize;

/// The name of a class, and perhaps a split.
type Sorted = (String, Option<Split>);

/// What distinguishes these sets.
struct Set {
    name: &'static str,
    extensions: &'static [&'static str],
    sensor: Option<SensorSize>,
    /// Number of recordings of each class, if it is the same for all.
    each: Option<u64>,
    classes: Classes,
    /// The class of a file, and its split.
    sort: fn(&Found) -> Option<Sorted>,
    subsets: &'static [&'static str],
}

/// The names of the classes.
enum Classes {
    /// These.
    Known(&'static [&'static str]),
    /// Those that are there, in order; so many of them are published.
    Found(usize),
}

const DIGITS: &[&str] = &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

fn find(set: &Set, folder: &Path, options: &ListOptions) -> Result<Listing> {
    only_published(set.name, options, !set.subsets.is_empty())?;
    check_subset(set.name, options, set.subsets)?;
    let (mut sorted, mut others) = (Vec::new(), 0_u64);
    for file in with_extension(files(folder)?, set.extensions) {
        if let Some(subset) = &options.subset
            && !file.name.split('/').any(|part| part == subset)
        {
            continue;
        }
        match (set.sort)(&file) {
            Some((class, split)) => sorted.push((file, class, split)),
            None => others += 1,
        }
    }
    let (classes, published): (Vec<String>, usize) = match set.classes {
        Classes::Known(names) => (names.iter().map(|&name| name.into()).collect(), names.len()),
        Classes::Found(n) => {
            let names = sorted.iter().map(|(_, class, _)| class.clone());
            (names.collect::<std::collections::BTreeSet<_>>().into_iter().collect(), n)
        }
    };
    let mut listing = Listing { classes, sensor: set.sensor, ..Listing::default() };
    for (file, class, split) in sorted {
        let Some(class) = listing.classes.iter().position(|name| *name == class) else {
            others += 1;
            continue;
        };
        let Found { path, name, bytes } = file;
        listing.recordings.push(Entry { path, name, split, labels: Labels::Class(class), bytes });
    }
    if others > 0 {
        let what = "files are not where the recordings of the set are, and are passed over";
        listing.remarks.push(format!("{others} {what}"));
    }
    if listing.classes.len() != published {
        let n = listing.classes.len();
        listing.remarks.push(format!("{n} classes were found, of {published} that are published"));
    }
    let splits = if set.subsets.is_empty() || options.subset.is_some() {
        1
    } else {
        set.subsets.len() as u64
    };
    for (class, count) in listing.classes.iter().zip(listing.counts()) {
        if let Some(each) = set.each.map(|each| each * splits).filter(|each| *each != count) {
            let what = format!("the class {class} has {count} recordings, of {each}");
            listing.remarks.push(format!("{what} that are published"));
        } else if count == 0 {
            listing.remarks.push(format!("the class {class} has no recordings"));
        }
    }
    Ok(listing)
}

/// The folder of the class is the one that holds the file.
fn by_parent(file: &Found) -> Option<Sorted> {
    Some((file.parent()?.to_owned(), None))
}

static MNIST: Set = Set {
    name: "mnist-dvs",
    extensions: &["aedat"],
    sensor: Some(SensorSize::new(128, 128)),
    each: Some(1_000),
    classes: Classes::Known(DIGITS),
    sort: |file| {
        let mut folders = file.name.split('/');
        let digit = folders.find_map(|part| part.strip_prefix("grabbed_data"))?;
        Some((digit.to_owned(), None))
    },
    subsets: &["scale4", "scale8", "scale16"],
};

/// MNIST-DVS (Serrano-Gotarredona and Linares-Barranco, Frontiers in Neuroscience, 2015).
pub(in crate::dataset) static MNIST_DVS: DataSet = DataSet {
    name: "mnist-dvs",
    about: "10 moving digits in 3 scales, DVS128, AEDAT 2.0; subsets scale4, scale8 and scale16",
    source: SourceKind::Recordings,
    sketch: "grabbed_data<digit>/scale<4|8|16>/mnist_<digit>_scale<04|08|16>_<number>.aedat",
    find: |folder, options| find(&MNIST, folder, options),
};

static CIFAR10: Set = Set {
    name: "cifar10-dvs",
    extensions: &["aedat", "aedat4"],
    sensor: Some(SensorSize::new(128, 128)),
    each: Some(1_000),
    classes: Classes::Known(&[
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ]),
    sort: by_parent,
    subsets: &[],
};

/// CIFAR10-DVS (Li et al., Frontiers in Neuroscience, 2017).
pub(in crate::dataset) static CIFAR10_DVS: DataSet = DataSet {
    name: "cifar10-dvs",
    about: "10 classes of moving pictures, DVS128, AEDAT 2.0 (or 4.0, repackaged); no official split",
    source: SourceKind::Recordings,
    sketch: "<class>/cifar10_<class>_<number>.aedat",
    find: |folder, options| find(&CIFAR10, folder, options),
};

static NMNIST: Set = Set {
    name: "n-mnist",
    extensions: &["bin"],
    sensor: Some(SensorSize::new(34, 34)),
    each: None,
    classes: Classes::Known(DIGITS),
    sort: |file| Some((file.parent()?.to_owned(), Some(split_of(&file.name)?))),
    subsets: &[],
};

/// N-MNIST (Orchard et al., Frontiers in Neuroscience, 2015).
pub(in crate::dataset) static N_MNIST: DataSet = DataSet {
    name: "n-mnist",
    about: "10 digits seen by an ATIS in three saccades; 60,000 to train and 10,000 to test",
    source: SourceKind::Recordings,
    sketch: "Train/<digit>/<number>.bin\nTest/<digit>/<number>.bin",
    find: |folder, options| {
        let mut listing = find(&NMNIST, folder, options)?;
        for (split, published) in [(Split::Train, 60_000), (Split::Test, 10_000)] {
            let of = |entry: &&Entry| entry.split == Some(split);
            let n = listing.recordings.iter().filter(of).count();
            if n != published {
                let name = split.name();
                let what = format!("{n} recordings to {name} were found, of {published}");
                listing.remarks.push(format!("{what} that are published"));
            }
        }
        Ok(listing)
    },
};

static NCALTECH: Set = Set {
    name: "n-caltech101",
    extensions: &["bin"],
    sensor: Some(SensorSize::new(240, 180)),
    each: None,
    classes: Classes::Found(101),
    // The annotations are `.bin` files as well.
    sort: |file| by_parent(file).filter(|_| file.stem().starts_with("image_")),
    subsets: &[],
};

/// N-Caltech101 (Orchard et al., Frontiers in Neuroscience, 2015).
pub(in crate::dataset) static N_CALTECH101: DataSet = DataSet {
    name: "n-caltech101",
    about: "101 classes of pictures seen by an ATIS in three saccades; sizes up to 240x180, no official split",
    source: SourceKind::Recordings,
    sketch: "Caltech101/<class>/image_<number>.bin",
    find: |folder, options| find(&NCALTECH, folder, options),
};

static NCARS: Set = Set {
    name: "n-cars",
    extensions: &["dat"],
    sensor: Some(SensorSize::new(120, 100)),
    each: None,
    classes: Classes::Known(&["background", "cars"]),
    sort: |file| Some((file.parent()?.to_owned(), Some(split_of(&file.name)?))),
    subsets: &[],
};

/// N-Cars (Sironi et al., CVPR 2018).
pub(in crate::dataset) static N_CARS: DataSet = DataSet {
    name: "n-cars",
    about: "cars and background, 100 ms each, Prophesee DAT; with its split",
    source: SourceKind::Recordings,
    sketch: "n-cars_train/<background|cars>/obj_<number>_td.dat\nn-cars_test/<background|cars>/obj_<number>_td.dat",
    find: |folder, options| {
        let mut listing = find(&NCARS, folder, options)?;
        for (split, published) in [(Split::Train, [7_482, 7_940]), (Split::Test, [4_211, 4_396])] {
            for (class, published) in published.into_iter().enumerate() {
                let of = |entry: &&Entry| {
                    entry.split == Some(split) && entry.labels == Labels::Class(class)
                };
                let n = listing.recordings.iter().filter(of).count();
                if n != published {
                    let (class, name) = (&listing.classes[class], split.name());
                    let what = format!("{n} recordings of {class} to {name} were found");
                    listing.remarks.push(format!("{what}, of {published} that are published"));
                }
            }
        }
        Ok(listing)
    },
};

static ASL: Set = Set {
    name: "asl-dvs",
    extensions: &["mat"],
    sensor: Some(SensorSize::new(240, 180)),
    each: Some(4_200),
    classes: Classes::Known(&[
        "a", "b", "c", "d", "e", "f", "g", "h", "i", "k", "l", "m", "n", "o", "p", "q", "r", "s",
        "t", "u", "v", "w", "x", "y",
    ]),
    sort: by_parent,
    subsets: &[],
};

/// ASL-DVS (Bi et al., ICCV 2019).
pub(in crate::dataset) static ASL_DVS: DataSet = DataSet {
    name: "asl-dvs",
    about: "24 letters of sign language, DAVIS240, MATLAB files; no official split",
    source: SourceKind::Recordings,
    sketch: "<letter>/<letter>_<number>.mat",
    find: |folder, options| find(&ASL, folder, options),
};
