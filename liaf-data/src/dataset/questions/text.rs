//! Texts of numbered sentences and questions, as the bAbI tasks have them, in words.
//!
//! Each line is `<number> <sentence>`, or `<number> <question>\t<answer>\t<supporting lines>`. A story begins
//! at the number 1, and a question is about all sentences of its story before it.

use std::collections::HashMap;
use std::ops::Range;

use twox_hash::XxHash64;

use crate::error::{Error, Result};

/// The words of texts, each of which has a number, in the order in which they were first met.
#[derive(Debug, Default)]
pub(super) struct Words {
    numbers: HashMap<String, u32>,
}

impl Words {
    fn number(&mut self, word: &str) -> u32 {
        if let Some(&number) = self.numbers.get(word) {
            return number;
        }
        let number = self.numbers.len() as u32;
        self.numbers.insert(word.to_owned(), number);
        number
    }

    /// The vocabulary: all words of these texts in order, after an empty one that fills sequences up. Also
    /// replaces the numbers in the texts by indices of it.
    pub fn sort(self, texts: &mut [Text]) -> Vec<String> {
        let mut words: Vec<(String, u32)> = self.numbers.into_iter().collect();
        words.sort_unstable();
        let mut index = vec![0; words.len()];
        for (i, (_, number)) in words.iter().enumerate() {
            index[*number as usize] = i as u32 + 1;
        }
        for text in texts {
            for word in &mut text.words {
                *word = index[*word as usize];
            }
            for question in &mut text.questions {
                question.answer = index[question.answer as usize];
            }
        }
        std::iter::once(String::new()).chain(words.into_iter().map(|(word, _)| word)).collect()
    }
}

/// A question about the words of a story before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    /// Its story, as a range of [`Text::words`]. Stories of several questions share their words.
    pub story: Range<usize>,
    /// Its own words, as another range.
    pub words: Range<usize>,
    pub answer: u32,
}

/// A question with its story, in numbers of words: indices of [`Questions::vocabulary`](super::Questions::vocabulary).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Asked<'a> {
    /// All words of the story before the question.
    pub story: &'a [u32],
    /// The words of the question.
    pub question: &'a [u32],
    /// The answer, which is one word.
    pub answer: u32,
}

/// The words and questions of a file.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub words: Vec<u32>,
    pub questions: Vec<Question>,
    /// Hash of all its characters.
    pub hash: u64,
}

impl Text {
    /// The questions with their words.
    pub fn asked(&self) -> impl Iterator<Item = Asked<'_>> {
        let words = |range: &Range<usize>| self.words.get(range.clone()).unwrap_or_default();
        self.questions.iter().map(move |question| Asked {
            story: words(&question.story),
            question: words(&question.words),
            answer: question.answer,
        })
    }

    /// Number of words of the longest story, and of the longest question.
    pub fn longest(&self) -> (usize, usize) {
        let story = self.questions.iter().map(|question| question.story.len()).max();
        let words = self.questions.iter().map(|question| question.words.len()).max();
        (story.unwrap_or(0), words.unwrap_or(0))
    }

    /// Reads a text.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) with the line, if it has no number, or does not
    /// continue its story; if a question has no answer or no story before it.
    pub fn parse(text: &str, words: &mut Words) -> Result<Self> {
        let hash = XxHash64::oneshot(0, text.as_bytes());
        let mut parsed = Self { hash, ..Self::default() };
        // Questions wait, so that the sentences of a story are side by side.
        let mut asked: Vec<(Range<usize>, Vec<u32>, u32)> = Vec::new();
        let (mut begin, mut before) = (0, 0_u64);
        let lines = text.trim_start_matches('\u{feff}').lines().enumerate();
        for (line, text) in lines.map(|(i, text)| (i + 1, text.trim())) {
            if text.is_empty() {
                continue;
            }
            let bad = |what: &str| Error::malformed(format!("line {line}: {what}"));
            let numbered = text.split_once(' ');
            let numbered = numbered.and_then(|(n, rest)| Some((n.parse::<u64>().ok()?, rest)));
            let Some((number, rest)) = numbered else {
                let error = bad("this line has no number").expected("<number> <sentence>");
                return Err(error.found(format!("{:?}", shortened(text))));
            };
            if number == 1 {
                begin = parsed.words.len();
            } else if before == 0 || number <= before {
                let error = bad("this line does not continue its story");
                return Err(error.expected(format!("1, or above {before}")).found(number));
            }
            before = number;
            let Some((question, answer)) = rest.split_once('\t') else {
                parsed.words.extend(tokens(rest).map(|word| words.number(word)));
                continue;
            };
            let answer = answer.split('\t').next().unwrap_or_default().trim();
            if answer.is_empty() {
                return Err(bad("the question has no answer"));
            }
            let story = begin..parsed.words.len();
            let question: Vec<u32> = tokens(question).map(|word| words.number(word)).collect();
            if story.is_empty() || question.is_empty() {
                return Err(bad("a question needs words, and a story before it"));
            }
            asked.push((story, question, words.number(answer)));
        }
        for (story, question, answer) in asked {
            let begin = parsed.words.len();
            parsed.words.extend(question);
            let words = begin..parsed.words.len();
            parsed.questions.push(Question { story, words, answer });
        }
        Ok(parsed)
    }
}

