//! Questions about stories: bAbI (Weston et al. 2015, CC BY 3.0), as text.
//!
//! A task has the files `qa1_…_train.txt` and `qa1_…_test.txt`. Words and punctuation are tokens, and the
//! vocabulary is the sorted set of those of stories, questions and answers of both files; 0 is padding. An
//! answer is one token, so that there is a class for each token, and one for the padding.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use liaf_core::Shape;
use liaf_data::Error;
use ndarray::{Array2, ArrayD};
use serde::{Deserialize, Serialize};

use super::{Data, Kind, Loading, located};
use crate::error::Result;
use crate::experiment::document::Document;
use crate::samples::examples::check_numbers;
use crate::samples::{Collated, Examples, Input};

/// One task.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Babi {
    /// The folder of the files, such as `tasks_1-20_v1-2/en`.
    dir: PathBuf,
    /// Number of the task, from 1.
    task: u32,
    /// The last so many tokens of a story are kept. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    story: Option<usize>,
}

/// Largest size of a file.
const MOST: u64 = 64 << 20;

impl Kind for Babi {
    const NAME: &str = "babi";

    fn locate(&mut self, document: &Document) {
        self.dir = located(document, &["data", "dir"], &self.dir);
    }

    fn load(&self, _loading: &Loading<'_>) -> Result<Data> {
        let read = |part: &str| {
            let path = find(&self.dir, self.task, part)?;
            questions(&text(&path)?, &path)
        };
        let (train, test) = (read("train")?, read("test")?);
        let words: BTreeSet<&str> = train.iter().chain(&test).flat_map(Question::words).collect();
        let words: Vec<&str> = words.into_iter().collect();
        let set = |all: &[Question]| -> Arc<dyn Examples> {
            Arc::new(Stories::new(all, &words, self.story.unwrap_or(usize::MAX)))
        };
        Ok(Data { train: set(&train), validation: None, test: set(&test), remarks: Vec::new() })
    }
}

fn find(dir: &Path, task: u32, part: &str) -> Result<PathBuf> {
    let fail = |error| Error::system("cannot read the folder", error).in_file(dir);
    let (start, end) = (format!("qa{task}_"), format!("_{part}.txt"));
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(&start) && name.ends_with(&end) {
            found.push(path);
        }
    }
    found.sort();
    match found.into_iter().next() {
        Some(path) => Ok(path),
        None => {
            let error = Error::caller("the folder has no file of this task");
            Err(error.expected(format!("{start}…{end}")).in_file(dir).into())
        }
    }
}

fn text(path: &Path) -> Result<String> {
    let fail = |error| Error::system("cannot read", error).in_file(path);
    let size = fs::metadata(path).map_err(fail)?.len();
    if size > MOST {
        let error = Error::new(liaf_data::ErrorKind::Limit, "the file is too long");
        return Err(error
            .expected(format!("at most {MOST} bytes"))
            .found(size)
            .in_file(path)
            .into());
    }
    Ok(fs::read_to_string(path).map_err(fail)?)
}

/// A question about a story, in tokens.
#[derive(Debug, Clone, PartialEq)]
struct Question {
    story: Vec<String>,
    question: Vec<String>,
    answer: String,
}

impl Question {
    fn words(&self) -> impl Iterator<Item = &str> {
        let all = self.story.iter().chain(&self.question).chain(std::iter::once(&self.answer));
        all.map(String::as_str)
    }
}

/// Reads lines `NUMBER TEXT` of a story, and `NUMBER QUESTION<tab>ANSWER<tab>…` of a question about the
/// lines before it. A story begins at each line number 1.
fn questions(text: &str, path: &Path) -> Result<Vec<Question>> {
    let (mut all, mut story) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        let refuse = |what: &str, expected: &str| {
            let at = format!("{}:{}", path.display(), number + 1);
            Error::malformed(what).expected(expected).in_file(at)
        };
        let (count, line) = line
            .trim()
            .split_once(' ')
            .ok_or_else(|| refuse("the line is not one of a story", "a number and a text"))?;
        match count.parse::<u32>() {
            Ok(1) => story.clear(),
            Ok(_) => {}
            Err(_) => return Err(refuse("the line has no number", "a number and a text").into()),
        }
        match line.split('\t').collect::<Vec<_>>()[..] {
            [sentence] => story.extend(tokens(sentence)),
            [question, answer, ..] => all.push(Question {
                story: story.clone(),
                question: tokens(question),
                answer: answer.trim().to_owned(),
            }),
            [] => {}
        }
    }
    match all
        .iter()
        .position(|q| q.story.is_empty() || q.question.is_empty() || q.answer.is_empty())
    {
        None if !all.is_empty() => Ok(all),
        None => Err(Error::malformed("the file has no questions").in_file(path).into()),
        Some(number) => {
            let error = Error::malformed("a question has no story, no words or no answer");
            Err(error.found(format!("question {number}")).in_file(path).into())
        }
    }
}

