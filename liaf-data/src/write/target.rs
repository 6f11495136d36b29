//! The kinds of event files that are written: one row each, in the table of their format.

use std::path::Path;

use super::{Encoder, EventSpec, EventWriter, Facts, Holds, Loss, Packing, WriteOptions};
use crate::formats::{FORMATS, WRITTEN_ONLY};
use crate::{Error, Result};

/// A kind of event file that can be written.
#[derive(Debug)]
pub struct Target {
    /// Its short name, as in `--to aedat4`.
    pub name: &'static str,
    /// Its full name, as in `AEDAT 4.0`.
    pub title: &'static str,
    /// The usual extension of its files, without the dot.
    pub extension: &'static str,
    /// Extensions that mean this target and no other, where nothing else is said.
    pub claims: &'static [&'static str],
    /// The ways in which its events can be compressed, the usual one first; empty: none at all.
    /// A level stands for all levels.
    pub packings: &'static [Packing],
    /// What it can hold.
    pub holds: Holds,
    /// How it is written.
    pub(crate) make: Make,
}

/// How a target is written. The packing in the options is one of the target's.
#[derive(Debug)]
pub(crate) enum Make {
    /// As bytes, one after the other.
    Encoder(fn(&EventSpec, &WriteOptions) -> Result<Box<dyn Encoder>>),
    /// By a writer that makes the file itself.
    Writer(fn(&Path, &EventSpec, &WriteOptions) -> Result<Box<dyn EventWriter>>),
}

impl Target {
    /// Whether its files are read as well.
    pub fn is_read(&self) -> bool {
        !WRITTEN_ONLY.iter().any(|target| target.name == self.name)
    }

    /// The packing that is meant by `choice`.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the target has no such packing.
    pub fn packing(&self, choice: Option<Packing>) -> Result<Packing> {
        let usual = self.packings.first().copied().unwrap_or(Packing::None);
        let choice = choice.unwrap_or(usual);
        let none_at_all = self.packings.is_empty() && choice == Packing::None;
        if none_at_all || self.packings.iter().any(|packing| packing.is_like(choice)) {
            return Ok(choice);
        }
        let names: Vec<_> = self.packings.iter().map(Packing::to_string).collect();
        Err(Error::caller(format!("{} is not compressed in this way", self.title))
            .expected(if names.is_empty() { "none".into() } else { names.join(", ") })
            .found(choice))
    }

    /// Refuses events that it cannot hold; with `wrap`, their times may be outside.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) that says what would be lost and what helps.
    pub fn check(&self, facts: &Facts, wrap: bool) -> Result<()> {
        let losses = self.holds.losses(facts, wrap);
        if losses.is_empty() {
            return Ok(());
        }
        let join = |part: fn(&Loss) -> &str| losses.iter().map(part).collect::<Vec<_>>().join("; ");
        Err(Error::caller(format!("{} cannot hold these events", self.title))
            .expected(join(|loss| &loss.holds))
            .found(join(|loss| &loss.found))
            .advice(join(|loss| &loss.help)))
    }
}

/// Every kind of event file that is written, in the order of [`FORMATS`]; those that are not read last.
pub fn targets() -> impl Iterator<Item = &'static Target> {
    FORMATS.iter().flat_map(|format| format.write).chain(WRITTEN_ONLY.iter().copied())
}

/// The target of this short name.
pub fn target(name: &str) -> Option<&'static Target> {
    targets().find(|target| target.name == name)
}

/// The target that the extension of `path` means, if it means one.
pub fn target_of_path(path: impl AsRef<Path>) -> Option<&'static Target> {
    let extension = path.as_ref().extension()?.to_str()?;
    let claims =
        |target: &&Target| target.claims.iter().any(|claim| claim.eq_ignore_ascii_case(extension));
    targets().find(claims)
}

/// A kind of event file that takes a feature.
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

/// Why a kind that `name` names, or means as an extension, is not among the [`targets`]: it takes a
/// feature that this build is without. `None` for every other name.
pub fn lacking(name: &str) -> Option<Error> {
    let means = |kind: &&Optional| {
        kind.name == name || kind.claims.iter().any(|claim| claim.eq_ignore_ascii_case(name))
    };
    let kind = OPTIONAL.iter().find(means).filter(|kind| target(kind.name).is_none())?;
    Some(
        Error::caller(format!("this build cannot write {}", kind.title))
            .advice(format!("build it with the feature `{}`", kind.feature)),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::frames::TimePoint;
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
            let said = lacking(kind.name).and_then(|error| error.hint().map(str::to_owned));
            assert_eq!(said.is_some_and(|hint| hint.contains(kind.feature)), !there);
        }
        assert!(lacking("aedat4").is_none() && lacking("h5").is_none());
    }

    #[test]
    fn packings_are_those_of_the_row() {
        let row = Target {
            name: "x",
            title: "X",
            extension: "x",
            claims: &[],
            packings: &[Packing::Lz4, Packing::Deflate(6)],
            holds: Holds::ANYTHING,
            make: Make::Writer(|_, _, _| Err(Error::caller("not written"))),
        };
        assert_eq!(row.packing(None).unwrap(), Packing::Lz4);
        assert_eq!(row.packing(Some(Packing::Deflate(9))).unwrap(), Packing::Deflate(9));
        assert!(row.packing(Some(Packing::None)).is_err());
        let plain = Target { packings: &[], ..row };
        assert_eq!(plain.packing(None).unwrap(), Packing::None);
        assert!(plain.packing(Some(Packing::Lz4)).is_err());
    }
}
