//! Questions about stories: bAbI (Weston et al. 2015, CC BY 3.0), as text.
//!
//! A task has the files `qa1_…_train.txt` and `qa1_…_test.txt`, whose words [`Questions`] numbers. An answer is one
//! word, so that there is a class for each word, and one for the padding.

use std::path::PathBuf;
use std::sync::Arc;

use liaf_core::Shape;
use liaf_data::dataset::{Asked, DataSet, ListOptions, Questions, Split};
use ndarray::{Array2, ArrayD};
use serde::{Deserialize, Serialize};

use super::{Data, Kind, Loading, Source, located};
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

impl Kind for Babi {
    const NAME: &str = "babi";

    fn locate(&mut self, document: &Document) {
        self.dir = located(document, &["data", "dir"], &self.dir);
    }
}

impl Source for Babi {
    fn load(&self, _loading: &Loading<'_>) -> Result<Data> {
        let options =
            ListOptions { subset: Some(format!("qa{}", self.task)), ..ListOptions::default() };
        let listing = DataSet::named("babi")?.list(&self.dir, &options)?;
        let questions = Questions::read(&listing)?;
        let set = |split: Split| -> Arc<dyn Examples> {
            let texts = listing.recordings.iter().zip(questions.texts());
            let of = texts.filter(|(entry, _)| entry.split == Some(split));
            let asked = of.flat_map(|(_, text)| text);
            Arc::new(Stories::new(asked, questions.vocabulary(), self.story))
        };
        let (train, test) = (set(Split::Train), set(Split::Test));
        Ok(Data { train, validation: None, test, remarks: listing.remarks })
    }
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
    fn new<'a>(
        all: impl Iterator<Item = Asked<'a>>,
        vocabulary: &[String],
        longest: Option<usize>,
    ) -> Self {
        let (mut stories, mut questions, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        let numbers = |words: &[u32]| words.iter().map(|&word| word as usize).collect::<Vec<_>>();
        for Asked { story, question, answer, .. } in all {
            let left_out = longest.map_or(0, |longest| story.len().saturating_sub(longest.max(1)));
            stories.push(numbers(&story[left_out..]));
            questions.push(numbers(question));
            labels.push(answer as usize);
        }
        Self { stories, questions, labels, classes: vocabulary.to_vec() }
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
        1 It is dark.\n2 What is it?\tdark\t1\n";

    fn stories(longest: Option<usize>) -> Stories {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("qa1_facts_train.txt"), TEXT).unwrap();
        std::fs::write(dir.path().join("qa1_facts_test.txt"), TEXT).unwrap();
        let listing = DataSet::named("babi").unwrap().list(dir.path(), &ListOptions::default());
        let questions = Questions::read(&listing.unwrap()).unwrap();
        Stories::new(questions.texts().next().unwrap(), questions.vocabulary(), longest)
    }

    #[test]
    fn a_story_keeps_its_last_words() {
        let (all, short) = (stories(None), stories(Some(13)));
        assert_eq!(all.stories.iter().map(Vec::len).collect::<Vec<_>>(), [12, 15, 4]);
        assert_eq!(short.stories[1], all.stories[1][2..]);
        assert_eq!(short.stories[0], all.stories[0]);
    }

    #[test]
    fn a_batch_has_the_true_lengths() {
        let set = stories(Some(13));
        let batch = set.collate(&[2, 1]).unwrap();
        assert_eq!(batch.lengths("story"), Some(&[4, 13][..]));
        assert_eq!(batch.array("story").unwrap().shape(), [2, 13]);
        assert_eq!(batch.array("story").unwrap()[[0, 4]], 0.0);
        assert_eq!((&*set.classes()[set.labels()[2]], &*set.classes()[0]), ("dark", ""));
    }
}