/// The words of a sentence: runs of letters, digits and `_`, and every other character that is no space.
/// Their case is kept.
fn tokens(sentence: &str) -> impl Iterator<Item = &str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = sentence;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let end = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_become_words_and_punctuation() {
        let words = |text| tokens(text).collect::<Vec<_>>();
        assert_eq!(
            words("Mary moved to the bathroom."),
            ["Mary", "moved", "to", "the", "bathroom", "."]
        );
        assert_eq!(words("  What's  it_2?!"), ["What", "'", "s", "it_2", "?", "!"]);
        assert_eq!(words("\u{e9}t\u{e9}, \u{2603}"), ["\u{e9}t\u{e9}", ",", "\u{2603}"]);
        assert!(words(" \t ").is_empty());
    }

    #[test]
    fn questions_are_about_the_sentences_before_them() {
        let text = "1 A b.\n2 Where?\tc\t1\n3 B.\n4 Who?\ta,b\t1 3\r\n\n1 C.\n2 Who?\tA\n";
        let mut words = Words::default();
        let mut texts = [Text::parse(text, &mut words).unwrap()];
        let vocabulary = words.sort(&mut texts);
        assert_eq!(vocabulary, ["", ".", "?", "A", "B", "C", "Where", "Who", "a,b", "b", "c"]);
        let [text] = texts;
        let of = |range: &Range<usize>| -> Vec<&str> {
            text.words[range.clone()].iter().map(|&i| &*vocabulary[i as usize]).collect()
        };
        let all: Vec<_> = text
            .questions
            .iter()
            .map(|q| {
                (of(&q.story).join(" "), of(&q.words).join(" "), &*vocabulary[q.answer as usize])
            })
            .collect();
        let expected =
            [("A b .", "Where ?", "c"), ("A b . B .", "Who ?", "a,b"), ("C .", "Who ?", "A")];
        assert_eq!(
            all,
            expected.map(|(story, question, answer)| (story.into(), question.into(), answer))
        );
        assert_eq!(text.longest(), (5, 2));
    }

    #[test]
    fn what_is_no_such_text_is_refused_with_its_line() {
        for (text, said) in [
            ("1 A.\nB.\n", "line 2: this line has no number"),
            ("2 A.\n", "line 1: this line does not continue its story"),
            ("1 A.\n3 B.\n3 C.\n", "line 3: this line does not continue its story"),
            ("1 A?\tb\t1\n", "line 1: a question needs words, and a story before it"),
            ("1 A.\n2 \tb\t1\n", "line 2: a question needs words"),
            ("1 A.\n2 B?\t\t1\n", "line 2: the question has no answer"),
        ] {
            let error = Text::parse(text, &mut Words::default()).unwrap_err().to_string();
            assert!(error.contains(said), "{text:?}: {error}");
        }
    }
}
