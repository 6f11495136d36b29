//! The tensors of questions.

use std::hash::Hasher;
use std::path::Path;

use serde_json::Value;
use twox_hash::XxHash64;

use super::text::Text;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::tensor::{ElementType, Rows, TensorFile, TensorFileWriter, TensorId};

/// The tensors with a number for each question.
const COLUMNS: [&str; 5] = ["answer", "lengths", "question_lengths", "source", "task"];

/// Number of words that are read at a time.
const BLOCK: usize = 1 << 19;

/// Writes questions to a file.
pub(super) struct Writer<'a> {
    file: &'a mut TensorFileWriter,
    story: TensorId,
    question: TensorId,
    columns: Vec<TensorId>,
    hashes: TensorId,
    /// Number of words in the rows of stories, and in those of questions.
    widths: (usize, usize),
    /// Number of questions so far.
    pub samples: u64,
}

impl<'a> Writer<'a> {
    /// Adds the tensors to a file. `names` are those of all texts.
    pub fn new(
        file: &'a mut TensorFileWriter,
        widths: (usize, usize),
        names: &[String],
    ) -> Result<Self> {
        let mut add = |name, row: &[usize]| file.add(name, ElementType::I64, Rows::Growing, row);
        let (story, question) = (add("story", &[widths.0])?, add("question", &[widths.1])?);
        let columns = COLUMNS.into_iter().map(|name| add(name, &[])).collect::<Result<_>>()?;
        let hashes = file.add("hashes", ElementType::U64, Rows::Growing, &[])?;
        file.write_texts("names", names)?;
        Ok(Self { file, story, question, columns, hashes, widths, samples: 0 })
    }

    /// Writes the questions of the text of this number, or none of them if it is of another file.
    pub fn text(&mut self, text: Option<&Text>, source: usize, task: usize) -> Result<()> {
        let mut hash = XxHash64::with_seed(0);
        for asked in text.into_iter().flat_map(Text::asked) {
            let before = filled(asked.story, self.widths.0);
            let question = filled(asked.question, self.widths.1);
            self.file.append(self.story, &before)?;
            self.file.append(self.question, &question)?;
            let (answer, lengths) = (asked.answer as usize, [asked.story, asked.question]);
            let [story, words] = lengths.map(<[u32]>::len);
            let values = [answer, story, words, source, task].map(|value| value as i64);
            for (tensor, value) in self.columns.iter().zip(values) {
                self.file.append(*tensor, &[value])?;
            }
            for value in before.iter().chain(&question).chain(&values[..3]) {
                hash.write(&value.to_le_bytes());
            }
            self.samples += 1;
        }
        self.file.append(self.hashes, &[hash.finish()])
    }
}

/// Words as a row of this length, which zeros fill up at its end.
fn filled(words: &[u32], length: usize) -> Vec<i64> {
    let mut row: Vec<i64> = words.iter().map(|&word| word.into()).collect();
    row.resize(length, 0);
    row
}

/// Checks a file as [`verify`] does, if it has questions at all.
pub(in crate::dataset) fn verify_any(path: &Path) -> Result<Option<(String, u64)>> {
    let is_one = TensorFile::open(path, &Limits::default()).is_ok_and(|f| f.contains("story"));
    if is_one { verify(path).map(Some) } else { Ok(None) }
}

/// Number of words in each of the `n` rows of a tensor.
fn width(file: &TensorFile, name: &str, n: usize) -> Result<usize> {
    match *file.info(name)?.shape {
        [rows, width] if rows == n => Ok(width),
        ref other => Err(Error::malformed(format!("{name} does not agree with the other tensors"))
            .expected(format!("{n} rows"))
            .found(format!("the shape {other:?}"))),
    }
}

/// Reads a finished file and checks it against its hashes. Returns its plan and its number of questions.
///
/// # Errors
/// If it is no file of questions, or if it is damaged.
pub(super) fn verify(path: &Path) -> Result<(String, u64)> {
    verify_within(path, &Limits::DEFAULT)
}

