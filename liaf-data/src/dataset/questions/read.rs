//! Reading the texts of a set of questions.

use super::text::{Asked, Text, Words};
use crate::dataset::Listing;
use crate::dataset::build::Progress;
use crate::error::{Error, ErrorKind, Result};
use crate::io::read_text;
use crate::limits::Limits;

/// The questions of a set, in numbers of words.
///
/// ```no_run
/// use liaf_data::dataset::{DataSet, ListOptions, Questions};
///
/// # fn main() -> liaf_data::Result<()> {
/// let task = ListOptions { subset: Some("qa1".into()), ..ListOptions::default() };
/// let listing = DataSet::named("babi")?.list("tasks_1-20_v1-2", &task)?;
/// let questions = Questions::read(&listing)?;
/// for (entry, text) in listing.recordings.iter().zip(questions.texts()) {
///     for asked in text {
///         println!("{}: {}", entry.name, questions.vocabulary()[asked.answer as usize]);
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Questions {
    /// One for each file of the listing.
    pub(super) texts: Vec<Text>,
    /// Words by their numbers; the first fills sequences up.
    pub(super) vocabulary: Vec<String>,
    /// Number of words of the longest story and of the longest question, in all splits.
    pub(super) longest: (usize, usize),
}

impl Questions {
    /// Reads all texts of a listing.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) with file and line, if a text is not one of numbered
    /// sentences and questions; if a file cannot be read or is too large.
    pub fn read(listing: &Listing) -> Result<Self> {
        Self::read_with(listing, &|_| (), &|| true)
    }

    /// The words by their numbers: in order, after an empty one, with which sequences are filled up.
    pub fn vocabulary(&self) -> &[String] {
        &self.vocabulary
    }

    /// The questions of each text, in the order of the listing.
    pub fn texts(&self) -> impl Iterator<Item = impl Iterator<Item = Asked<'_>>> {
        self.texts.iter().map(Text::asked)
    }

    /// As [`read`](Self::read), with progress, until it is not to go on.
    pub(super) fn read_with(
        listing: &Listing,
        progress: &(dyn Fn(&Progress) + Sync),
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Self> {
        let (mut words, mut texts) = (Words::default(), Vec::new());
        let mut state = Progress {
            recordings: listing.recordings.len(),
            total_bytes: listing.recordings.iter().map(|entry| entry.bytes).sum(),
            ..Progress::default()
        };
        for entry in &listing.recordings {
            if !go_on() {
                return Err(Error::new(ErrorKind::Cancelled, "stopped"));
            }
            let text = read_text("the text", &entry.path, Limits::DEFAULT.packet_bytes)
                .and_then(|text| Text::parse(&text, &mut words))
                .map_err(|error| error.in_file(&entry.path))?;
            texts.push(text);
            state.done += 1;
            state.bytes += entry.bytes;
            progress(&state);
        }
        let vocabulary = words.sort(&mut texts);
        let each = texts.iter().map(Text::longest);
        let longest = each.fold((0, 0), |(s, q), (story, words)| (s.max(story), q.max(words)));
        Ok(Self { texts, vocabulary, longest })
    }

    /// Size of a question in all tensors, in bytes.
    pub(super) fn row_bytes(&self) -> u64 {
        8 * (self.longest.0 + self.longest.1 + 5) as u64
    }
}
