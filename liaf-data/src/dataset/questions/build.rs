//! Making the tensor files of a set of questions. This takes moments, so that no parts are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde_json::json;
use twox_hash::XxHash64;

use super::read::Questions;
use super::tensors::{Writer, verify};
use super::text::Text;
use crate::dataset::build::{Build, Built, ClassRow, Progress};
use crate::dataset::title::{self, plan_text};
use crate::dataset::{Entry, Listing, Split, SplitRule, journal, shards};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::tensor::{TensorFileWriter, TensorOptions};

/// Makes the files of all splits. Every text decides the numbers of the words, and so none can be left out.
///
/// # Errors
/// As [`Build::run`].
pub(in crate::dataset) fn run(
    build: &Build,
    listing: &Listing,
    progress: &(dyn Fn(&Progress) + Sync),
    go_on: &(dyn Fn() -> bool + Sync),
) -> Result<Built> {
    if !matches!(build.split, SplitRule::Published | SplitRule::None) {
        return Err(Error::caller("the set says itself what trains and tests")
            .expected("no rule for the split, or none for a single file")
            .found(build.split));
    }
    if build.part.is_some() || build.shards.is_some() {
        return Err(Error::caller("questions take moments, and are not divided between files"));
    }
    let split = |entry: &Entry| entry.split.filter(|_| build.split != SplitRule::None);
    let splits: BTreeSet<Option<Split>> = listing.recordings.iter().map(split).collect();
    let files: Vec<(Option<Split>, PathBuf)> =
        splits.into_iter().map(|split| (split, shards::path(&build.output, split, None))).collect();
    let texts = Questions::read_with(listing, progress, go_on)?;
    let plan = plan(build, listing, &texts);
    let mut built = Built { steps: texts.longest.0 as u64, ..Built::default() };
    if let Some(files) = complete(build, &files, &plan)? {
        return Ok(Built { files, was_complete: true, ..built });
    }
    built.classes = count(&texts.texts, listing, &split);
    let samples: u64 = built.classes.iter().flat_map(|row| row.samples).sum();
    if samples == 0 {
        return Err(Error::caller("there are no questions in the texts"));
    }
    let (bytes, most) = (texts.row_bytes() * samples, build.tensor.limits.output_bytes);
    if bytes > most {
        return Err(Error::limit("the stories would be too large")
            .expected(format!("at most {most} bytes before compression"))
            .found(format!("{bytes} bytes"))
            .hint(Hint::raise("output_bytes", Some(bytes))));
    }
    for (of, path) in files {
        let is_ours = path.exists() && verify(&path).is_ok_and(|(made, _)| made == plan);
        let overwrite = build.tensor.overwrite || is_ours;
        let options = TensorOptions { overwrite, ..build.tensor };
        let mut file = TensorFileWriter::create(&path, build.container, &options)?;
        file.set_provenance(provenance(build, listing, &texts, of, &plan))?;
        let mut writer = Writer::new(&mut file, texts.longest, &title::names(listing))?;
        for (source, (entry, text)) in listing.recordings.iter().zip(&texts.texts).enumerate() {
            let chosen = Some(text).filter(|_| split(entry) == of);
            writer.text(chosen, source, task(&entry.name).0)?;
        }
        let samples = writer.samples;
        built.files.push((path, samples, file.finish()?));
    }
    Ok(built)
}

/// The files, if all of them are there, and were made by this plan.
///
/// # Errors
/// If one of them was made in another way and must not be replaced.
fn complete(
    build: &Build,
    files: &[(Option<Split>, PathBuf)],
    plan: &str,
) -> Result<Option<Vec<(PathBuf, u64, u64)>>> {
    if build.tensor.overwrite {
        return Ok(None);
    }
    let mut found = Vec::new();
    for (_, path) in files.iter().filter(|(_, path)| path.exists()) {
        match verify(path) {
            Ok((made, samples)) if made == plan => {
                let bytes = fs::metadata(path).map_or(0, |meta| meta.len());
                found.push((path.clone(), samples, bytes));
            }
            _ => return Err(journal::exists(path)),
        }
    }
    Ok((found.len() == files.len()).then_some(found))
}

/// A hash of everything on which the bytes of the files depend.
fn plan(build: &Build, listing: &Listing, texts: &Questions) -> String {
    let texts = texts.texts.iter().zip(&listing.recordings);
    let texts: Vec<_> =
        texts.map(|(text, entry)| json!([entry.name, entry.split, text.hash])).collect();
    let plan = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "set": build.set,
        "texts": texts,
        "split": build.split.to_string(),
        "container": build.container.to_string(),
        "compression": format!("{:?} {}", build.tensor.compression, build.tensor.npz_deflate),
    });
    plan_text(XxHash64::oneshot(0, plan.to_string().as_bytes()))
}

fn provenance(
    build: &Build,
    listing: &Listing,
    texts: &Questions,
    split: Option<Split>,
    plan: &str,
) -> String {
    let about = json!({
        "liaf": env!("CARGO_PKG_VERSION"),
        "dataset": {
            "name": build.set,
            "vocabulary": texts.vocabulary,
            "split": split.map(Split::name),
            "split_rule": build.split.to_string(),
            "recordings": listing.recordings.len(),
            "failed": 0,
            "plan": plan,
        },
    });
    about.to_string()
}

/// Number of questions of each task.
fn count(
    texts: &[Text],
    listing: &Listing,
    split: &dyn Fn(&Entry) -> Option<Split>,
) -> Vec<ClassRow> {
    let mut rows: BTreeMap<(usize, &str), [u64; 4]> = BTreeMap::new();
    for (entry, text) in listing.recordings.iter().zip(texts) {
        let column = Split::column(split(entry));
        rows.entry(task(&entry.name)).or_default()[column] += text.questions.len() as u64;
    }
    let row = |((_, task), samples): ((usize, &str), _)| ClassRow { class: task.into(), samples };
    rows.into_iter().map(row).collect()
}

/// The number and the name of the task of a file: 1 and `qa1_single-supporting-fact`.
fn task(name: &str) -> (usize, &str) {
    let file = name.rsplit('/').next().unwrap_or(name);
    let task = file.rsplit_once('_').map_or(file, |(task, _)| task);
    let number = task.trim_start_matches("qa").split('_').next().and_then(|n| n.parse().ok());
    (number.unwrap_or(0), task)
}
