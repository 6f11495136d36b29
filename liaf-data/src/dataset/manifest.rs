//! The list of the files that hold the samples of a split together.

use std::fs::File;
use std::hash::Hasher;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use super::reader::SampleFile;
use super::shards::ShardKind;
use super::title::check_same;
use crate::error::{Error, Result};
use crate::io::AtomicFile;

/// Longest list that is read, in bytes.
const MOST_BYTES: u64 = 256 << 20;

/// The list of the shards of a split, as a JSON file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The version of this form.
    pub liaf_shards: u32,
    /// The plan of the build.
    pub plan: String,
    pub split: Option<String>,
    /// The number or size of the shards that was asked for; none if they are parts of the work.
    pub division: Option<String>,
    /// Number of samples.
    pub samples: u64,
    /// `[T, C, H, W]`.
    pub shape: [usize; 4],
    /// Number of recordings that could not be used.
    pub failed: u64,
    pub shards: Vec<Row>,
}

/// A shard in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    /// The name of the file, which is in the same folder.
    pub file: String,
    /// The number of samples in the shards before it.
    pub offset: u64,
    /// The number of its samples.
    pub samples: u64,
    /// Its size.
    pub bytes: u64,
    /// The hash of all of its bytes.
    pub xxh64: String,
}

/// The list of the shards of a file that would have this path.
pub(super) fn path(out: &Path) -> PathBuf {
    out.with_extension("json")
}

/// Whether a path is that of a list.
pub(super) fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

/// Puts the shards of a split in order.
///
/// # Errors
/// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if they are not those of one split of one set, or if one
/// of them is missing.
pub(super) fn in_order(mut files: Vec<SampleFile>) -> Result<Vec<SampleFile>> {
    let number = |file: &SampleFile| file.stated.which.shard.map_or(0, |shard| shard.number);
    files.sort_by_key(number);
    let Some(first) = files.first() else { return Ok(files) };
    let Some(of) = first.stated.which.shard else {
        let error = Error::caller("this file is whole, and no shard of another");
        return Err(error.in_file(&first.path));
    };
    for (expected, file) in (1..).zip(&files) {
        check_same(&first.stated, &file.stated, &file.path)?;
        let shard = file.stated.which.shard;
        if shard.is_none_or(|shard| (shard.kind, shard.of) != (of.kind, of.of)) {
            let error = Error::caller("this is a shard of another division").in_file(&file.path);
            return Err(error.expected(format!("one of {}", of.of)));
        }
        if file.names != first.names {
            let error = Error::caller("this shard is of other recordings than the first");
            return Err(error.in_file(&file.path));
        }
        if number(file) < expected {
            let error = Error::caller(format!("shard {} is there twice", number(file)));
            return Err(error.in_file(&file.path));
        }
        if number(file) > expected {
            return Err(missing(expected, of.of));
        }
    }
    if files.len() < of.of {
        return Err(missing(files.len() + 1, of.of));
    }
    Ok(files)
}

fn missing(number: usize, of: usize) -> Error {
    Error::caller(format!("shard {number} of {of} is missing"))
}

/// Number of recordings that could not be used for any of these shards.
pub(super) fn failed(files: &[SampleFile]) -> u64 {
    let of = |file: &SampleFile| file.stated.which.failed;
    let is_part = |file: &&SampleFile| {
        file.stated.which.shard.is_some_and(|shard| shard.kind == ShardKind::Part)
    };
    match files.first() {
        // Each shard of a division counts those of the whole set.
        Some(first) if !is_part(&first) => of(first),
        _ => files.iter().map(of).sum(),
    }
}

impl Manifest {
    /// The list of these shards, which are in order.
    pub fn of(files: &[SampleFile], division: Option<String>) -> Result<Self> {
        let hashes: Vec<_> = files.iter().map(|file| hash_of(&file.path)).collect::<Result<_>>()?;
        Self::of_hashed(files, &hashes, division)
    }

