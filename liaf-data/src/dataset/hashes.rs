//! The hashes by which a file of samples is verified, one for each recording.

use std::hash::Hasher;

use serde_json::{Map, Value};
use twox_hash::XxHash64;

use super::boxes::SampleBox;
use super::output::{PerSample, Sample};
use crate::error::{Error, Result};

/// The version that files state under `dataset`. Files without it have the items and boxes of samples in their
/// hashes and nothing else; from 2 on also their labels and other numbers, the names of the recordings, and
/// the JSON text.
pub(super) const VERSION: u64 = 2;

/// The hashes of the samples of each recording so far.
pub(super) struct Hashes {
    all: Vec<XxHash64>,
    /// The numbers of samples that are a part of the hashes.
    columns: Vec<PerSample>,
}

impl Hashes {
    /// The hashes of a file without samples. `about` is the JSON text, or what is the same in all files of the
    /// set, and `text` the whole of it.
    pub fn new(
        about: &Map<String, Value>,
        text: &str,
        names: &[String],
        columns: Vec<PerSample>,
    ) -> Self {
        let version = about.get("dataset").and_then(|dataset| dataset.get("hashes"));
        if version.and_then(Value::as_u64) != Some(VERSION) {
            let all = vec![XxHash64::with_seed(0); names.len()];
            return Self { all, columns: Vec::new() };
        }
        let seed = XxHash64::oneshot(0, text.as_bytes());
        let of = |name: &String| {
            let mut hash = XxHash64::with_seed(seed);
            hash.write(name.as_bytes());
            hash
        };
        Self { all: names.iter().map(of).collect(), columns }
    }

    /// Adds items of a sample.
    pub fn items(&mut self, sample: &Sample, items: &[u8]) -> Result<()> {
        self.of(sample)?.write(items);
        Ok(())
    }

    /// Adds what else is known about a sample, after its items.
    pub fn end(&mut self, sample: &Sample, boxes: &[SampleBox]) -> Result<()> {
        let numbers: Vec<i64> = self.columns.iter().map(|column| column.get(sample)).collect();
        let hash = self.of(sample)?;
        boxes.iter().for_each(|one| one.hash(hash));
        numbers.iter().for_each(|number| hash.write(&number.to_le_bytes()));
        Ok(())
    }

    /// The hash of the recording of a sample.
    fn of(&mut self, sample: &Sample) -> Result<&mut XxHash64> {
        let source = usize::try_from(sample.source).ok();
        let hash = source.and_then(|source| self.all.get_mut(source));
        hash.ok_or_else(|| Error::malformed("a sample is of no recording"))
    }

    /// The hashes of all recordings.
    pub fn finish(&self) -> Vec<u64> {
        self.all.iter().map(Hasher::finish).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn files_without_a_version_have_the_hashes_of_their_items() {
        let names = ["a".to_owned(), "b".to_owned()];
        let of = |dataset: Value, sample: Sample| {
            let Value::Object(about) = json!({ "dataset": dataset }) else { panic!() };
            let text = Value::Object(about.clone()).to_string();
            let mut hashes = Hashes::new(&about, &text, &names, vec![PerSample::Labels]);
            hashes.items(&sample, &[1, 2]).unwrap();
            hashes.items(&sample, &[3]).unwrap();
            hashes.end(&sample, &[]).unwrap();
            hashes.finish()
        };
        let sample = Sample { source: 1, ..Sample::UNKNOWN };
        let other = Sample { class: 4, ..sample };
        let plain = [XxHash64::oneshot(0, &[]), XxHash64::oneshot(0, &[1, 2, 3])];
        assert_eq!(of(json!({}), sample), plain);
        assert_eq!(of(json!({}), other), plain);
        let (a, b) = (json!({ "hashes": VERSION }), json!({ "hashes": VERSION, "x": 1 }));
        let first = of(a.clone(), sample);
        assert_ne!(first[1], plain[1]);
        assert_ne!(of(a, other)[1], first[1]);
        assert!(of(b, sample).iter().zip(&first).all(|(b, a)| a != b));
    }
}
