//! How recordings become samples, and samples parts of the set.

use std::fmt;
use std::str::FromStr;

use super::Split;
use crate::error::{Error, Result};

/// Where the class of a recording is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClassFrom {
    /// The folder in which it is; if all recordings are in the folder of the set itself, the name of the
    /// file without a trailing `_` and digits.
    #[default]
    Usual,
    /// The folder in which it is.
    Dir,
    /// The name of the file, without its extension.
    Stem,
    /// The name of the file up to the first `_` or `-`, or to the first digit.
    Prefix,
}

impl FromStr for ClassFrom {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "dir" => Ok(Self::Dir),
            "stem" => Ok(Self::Stem),
            "prefix" => Ok(Self::Prefix),
            _ => Err(Error::caller("unknown place of the class")
                .expected("dir, stem or prefix")
                .found(format!("{text:?}"))),
        }
    }
}

/// How recordings, or the labelled stretches of recordings, become samples of T frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleRule {
    /// One sample of the first `steps` frames; of all frames if not stated. Shorter samples are filled up
    /// with empty frames.
    Whole {
        /// T, or the number of frames of the longest sample.
        steps: Option<usize>,
    },
    /// One sample, divided into `steps` bins of equal length.
    Bins {
        /// T.
        steps: usize,
    },
    /// As many samples of `steps` frames as there are, one after another.
    Cut {
        /// T.
        steps: usize,
        /// Whether a last sample with fewer frames is filled up, instead of being dropped.
        keep_partial: bool,
    },
}

impl SampleRule {
    /// T, if it is stated.
    pub fn steps(self) -> Option<usize> {
        match self {
            Self::Whole { steps } => steps,
            Self::Bins { steps } | Self::Cut { steps, .. } => Some(steps),
        }
    }
}

/// How samples are divided between training and test, if the set does not say so itself.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum SplitRule {
    /// As the set says; in one file if it says nothing.
    #[default]
    Published,
    /// All in one file.
    None,
    /// Of each class, this fraction trains, rounded up, chosen by a seed.
    Random {
        /// The seed.
        seed: u64,
        /// The fraction that trains.
        fraction: f64,
    },
    /// Of each class, the first recordings by name train: this fraction of them, rounded up.
    First {
        /// The fraction that trains.
        fraction: f64,
    },
    /// This earlier fraction of the time of each recording trains, and the later tests. No sample is across
    /// the border.
    Time {
        /// The fraction that trains.
        fraction: f64,
    },
    /// Of each class, the first 100 recordings by name test and the others train, as TEBN and others do
    /// with CIFAR10-DVS. It scores higher than a random division.
    Tebn,
}

impl FromStr for SplitRule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let fraction =
            |text: &str| text.parse::<f64>().ok().filter(|value| *value > 0.0 && *value < 1.0);
        let rule = match *parts {
            ["none"] => Some(Self::None),
            ["tebn"] => Some(Self::Tebn),
            ["first", part] => fraction(part).map(|fraction| Self::First { fraction }),
            ["time", part] => fraction(part).map(|fraction| Self::Time { fraction }),
            ["random", seed, part] => match (seed.parse(), fraction(part)) {
                (Ok(seed), Some(fraction)) => Some(Self::Random { seed, fraction }),
                _ => None,
            },
            _ => None,
        };
        rule.ok_or_else(|| {
            Error::caller("invalid rule for the split")
                .expected(
                    "none, random:SEED:FRACTION, first:FRACTION, time:FRACTION or tebn, with fractions between 0 and 1",
                )
                .found(format!("{text:?}"))
        })
    }
}

impl fmt::Display for SplitRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Published => f.write_str("published"),
            Self::None => f.write_str("none"),
            Self::Random { seed, fraction } => write!(f, "random:{seed}:{fraction}"),
            Self::First { fraction } => write!(f, "first:{fraction}"),
            Self::Time { fraction } => write!(f, "time:{fraction}"),
            Self::Tebn => f.write_str("tebn"),
        }
    }
}

/// A thing that is assigned to a split as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit<'a> {
    /// Where it is from.
    pub name: &'a str,
    pub number: usize,
    pub class: Option<usize>,
    pub published: Option<Split>,
}

impl SplitRule {
    /// The splits of these things, in the order of their recordings. With [`SplitRule::Time`] all of them
    /// are divided, and train here.
    pub(super) fn assign(self, units: &[Unit<'_>]) -> Vec<Option<Split>> {
        let mut splits = vec![None; units.len()];
        match self {
            Self::None => {}
            Self::Published => {
                for (split, unit) in splits.iter_mut().zip(units) {
                    *split = unit.published;
                }
            }
            Self::Time { .. } => splits.fill(Some(Split::Train)),
            Self::Random { .. } | Self::First { .. } | Self::Tebn => {
                let classes: std::collections::BTreeSet<_> =
                    units.iter().map(|unit| unit.class).collect();
                for class in classes {
                    let mut members: Vec<usize> =
                        (0..units.len()).filter(|&i| units[i].class == class).collect();
                    if let Self::Random { seed, .. } = self {
                        let key = |unit: &Unit<'_>| {
                            let text = format!("{seed}\n{}\n{}", unit.name, unit.number);
                            twox_hash::XxHash64::oneshot(seed, text.as_bytes())
                        };
                        members.sort_by_key(|&i| (key(&units[i]), i));
                    }
                    let n = members.len();
                    let (train, first) = match self {
                        Self::Random { fraction, .. } | Self::First { fraction } => {
                            // 0.9 of 10 is 9, although 0.9 * 10.0 may be above it.
                            ((fraction * n as f64 - 1e-9).ceil() as usize, Split::Train)
                        }
                        _ => (100.min(n), Split::Test),
                    };
                    let other = if first == Split::Train { Split::Test } else { Split::Train };
                    for (k, &i) in members.iter().enumerate() {
                        splits[i] = Some(if k < train { first } else { other });
                    }
                }
            }
        }
        splits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn splits(rule: &str, n: usize) -> Vec<Option<Split>> {
        let names: Vec<String> = (0..n).map(|i| format!("{i}")).collect();
        let units: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(number, name)| Unit { name, number, class: Some(number % 2), published: None })
            .collect();
        rule.parse::<SplitRule>().unwrap().assign(&units)
    }

    #[test]
    fn rules_divide_every_class() {
        let train = |all: &[Option<Split>], class: usize| {
            all.iter().skip(class).step_by(2).filter(|s| **s == Some(Split::Train)).count()
        };
        for rule in ["first:0.9", "random:3:0.9"] {
            let all = splits(rule, 20);
            assert_eq!((train(&all, 0), train(&all, 1)), (9, 9), "{rule}");
        }
        let first = splits("first:0.5", 8);
        assert!(first[..4].iter().all(|split| *split == Some(Split::Train)));
        assert_ne!(splits("random:1:0.5", 40), splits("random:2:0.5", 40));
        assert_eq!(splits("random:1:0.5", 40), splits("random:1:0.5", 40));
        let tebn = splits("tebn", 300);
        assert_eq!((tebn[199], tebn[200]), (Some(Split::Test), Some(Split::Train)));
        assert!(splits("none", 3).iter().all(Option::is_none));
    }

    #[test]
    fn rules_read_what_they_print() {
        for text in ["none", "random:7:0.8", "first:0.9", "time:0.7", "tebn"] {
            assert_eq!(text.parse::<SplitRule>().unwrap().to_string(), text);
        }
        for bad in ["", "time", "time:0", "time:1", "first:-1", "random:0.5", "random:x:0.5"] {
            assert!(bad.parse::<SplitRule>().is_err(), "{bad}");
        }
    }
}
