//! Parts of the work, each made by a process of its own, and files that hold a part of a split.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Entry, Split};
use crate::error::{Error, Result};

/// Most parts or shards.
const MOST: usize = 1_000_000;

/// The part of a data set that one process makes, as in `2/3`.
///
/// Parts are consecutive recordings, so that their samples, one part after another, are those of the whole
/// set. Each has about the same number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartOf {
    number: usize,
    of: usize,
}

impl PartOf {
    /// Part `number` of `of`, counted from 1.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if there is no such part.
    pub fn new(number: usize, of: usize) -> Result<Self> {
        if number == 0 || number > of || of > MOST {
            return Err(Error::caller("there is no such part")
                .expected(format!(
                    "a number from 1 to that of all parts, of which there are at most {MOST}"
                ))
                .found(format!("{number}/{of}")));
        }
        Ok(Self { number, of })
    }

    /// Its number, counted from 1.
    pub const fn number(self) -> usize {
        self.number
    }

    /// The number of all parts.
    pub const fn of(self) -> usize {
        self.of
    }

    /// The recordings of this part. Every recording, in the order of the set, is in exactly one part: the one
    /// within whose share of all bytes its middle lies.
    pub(super) fn recordings(self, all: &[Entry]) -> Range<usize> {
        // An empty file also takes time.
        let weight = |entry: &Entry| u128::from(entry.bytes) + 1;
        let total: u128 = all.iter().map(weight).sum();
        let border = |number: usize| {
            let mut before = 0;
            all.iter()
                .take_while(|entry| {
                    let middle = 2 * before + weight(entry);
                    before += weight(entry);
                    middle * (self.of as u128) < 2 * total * number as u128
                })
                .count()
        };
        match self.number == self.of {
            true => border(self.number - 1)..all.len(),
            false => border(self.number - 1)..border(self.number),
        }
    }
}

impl FromStr for PartOf {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let numbers = text.split_once('/');
        match numbers.map(|(number, of)| (number.trim().parse(), of.trim().parse())) {
            Some((Ok(number), Ok(of))) => Self::new(number, of),
            _ => Err(Error::caller("this is no part")
                .expected("the number of a part and that of all, as in 2/3")
                .found(format!("{text:?}"))),
        }
    }
}

impl fmt::Display for PartOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// How the samples of a split are divided between several files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shards {
    /// So many files, whose numbers of samples differ by one at most.
    Count(usize),
    /// Files of at most so many bytes of frames or events before compression, but of at least one sample.
    Bytes(u64),
}

impl Shards {
    /// The samples of each file, if these are the sizes of all samples in bytes.
    pub(super) fn divide(self, sizes: &[u64]) -> Vec<Range<usize>> {
        let n = sizes.len();
        match self {
            Self::Count(count) => {
                // A file without samples is of no use.
                let count = count.min(n).max(1);
                let border = |k: usize| (n as u128 * k as u128 / count as u128) as usize;
                (0..count).map(|k| border(k)..border(k + 1)).collect()
            }
            Self::Bytes(most) => {
                let (mut shards, mut start, mut bytes) = (Vec::new(), 0, 0_u64);
                for (number, &size) in sizes.iter().enumerate() {
                    if number > start && bytes.saturating_add(size) > most {
                        shards.push(start..number);
                        (start, bytes) = (number, 0);
                    }
                    bytes = bytes.saturating_add(size);
                }
                shards.push(start..n);
                shards
            }
        }
    }
}

impl FromStr for Shards {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
        let units =
            units.into_iter().chain([("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)]);
        let mut sized = units.filter_map(|(unit, factor)| {
            let number: f64 = text.strip_suffix(unit)?.trim().parse().ok()?;
            Some((number * f64::from(factor)).round())
        });
        let sized = sized.next().filter(|bytes| (1.0..1e18).contains(bytes));
        let count = text.parse().ok().filter(|count| (1..=MOST).contains(count));
        match (count, sized) {
            (Some(count), _) => Ok(Self::Count(count)),
            (_, Some(bytes)) => Ok(Self::Bytes(bytes as u64)),
            _ => Err(Error::caller("invalid shards")
                .expected("a number of files, or the size of each, as in 500MB or 2GiB")
                .found(format!("{text:?}"))),
        }
    }
}

impl fmt::Display for Shards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Bytes(bytes) => write!(f, "{bytes} bytes"),
        }
    }
}

/// What made a file that holds a part of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ShardKind {
    /// A process that made a part of the recordings.
    Part,
    /// A division of all samples.
    Shard,
}