/// Words and punctuation.
fn tokens(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let mut own = String::new();
        for c in word.chars() {
            if c.is_alphanumeric() || c == '_' || c == '\'' || c == '-' {
                own.push(c);
            } else {
                all.extend((!own.is_empty()).then(|| std::mem::take(&mut own)));
                all.push(c.to_string());
            }
        }
        all.extend((!own.is_empty()).then_some(own));
    }
    all
}

/// The questions of a file as numbers of tokens.
#[derive(Debug)]
struct Stories {
    stories: Vec<Vec<usize>>,
    questions: Vec<Vec<usize>>,
    labels: Vec<usize>,
    classes: Vec<String>,
}

impl Stories {
    fn new(all: &[Question], words: &[&str], longest: usize) -> Self {
        // Every word is in the vocabulary, which was made of them.
        let number = |word: &String| 1 + words.binary_search(&word.as_str()).unwrap_or(0);
        let numbers = |words: &[String]| words.iter().map(number).collect::<Vec<_>>();
        let cut = |story: &[String]| numbers(&story[story.len().saturating_sub(longest.max(1))..]);
        let classes = std::iter::once("").chain(words.iter().copied()).map(str::to_owned);
        Self {
            stories: all.iter().map(|q| cut(&q.story)).collect(),
            questions: all.iter().map(|q| numbers(&q.question)).collect(),
            labels: all.iter().map(|q| number(&q.answer)).collect(),
            classes: classes.collect(),
        }
    }
}

/// Texts as rows that are filled up with 0 after their end.
fn padded(texts: &[Vec<usize>], numbers: &[usize]) -> (ArrayD<f32>, Vec<usize>) {
    let lengths: Vec<usize> = numbers.iter().map(|&number| texts[number].len()).collect();
    let steps = lengths.iter().copied().max().unwrap_or(0);
    let token =
        |(n, t): (usize, usize)| texts[numbers[n]].get(t).map_or(0.0, |&token| token as f32);
    (Array2::from_shape_fn((numbers.len(), steps), token).into_dyn(), lengths)
}

impl Examples for Stories {
    fn labels(&self) -> &[usize] {
        &self.labels
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn inputs(&self) -> Vec<Input> {
        let longest = |texts: &[Vec<usize>]| texts.iter().map(Vec::len).max().unwrap_or(0);
        let input = |name: &str, steps| Input { name: name.into(), shape: Shape::timed([]), steps };
        vec![input("question", longest(&self.questions)), input("story", longest(&self.stories))]
    }

    fn steps(&self, number: usize) -> usize {
        self.stories.get(number).map_or(0, Vec::len)
    }

    fn collate(&self, numbers: &[usize]) -> Result<Collated> {
        check_numbers(numbers, self.labels.len())?;
        let (stories, lengths) = padded(&self.stories, numbers);
        let (questions, of_questions) = padded(&self.questions, numbers);
        let labels = numbers.iter().map(|&number| self.labels[number]).collect();
        let batch = Collated::new(labels).with("question", questions, Some(of_questions));
        Ok(batch.with("story", stories, Some(lengths)))
    }

    fn classes_are_words(&self) -> bool {
        true
    }

    fn bytes(&self) -> u64 {
        let all = self.stories.iter().chain(&self.questions);
        all.map(|text| size_of::<usize>() as u64 * text.len() as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "1 Mary moved to the bathroom.\n2 John went to the hallway.\n\
        3 Where is Mary? \tbathroom\t1\n4 Mary left.\n5 Where is John? \thallway\t2\n\
        1 It's dark.\n2 What is it?\tdark\t1\n";

    #[test]
    fn stories_grow_until_the_next_one_begins() {
        let all = questions(TEXT, Path::new("qa1.txt")).unwrap();
        assert_eq!(all.iter().map(|q| q.story.len()).collect::<Vec<_>>(), [12, 15, 3]);
        assert_eq!(all[0].question, ["Where", "is", "Mary", "?"]);
        assert_eq!((all[1].answer.as_str(), &all[2].story[0][..]), ("hallway", "It's"));
    }

    #[test]
    fn a_batch_has_the_true_lengths() {
        let all = questions(TEXT, Path::new("qa1.txt")).unwrap();
        let words: BTreeSet<&str> = all.iter().flat_map(Question::words).collect();
        let words: Vec<&str> = words.into_iter().collect();
        let set = Stories::new(&all, &words, 13);
        let batch = set.collate(&[2, 1]).unwrap();
        assert_eq!(batch.lengths("story"), Some(&[3, 13][..]));
        assert_eq!(batch.array("story").unwrap().shape(), [2, 13]);
        assert_eq!(batch.array("story").unwrap()[[0, 3]], 0.0);
        let label = set.labels()[2];
        assert_eq!((set.classes()[label].as_str(), set.classes().len()), ("dark", words.len() + 1));
    }

    #[test]
    fn lines_that_are_no_story_are_refused_with_their_number() {
        for (text, place) in
            [("1 a b.\nx", "f:2"), ("1 a.\nb c", "f:2"), ("1 a.", "f"), ("1 a?\tb", "f")]
        {
            let error = questions(text, Path::new("f")).unwrap_err().to_string();
            assert!(error.starts_with(place), "{error}");
        }
    }
}
