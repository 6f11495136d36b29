//! The tensor file of one split, made from the parts of all recordings.

use std::hash::Hasher;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use twox_hash::XxHash64;

use super::journal::Journal;
use super::part::Part;
use super::{Listing, Split};
use crate::error::{Error, Result};
use crate::frames::{FrameOptions, FrameRecipe, FrameShape};
use crate::limits::Limits;
use crate::model::SensorSize;
use crate::tensor::{Container, ElementType, Rows, TensorFile, TensorFileWriter, TensorOptions};

/// What is the same for the files of all splits.
pub(super) struct Output<'a> {
    pub set: &'a str,
    pub listing: &'a Listing,
    pub frames: &'a FrameOptions,
    pub sensor: SensorSize,
    pub shape: FrameShape,
    /// T.
    pub steps: u64,
    pub split_rule: String,
    pub plan: u64,
    pub container: Container,
    pub tensor: TensorOptions,
}

/// The path of the file of a split: `OUT` itself, or with `.train` or `.test` before the extension.
pub(super) fn path(out: &Path, split: Option<Split>) -> PathBuf {
    let Some(split) = split else { return out.to_owned() };
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    let extension = out.extension().unwrap_or_default().to_string_lossy();
    out.with_file_name(format!("{stem}.{}.{extension}", split.name()))
}

impl Output<'_> {
    fn provenance(&self, split: Option<Split>, failed: u64) -> String {
        let mut all = json!(FrameRecipe::from(self.frames));
        if let Value::Object(all) = &mut all {
            all.insert("liaf".into(), env!("CARGO_PKG_VERSION").into());
            all.insert("source".into(), json!({ "sensor": self.sensor }));
            let dataset = json!({
                "name": self.set,
                "class_names": self.listing.classes,
                "split": split.map(Split::name),
                "split_rule": self.split_rule,
                "recordings": self.listing.recordings.len(),
                "failed": failed,
                "plan": format!("{:016x}", self.plan),
            });
            all.insert("dataset".into(), dataset);
        }
        all.to_string()
    }

    /// Writes the samples of a split. Returns the number of samples and the size of the file.
    pub fn write(
        &self,
        out: &Path,
        split: Option<Split>,
        journal: &Journal,
        overwrite: bool,
    ) -> Result<(u64, u64)> {
        let options = TensorOptions { overwrite, ..self.tensor };
        let mut file = TensorFileWriter::create(out, self.container, &options)?;
        let failed = self.listing.recordings.len() - journal.done.len();
        file.set_provenance(self.provenance(split, failed as u64))?;
        let FrameShape { channels, height, width } = self.shape;
        let row = [self.steps as usize, channels, height, width];
        let frames = file.add("frames", self.frames.dtype.into(), Rows::Growing, &row)?;
        let columns = ["labels", "lengths", "source", "t_start"];
        let mut tensors = Vec::new();
        for name in columns {
            if name != "labels" || !self.listing.classes.is_empty() {
                tensors.push((name, file.add(name, ElementType::I64, Rows::Growing, &[])?));
            }
        }
        // The names of the recordings, one after another, and where each begins.
        let (mut names, mut offsets) = (Vec::new(), vec![0_i64]);
        for entry in &self.listing.recordings {
            names.extend_from_slice(entry.name.as_bytes());
            offsets.push(names.len() as i64);
        }
        file.write("names", &[names.len()], &names)?;
        file.write("names_offsets", &[offsets.len()], &offsets)?;
        let hashes = file.add("hashes", ElementType::U64, Rows::Growing, &[])?;
        let frame_bytes = (self.shape.cells() * self.frames.dtype.bytes()) as u64;
        let zeros = vec![0_u8; frame_bytes.min(1 << 20) as usize];
        let mut samples = 0;
        for (recording, _) in self.listing.recordings.iter().enumerate() {
            let mut hash = XxHash64::with_seed(0);
            if let Some(&expected) = journal.done.get(&recording) {
                let mut part = Part::open(&journal.part(recording), expected)?;
                for row in std::mem::take(&mut part.head.rows) {
                    let bytes = row.frames * frame_bytes;
                    if row.dropped || row.split.map(Split::from) != split {
                        part.skip(bytes)?;
                        continue;
                    }
                    if row.frames > self.steps {
                        return Err(Error::malformed("a sample has more frames than planned"));
                    }
                    let mut buffer = Vec::with_capacity((self.steps * frame_bytes) as usize);
                    part.cells(bytes, |piece| {
                        buffer.extend_from_slice(piece);
                        Ok(())
                    })?;
                    let mut padding = (self.steps - row.frames) * frame_bytes;
                    while padding > 0 {
                        let n = padding.min(zeros.len() as u64);
                        buffer.extend_from_slice(&zeros[..n as usize]);
                        padding -= n;
                    }
                    hash.write(&buffer);
                    file.append_bytes(frames, &buffer)?;
                    for (name, tensor) in &tensors {
                        let value = match *name {
                            "labels" => row.class,
                            "lengths" => row.frames as i64,
                            "source" => recording as i64,
                            _ => row.start,
                        };
                        file.append(*tensor, &[value])?;
                    }
                    samples += 1;
                }
            }
            file.append(hashes, &[hash.finish()])?;
        }
        Ok((samples, file.finish()?))
    }
}

/// What a finished file says about how it was made, and whether its frames are those that were written.
pub(super) struct Finished {
    /// The plan by which it was made.
    pub plan: String,
    pub samples: u64,
    /// Number of recordings that could not be used.
    pub failed: u64,
}

/// Reads a finished file and checks all of its frames against their hashes.
///
/// # Errors
/// If it is no file of a data set, or if it is damaged.
pub(super) fn verify(path: &Path) -> Result<Finished> {
    let size = std::fs::metadata(path).map(|meta| meta.len()).unwrap_or(0);
    let held = usize::try_from(size.saturating_mul(1100)).unwrap_or(usize::MAX);
    let limits = Limits { held_bytes: held.max(Limits::DEFAULT.held_bytes), ..Limits::DEFAULT };
    let file = TensorFile::open(path, &limits)?;
    let other = || Error::malformed("this is no file of a data set").in_file(path);
    let about: Value =
        file.provenance().and_then(|text| serde_json::from_str(text).ok()).ok_or_else(other)?;
    let plan = about["dataset"]["plan"].as_str().ok_or_else(other)?.to_owned();
    let frames = file.get("frames")?;
    let source = file.get("source")?.to_vec::<i64>()?;
    let hashes = file.get("hashes")?.to_vec::<u64>()?;
    let bytes = frames.bytes();
    let sample = bytes.len() / source.len().max(1);
    let mut found: Vec<XxHash64> = hashes.iter().map(|_| XxHash64::with_seed(0)).collect();
    for (number, &source) in source.iter().enumerate() {
        let hash = usize::try_from(source).ok().and_then(|source| found.get_mut(source));
        hash.ok_or_else(other)?.write(&bytes[number * sample..(number + 1) * sample]);
    }
    for (recording, (found, stored)) in found.iter().zip(&hashes).enumerate() {
        if found.finish() != *stored {
            let what =
                format!("the frames of recording {recording} are not those that were written");
            return Err(Error::malformed(what).in_file(path));
        }
    }
    let failed = about["dataset"]["failed"].as_u64().unwrap_or(0);
    Ok(Finished { plan, samples: source.len() as u64, failed })
}
