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
    pub fn new<'n>(
        file: &'a mut TensorFileWriter,
        widths: (usize, usize),
        names: impl Iterator<Item = &'n str>,
    ) -> Result<Self> {
        let mut add = |name, row: &[usize]| file.add(name, ElementType::I64, Rows::Growing, row);
        let (story, question) = (add("story", &[widths.0])?, add("question", &[widths.1])?);
        let columns = COLUMNS.into_iter().map(|name| add(name, &[])).collect::<Result<_>>()?;
        let hashes = file.add("hashes", ElementType::U64, Rows::Growing, &[])?;
        let (mut bytes, mut offsets) = (Vec::new(), vec![0_i64]);
        for name in names {
            bytes.extend_from_slice(name.as_bytes());
            offsets.push(bytes.len() as i64);
        }
        file.write("names", &[bytes.len()], &bytes)?;
        file.write("names_offsets", &[offsets.len()], &offsets)?;
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

/// Reads a finished file and checks it against its hashes. Returns its plan and its number of questions.
///
/// # Errors
/// If it is no file of questions, or if it is damaged.
pub(super) fn verify(path: &Path) -> Result<(String, u64)> {
    let file = TensorFile::open(path, &Limits::default())?;
    let other = || Error::malformed("this is no file of questions").in_file(path);
    let about = file.provenance().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let plan = about.as_ref().and_then(|about| about["dataset"]["plan"].as_str());
    let plan = plan.ok_or_else(other)?.to_owned();
    let numbers = |name: &str| file.get(name)?.to_vec::<i64>();
    let [story, question] = [numbers("story")?, numbers("question")?];
    let [answer, lengths, question_lengths, source, _] = COLUMNS.map(numbers);
    let (answer, lengths, question_lengths, source) =
        (answer?, lengths?, question_lengths?, source?);
    let stored = file.get("hashes")?.to_vec::<u64>()?;
    let mut found: Vec<XxHash64> = stored.iter().map(|_| XxHash64::with_seed(0)).collect();
    let n = source.len();
    for (i, &source) in source.iter().enumerate() {
        let row = |all: &[i64]| {
            let width = all.len() / n;
            all.get(i * width..(i + 1) * width).map(<[i64]>::to_vec).unwrap_or_default()
        };
        let rows = [&story, &question, &answer, &lengths, &question_lengths].map(|all| row(all));
        let hash = usize::try_from(source).ok().and_then(|source| found.get_mut(source));
        let hash = hash.ok_or_else(other)?;
        for value in rows.iter().flatten() {
            hash.write(&value.to_le_bytes());
        }
    }
    if found.iter().map(Hasher::finish).ne(stored) {
        let error = Error::malformed("the questions are not those that were written");
        return Err(error.in_file(path));
    }
    Ok((plan, n as u64))
}