    /// The list of these shards with these sizes and hashes.
    fn of_hashed(
        files: &[SampleFile],
        hashes: &[(u64, u64)],
        division: Option<String>,
    ) -> Result<Self> {
        let Some(first) = files.first() else { return Err(Error::caller("there are no shards")) };
        let (mut shards, mut offset) = (Vec::new(), 0);
        for (file, (bytes, hash)) in files.iter().zip(hashes) {
            if file.stated.shape != first.stated.shape {
                return Err(Error::caller(
                    "the samples of the shards have different numbers of frames",
                )
                .expected(first.stated.shape[0])
                .found(file.stated.shape[0])
                .advice("join the shards, or state the number of frames")
                .in_file(&file.path));
            }
            let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let samples = file.samples.len() as u64;
            let (bytes, xxh64) = (*bytes, format!("{hash:016x}"));
            shards.push(Row { file: name, offset, samples, bytes, xxh64 });
            offset += samples;
        }
        Ok(Self {
            liaf_shards: 1,
            plan: first.stated.plan.clone(),
            split: first.stated.which.split.map(|split| split.name().to_owned()),
            division,
            samples: offset,
            shape: first.stated.shape,
            failed: failed(files),
            shards,
        })
    }

    /// Writes the list.
    pub fn write(&self, path: &Path, overwrite: bool) -> Result<()> {
        let mut text = serde_json::to_vec_pretty(self).map_err(Error::other)?;
        text.push(b'\n');
        let mut file = AtomicFile::create(path, overwrite, true)?;
        file.append(&text)?;
        file.finish().map(drop)
    }

    /// Reads a list.
    ///
    /// # Errors
    /// If it is none, or if it contradicts itself.
    pub fn read(path: &Path) -> Result<Self> {
        let system =
            |cause| Error::system("the list of shards cannot be read", cause).in_file(path);
        let mut text = Vec::new();
        let file = File::open(path).map_err(system)?;
        file.take(MOST_BYTES).read_to_end(&mut text).map_err(system)?;
        let list: Self = serde_json::from_slice(&text).map_err(|cause| {
            Error::malformed("this is no list of shards").found(cause).in_file(path)
        })?;
        let malformed = |what: String| Err(Error::malformed(what).in_file(path));
        if list.liaf_shards != 1 {
            return Err(Error::unsupported("the list of shards has another version")
                .expected(1)
                .found(list.liaf_shards)
                .in_file(path));
        }
        let mut offset = 0_u64;
        for row in &list.shards {
            if row.offset != offset {
                return malformed(format!(
                    "the offset of {} is {}, not {offset}",
                    row.file, row.offset
                ));
            }
            if Path::new(&row.file).file_name().is_none_or(|name| name != &*row.file) {
                return malformed(format!("{:?} is no name of a file", row.file));
            }
            offset = offset.saturating_add(row.samples);
        }
        match offset == list.samples && !list.shards.is_empty() {
            true => Ok(list),
            false => malformed(format!("the shards have {offset} samples, not {}", list.samples)),
        }
    }

    /// The paths of the shards of a list at `path`.
    pub fn paths(&self, path: &Path) -> Vec<PathBuf> {
        self.shards.iter().map(|row| path.with_file_name(&row.file)).collect()
    }

    /// Checks all shards: their names, order, sizes and hashes. The samples of shards with these hashes are those
    /// that were checked when the list was made.
    ///
    /// # Errors
    /// If a shard is missing, damaged or another than the list says.
    pub fn verify(&self, path: &Path) -> Result<()> {
        let (mut files, mut hashes) = (Vec::new(), Vec::new());
        for (row, file) in self.shards.iter().zip(self.paths(path)) {
            let (bytes, hash) = hash_of(&file)?;
            let found = format!("{bytes} bytes with the hash {hash:016x}");
            let expected = format!("{} bytes with the hash {}", row.bytes, row.xxh64);
            if found != expected {
                let error = Error::malformed("the shard is not the one in the list");
                return Err(error.expected(expected).found(found).in_file(&file));
            }
            files.push(SampleFile::open(&file)?);
            hashes.push((bytes, hash));
        }
        if Self::of_hashed(&in_order(files)?, &hashes, self.division.clone())? != *self {
            let error = Error::malformed("the list does not agree with its shards");
            return Err(error.in_file(path));
        }
        Ok(())
    }
}

/// The size of a file and the hash of its bytes.
fn hash_of(path: &Path) -> Result<(u64, u64)> {
    let system = |cause| Error::system("the file cannot be read", cause).in_file(path);
    let mut file = File::open(path).map_err(system)?;
    let (mut hash, mut size, mut piece) = (XxHash64::with_seed(0), 0, vec![0; 1 << 20]);
    loop {
        match file.read(&mut piece).map_err(system)? {
            0 => return Ok((size, hash.finish())),
            n => {
                hash.write(&piece[..n]);
                size += n as u64;
            }
        }
    }
}