/// Which of several files of a split this is. It is stored in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shard {
    pub kind: ShardKind,
    /// Counted from 1.
    pub number: usize,
    pub of: usize,
}

impl From<PartOf> for Shard {
    fn from(part: PartOf) -> Self {
        Self { kind: ShardKind::Part, number: part.number, of: part.of }
    }
}

impl Shard {
    /// What comes before the extension: `part-2-of-3`, with zeros so that names are in order.
    fn suffix(self) -> String {
        let name = match self.kind {
            ShardKind::Part => "part",
            ShardKind::Shard => "shard",
        };
        let digits = self.of.to_string().len();
        format!("{name}-{:0digits$}-of-{}", self.number, self.of)
    }
}

/// `OUT`, with the split and then the shard before the extension.
pub(super) fn path(out: &Path, split: Option<Split>, shard: Option<Shard>) -> PathBuf {
    let words = [split.map(|split| split.name().to_owned()), shard.map(Shard::suffix)];
    let words: Vec<_> = words.into_iter().flatten().collect();
    if words.is_empty() {
        return out.to_owned();
    }
    let mut name = out.file_stem().unwrap_or_default().to_os_string();
    name.push(format!(".{}.", words.join(".")));
    name.push(out.extension().unwrap_or_default());
    out.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::super::Labels;
    use super::*;

    #[test]
    fn every_recording_is_in_one_part_and_parts_have_about_the_same_size() {
        let entry = |&bytes: &u64| Entry {
            path: "a".into(),
            name: "a".into(),
            split: None,
            labels: Labels::None,
            bytes,
        };
        let mixed: Vec<u64> = (0..100).map(|i| i * 7919 % 1_000).collect();
        for sizes in [&mixed[..], &[0; 7], &[5], &[], &[1_000_000, 1, 1, 1], &[1, 1, 1, 1_000_000]]
        {
            let all: Vec<_> = sizes.iter().map(entry).collect();
            for of in 1..9 {
                let mut next = 0;
                for number in 1..=of {
                    let range = PartOf::new(number, of).unwrap().recordings(&all);
                    assert_eq!(range.start, next, "{sizes:?} {number}/{of}");
                    next = range.end;
                    let bytes: u64 = sizes[range].iter().sum();
                    let share = sizes.iter().sum::<u64>() / of as u64;
                    let largest = sizes.iter().max().copied().unwrap_or(0) + 8;
                    assert!(bytes <= share + largest, "{bytes} of {share} in {number}/{of}");
                }
                assert_eq!(next, sizes.len());
            }
        }
        assert_eq!("2/3".parse::<PartOf>().unwrap(), PartOf::new(2, 3).unwrap());
        for bad in ["", "2", "0/3", "4/3", "a/3", "1/0", "-1/3", "1/3/4"] {
            assert!(bad.parse::<PartOf>().is_err(), "{bad}");
        }
    }

    #[test]
    fn samples_are_divided_by_number_or_size() {
        let all = Shards::Count(3).divide(&[1; 10]);
        assert_eq!(all, [0..3, 3..6, 6..10]);
        assert_eq!(Shards::Count(9).divide(&[1; 2]), [0..1, 1..2]);
        assert_eq!(Shards::Count(9).divide(&[]).len(), 1);
        assert_eq!(Shards::Bytes(10).divide(&[4, 6, 1, 20, 3, 7]), [0..2, 2..3, 3..4, 4..6]);
        assert_eq!(Shards::Bytes(1).divide(&[]).len(), 1);
        for (text, shards) in [
            ("4", Shards::Count(4)),
            ("500MB", Shards::Bytes(500_000_000)),
            ("1.5 GiB", Shards::Bytes(3 << 29)),
            ("8kB", Shards::Bytes(8_000)),
        ] {
            assert_eq!(text.parse::<Shards>().unwrap(), shards, "{text}");
        }
        for bad in ["", "0", "-1", "MB", "0MB", "2 files", "1e30GB", "NaNMB"] {
            assert!(bad.parse::<Shards>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_in_order() {
        let shard = Some(Shard { kind: ShardKind::Shard, number: 2, of: 12 });
        let path = |split, shard| path(Path::new("a/b.c.h5"), split, shard);
        assert_eq!(path(Some(Split::Train), shard), Path::new("a/b.c.train.shard-02-of-12.h5"));
        assert_eq!(path(None, None), Path::new("a/b.c.h5"));
        let part = Shard::from(PartOf::new(1, 3).unwrap());
        assert_eq!(path(None, Some(part)), Path::new("a/b.c.part-1-of-3.h5"));
    }
}