fn verify_within(path: &Path, limits: &Limits) -> Result<(String, u64)> {
    let file = TensorFile::open(path, limits)?;
    let other = || Error::malformed("this is no file of questions").in_file(path);
    let about = file.provenance().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let plan = about.as_ref().and_then(|about| about["dataset"]["plan"].as_str());
    let plan = plan.ok_or_else(other)?.to_owned();
    let numbers = |name: &str| file.get(name)?.to_vec::<i64>();
    let [answer, lengths, question_lengths, source, _] = COLUMNS.map(numbers);
    let (answer, lengths, question_lengths, source) =
        (answer?, lengths?, question_lengths?, source?);
    let stored = file.get("hashes")?.to_vec::<u64>()?;
    let mut found: Vec<XxHash64> = stored.iter().map(|_| XxHash64::with_seed(0)).collect();
    let n = source.len();
    if [&answer, &lengths, &question_lengths].iter().any(|column| column.len() != n) {
        return Err(other());
    }
    let [story, question] = [width(&file, "story", n)?, width(&file, "question", n)?];
    let at_a_time = (limits.held_bytes / 8).min(BLOCK) / (story + question).max(1) + 1;
    let [mut story_rows, mut question_rows] =
        [file.rows_in_order("story")?, file.rows_in_order("question")?];
    for first in (0..n).step_by(at_a_time) {
        let rows = first..n.min(first + at_a_time);
        let stories = story_rows.rows(rows.clone())?.to_vec::<i64>()?;
        let questions = question_rows.rows(rows.clone())?.to_vec::<i64>()?;
        for (at, i) in rows.enumerate() {
            let hash = usize::try_from(source[i]).ok().and_then(|source| found.get_mut(source));
            let hash = hash.ok_or_else(other)?;
            let before = &stories[at * story..(at + 1) * story];
            let asked = &questions[at * question..(at + 1) * question];
            let numbers = [answer[i], lengths[i], question_lengths[i]];
            for value in before.iter().chain(asked).chain(&numbers) {
                hash.write(&value.to_le_bytes());
            }
        }
    }
    if found.iter().map(Hasher::finish).ne(stored) {
        let error = Error::malformed("the questions are not those that were written");
        return Err(error.in_file(path));
    }
    Ok((plan, n as u64))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::fs;

    use super::*;
    use crate::dataset::{Build, DataSet, ListOptions};

    #[test]
    #[cfg_attr(not(feature = "zip"), ignore = "writes .npz")]
    fn stories_larger_than_what_may_be_held_are_verified_in_blocks() {
        let folder = tempfile::tempdir().unwrap();
        for split in ["train", "test"] {
            let mut text = String::new();
            for i in 0..100 {
                let line = 3 * (i % 10);
                let (told, asked) = (line + 1, line + 2);
                writeln!(
                    text,
                    "{told} Mary went to room {i}.\n{asked} Where is Mary?\t{i}\t{told}"
                )
                .unwrap();
            }
            fs::write(folder.path().join(format!("qa1_rooms_{split}.txt")), text).unwrap();
        }
        let set = DataSet::named("babi").unwrap();
        let listing = set.list(folder.path(), &ListOptions::default()).unwrap();
        let out = folder.path().join("out.npz");
        let built = Build::new("babi", &out).unwrap().run(&listing, &|_| {}, &|| true).unwrap();
        let limits = Limits { held_bytes: 2_048, ..Limits::DEFAULT };
        for (path, samples, _) in built.files {
            assert_eq!(verify_within(&path, &limits).unwrap().1, samples);
            let file = TensorFile::open(&path, &limits).unwrap();
            assert!(file.get("story").unwrap().bytes().len() > 10 * limits.held_bytes);
            let mut bytes = fs::read(&path).unwrap();
            let story = file.get("story").unwrap().bytes().to_vec();
            drop(file);
            let at = bytes.windows(story.len()).position(|window| window == story).unwrap();
            bytes[at + story.len() - 8] ^= 1;
            fs::write(&path, bytes).unwrap();
            let error = verify_within(&path, &limits).unwrap_err();
            assert!(error.to_string().contains("not those that were written"), "{error}");
        }
    }
}
