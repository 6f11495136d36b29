//! What makes two runs the same: a checkpoint is continued only by its own experiment.

use std::hash::Hasher;
use std::sync::Arc;

use liaf_core::{Error, NetworkConfig};
use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use super::config::{Recipe, Scale};
use super::data::Data;
use crate::error::Result;
use crate::samples::Examples;

/// What must not change between a run and its continuation: a note of checkpoints. Everything else of a
/// recipe may.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Identity {
    network: NetworkConfig,
    data: String,
    batch: usize,
    seed: u64,
    bucket: usize,
    scale: Scale,
}

/// Number of samples of a set of which all numbers are compared.
const LOOKED_AT: usize = 64;

impl Identity {
    /// The name of the note.
    pub const NOTE: &str = "experiment.identity";

    pub fn new(network: &NetworkConfig, recipe: &Recipe, data: &Data) -> Result<Self> {
        let &Recipe { batch, seed, bucket, scale, .. } = recipe;
        let sets = [Some(&data.train), data.validation.as_ref(), Some(&data.test)];
        let data = fingerprint(sets.into_iter().flatten())?;
        Ok(Self { network: network.clone(), data, batch, seed, bucket, scale })
    }

    /// Returns an error if a checkpoint is of another experiment.
    pub fn check(&self, note: Option<&String>) -> Result<()> {
        let Some(note) = note else {
            let error = Error::checkpoint("the checkpoint is not of an experiment");
            return Err(error.advice("choose another folder").into());
        };
        let other: Self = serde_json::from_str(note).map_err(|error| {
            Error::checkpoint("the checkpoint is of an experiment of another version").found(error)
        })?;
        let same = [
            ("network", self.network == other.network),
            ("data", self.data == other.data),
            ("batch", self.batch == other.batch),
            ("seed", self.seed == other.seed),
            ("bucket", self.bucket == other.bucket),
            ("scale", self.scale == other.scale),
        ];
        let other: Vec<&str> =
            same.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect();
        if other.is_empty() {
            return Ok(());
        }
        let error = Error::checkpoint("the checkpoint is of another experiment");
        let advice = "continue with the same experiment, or choose another folder";
        Err(error.found(format!("another {}", other.join(", another "))).advice(advice).into())
    }
}

/// A number that depends on the classes and labels of all samples, and on the cells of some of them.
pub(super) fn fingerprint<'a>(
    sets: impl IntoIterator<Item = &'a Arc<dyn Examples>>,
) -> Result<String> {
    let mut hash = XxHash64::with_seed(0);
    for set in sets {
        for class in set.classes() {
            hash.write(class.as_bytes());
            hash.write_u8(0);
        }
        for &label in set.labels() {
            hash.write_u64(label as u64);
        }
        let every = set.len().div_ceil(LOOKED_AT).max(1);
        for number in (0..set.len()).step_by(every) {
            let sample = set.collate(&[number])?;
            for input in set.inputs() {
                hash.write_u64(set.steps(number) as u64);
                for &cell in sample.array(&input.name).into_iter().flatten() {
                    hash.write_u32(cell.to_bits());
                }
            }
        }
    }
    Ok(format!("{:016x}", hash.finish()))
}
