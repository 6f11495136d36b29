//! A remark on a recording.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::error::Error;
use crate::hint::Hint;
use crate::printable::printable;

/// A remark on a recording in words, and what the user can do about it.
///
/// It is serialized as its text with the words of [`Hint`] in parentheses.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// The remark.
    pub text: String,
    /// What helps, if anything.
    pub hint: Option<Hint>,
}

impl Note {
    /// A remark about which nothing can be done.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), hint: None }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn hint(mut self, hint: Hint) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The text, followed by its hint as `say` words it; the text alone if that is `None`.
    ///
    /// ```
    /// use liaf_data::Hint;
    /// use liaf_data::model::Note;
    /// let note = Note::new("took 346x260").hint(Hint::StateSensor);
    /// assert_eq!(note.message(|_| Some("sensor=".into())), "took 346x260 (sensor=)");
    /// assert_eq!(note.message(|_| None), "took 346x260");
    /// ```
    pub fn message(&self, say: impl Fn(&Hint) -> Option<String>) -> String {
        match self.hint.as_ref().and_then(say) {
            Some(hint) => format!("{} ({})", printable(&self.text), printable(&hint)),
            None => printable(&self.text).to_string(),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message(|hint| Some(hint.to_string())))
    }
}

impl Serialize for Note {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<String> for Note {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Note {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// An error after which reading continues, as a note: its message, and the first of its hints.
impl From<&Error> for Note {
    fn from(error: &Error) -> Self {
        Self { text: error.message(|_| None), hint: error.hints().first().cloned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_becomes_a_note_that_keeps_its_hint() {
        let error = Error::malformed("two sizes").at(7).found("3x4").hint(Hint::StateSensor);
        let note = Note::from(&error);
        assert_eq!(note.text, "two sizes at byte 7: found 3x4");
        assert_eq!(note.hint, Some(Hint::StateSensor));
        assert_eq!(note.to_string(), error.to_string());
        assert_eq!(serde_json::to_value(&note).unwrap(), note.to_string());
    }
}
