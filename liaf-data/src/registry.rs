//! Every format and every kind of event file. No other module knows all of them.
//!
//! A new format is added as a line of [`FORMATS`].

#[cfg(test)]
mod decoders;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::codec::{Format, Target};
use crate::error::{Error, Result};
use crate::formats;
use crate::hint::Hint;

/// Every format that is read. Their order is that of messages and documentation. Detection does not
/// depend on it.
pub static FORMATS: &[&Format] = &[
    &formats::aedat::v4::FORMAT,
    &formats::aedat::v2::FORMAT,
    &formats::aedat::v3::FORMAT,
    &formats::prophesee::evt2::FORMAT,
    &formats::prophesee::evt21::FORMAT,
    &formats::prophesee::evt3::FORMAT,
    &formats::prophesee::dat::FORMAT,
    &formats::es::FORMAT,
    &formats::rosbag::FORMAT,
    &formats::mcap::FORMAT,
    #[cfg(feature = "hdf5")]
    &formats::hdf5::FORMAT,
    &formats::numpy::NPY,
    &formats::numpy::NPZ,
    &formats::matlab::FORMAT,
    &formats::csv::FORMAT,
    &formats::aedat::v1::FORMAT,
    &formats::atis::FORMAT,
];

/// Kinds of event files that are written but not read.
pub(crate) static WRITTEN_ONLY: &[&Target] = &[
    #[cfg(feature = "parquet")]
    &formats::parquet::TARGET,
];

impl Format {
    /// The format with this name. Case, spaces and punctuation are ignored: `aedat1.0` is `AEDAT 1.0`.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if there is no such format.
    pub fn named(name: &str) -> Result<&'static Self> {
        let plain = |name: &str| {
            let letters = name.chars().filter(char::is_ascii_alphanumeric);
            letters.map(|letter| letter.to_ascii_lowercase()).collect::<String>()
        };
        let found = FORMATS.iter().find(|format| plain(format.name) == plain(name));
        found.copied().ok_or_else(|| {
            let names: Vec<_> = FORMATS.iter().map(|format| format.name).collect();
            Error::caller("unknown format").expected(names.join(", ")).found(name)
        })
    }
}

/// In a file of settings, a format is stored as its name.
impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

/// As [`Format::named`].
impl<'de> Deserialize<'de> for &'static Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Format::named(&name).map_err(serde::de::Error::custom)
    }
}

impl Target {
    /// Whether files of this kind are read as well.
    pub fn is_read(&self) -> bool {
        !WRITTEN_ONLY.iter().any(|target| target.name == self.name)
    }
}

/// Every kind of event file that is written, in the order of [`FORMATS`]. Kinds that are not read come
/// last.
pub fn targets() -> impl Iterator<Item = &'static Target> {
    FORMATS.iter().flat_map(|format| format.write).chain(WRITTEN_ONLY.iter().copied())
}

/// The target with this short name.
pub fn target(name: &str) -> Option<&'static Target> {
    targets().find(|target| target.name == name)
}

/// The target that is usual for the extension of `path`, if there is one.
pub fn target_of_path(path: impl AsRef<Path>) -> Option<&'static Target> {
    let extension = path.as_ref().extension()?.to_str()?;
    let claims =
        |target: &&Target| target.claims.iter().any(|claim| claim.eq_ignore_ascii_case(extension));
    targets().find(claims)
}

/// A kind of event file that needs a feature.
struct Optional {
    name: &'static str,
    title: &'static str,
    claims: &'static [&'static str],
    feature: &'static str,
}

#[rustfmt::skip]
const OPTIONAL: &[Optional] = &[
    Optional { name: "h5-events", title: "HDF5", claims: &[], feature: "hdf5" },
    Optional { name: "parquet", title: "Parquet", claims: &["parquet"], feature: "parquet" },
];

/// The error for a kind of file that this build cannot write because it lacks a feature. `name` is the
/// name of the kind or its extension. `None` for every other name.
pub fn lacking(name: &str) -> Option<Error> {
    let means = |kind: &&Optional| {
        kind.name == name || kind.claims.iter().any(|claim| claim.eq_ignore_ascii_case(name))
    };
    let kind = OPTIONAL.iter().find(means).filter(|kind| target(kind.name).is_none())?;
    Some(
        Error::caller(format!("this build cannot write {}", kind.title))
            .hint(Hint::EnableFeature { name: kind.feature.into() }),
    )
}

/// The file to open for a folder that is one recording, each column of which is a file: the file of the
/// times.
pub(crate) fn recording_in(folder: &Path) -> Option<PathBuf> {
    formats::numpy::times_in(folder)
}

/// The files of the recording that is opened by `path`.
pub(crate) fn files_of(path: &Path) -> Vec<PathBuf> {
    formats::numpy::files_of(path)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::TimePoint;
    use crate::tensor::Container;

    #[test]
    fn every_name_and_every_claimed_extension_means_one_thing() {
        let (mut names, mut claims) = (BTreeSet::new(), BTreeSet::new());
        for target in targets() {
            assert!(names.insert(target.name), "{} twice", target.name);
            assert!(target.name.parse::<TimePoint>().is_err(), "{} is a time", target.name);
            for kind in [&target.name].into_iter().chain(target.claims) {
                assert!(Container::from_path(format!("a.{kind}")).is_err(), "{kind} is a tensor");
            }
            for claim in target.claims {
                assert!(claims.insert(claim), ".{claim} twice");
            }
        }
        assert!(!names.is_empty());
    }

    #[test]
    fn kinds_are_lacking_where_their_feature_is() {
        let features = [("hdf5", cfg!(feature = "hdf5")), ("parquet", cfg!(feature = "parquet"))];
        for kind in OPTIONAL {
            let (_, there) = features.iter().find(|(name, _)| *name == kind.feature).unwrap();
            assert_eq!(target(kind.name).is_some(), *there, "{}", kind.name);
            assert!(target(kind.name).is_none_or(|target| target.claims == kind.claims));
            let hint = Hint::EnableFeature { name: kind.feature.into() };
            assert_eq!(lacking(kind.name).is_some_and(|error| error.hints() == [hint]), !there);
        }
        assert!(lacking("aedat4").is_none() && lacking("h5").is_none());
    }
}
