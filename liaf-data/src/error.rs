//! Errors, which say what went wrong, where, and who can do something about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::hint::Hint;
use crate::names::names;
use crate::printable::printable;

/// The result of every function of this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// The cause of an [`Error`]: the file, the caller or the system. It tells what can be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The contents of the file violate its format.
    Malformed,
    /// The file ends, or shrank while it was read, before the end of its data.
    Truncated,
    /// The file is empty.
    Empty,
    /// The file is valid, but its format or a part of it is not supported.
    Unsupported,
    /// A number in the file asks for more than [`Limits`](crate::Limits) allow.
    Limit,
    /// An argument or an option is invalid, or cannot be combined with the others.
    Caller,
    /// The operating system reported an error.
    System,
    /// A callback of the caller asked to stop.
    Cancelled,
    /// Code of the caller failed: a sink, a writer, or anything else that it passed in.
    Other,
}

names!(
    ErrorKind,
    Malformed = "malformed",
    Truncated = "truncated",
    Empty = "empty",
    Unsupported = "unsupported",
    Limit = "limit",
    Caller = "caller",
    System = "system",
    Cancelled = "cancelled",
    Other = "other",
);

/// An error with everything that is known about it: what went wrong, where, what was expected and
/// found, and what the user can do.
///
/// ```
/// use liaf_data::{Error, ErrorKind};
/// let error = Error::malformed("packet size is negative")
///     .at(1234)
///     .expected("0 or more bytes")
///     .found(-5)
///     .in_file("a.aedat4");
/// assert_eq!(error.kind(), ErrorKind::Malformed);
/// assert_eq!(
///     error.to_string(),
///     "a.aedat4: packet size is negative at byte 1234: expected 0 or more bytes, found -5"
/// );
/// ```
///
/// A sink may fail for reasons of its own. [`Error::other`] converts the error of any library, and `?`
/// converts [`io::Error`]:
///
/// ```
/// use liaf_data::{Error, EventBatch, EventSink, Result};
/// use std::io::Write;
///
/// struct Table<W>(W);
///
/// impl<W: Write> EventSink for Table<W> {
///     fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
///         for event in &*events {
///             let x = u8::try_from(event.x).map_err(Error::other)?;
///             writeln!(self.0, "{} {x} {} {}", event.t, event.y, event.p)?;
///         }
///         Ok(())
///     }
/// }
/// ```
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    what: String,
    path: Option<PathBuf>,
    offset: Option<u64>,
    /// Index of the event that a sink refused in its batch, until its byte offset is known.
    event: Option<usize>,
    expected: Option<String>,
    found: Option<String>,
    hints: Vec<Hint>,
    source: Option<io::Error>,
    /// Whether the file is surely no recording, so that nothing is lost if it is left out.
    is_other_file: bool,
}

impl Error {
    /// An error of this kind. The other constructors are shorthands for the most frequent kinds.
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            what: what.into(),
            path: None,
            offset: None,
            event: None,
            expected: None,
            found: None,
            hints: Vec::new(),
            source: None,
            is_other_file: false,
        }))
    }

    /// The contents of the file violate its format ([`ErrorKind::Malformed`]).
    pub fn malformed(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Malformed, what)
    }

    /// The file ends too early ([`ErrorKind::Truncated`]).
    pub fn truncated(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Truncated, what)
    }

    /// The file is valid but not supported ([`ErrorKind::Unsupported`]).
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, what)
    }

    /// The file asks for more than [`Limits`](crate::Limits) allow ([`ErrorKind::Limit`]).
    pub fn limit(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit, what)
    }

    /// An argument or an option is invalid ([`ErrorKind::Caller`]).
    pub fn caller(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Caller, what)
    }

    /// The operating system reported `source` when asked to do `what` ([`ErrorKind::System`]).
    pub fn system(what: impl Into<String>, source: io::Error) -> Self {
        let mut error = Self::new(ErrorKind::System, what);
        error.0.source = Some(source);
        error
    }

    /// Code of the caller failed with `error`, which becomes the [`cause`](Self::cause)
    /// ([`ErrorKind::Other`]).
    pub fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let mut other = Self::new(ErrorKind::Other, "the caller's own code failed");
        other.0.source = Some(io::Error::other(error));
        other
    }

    /// Adds the byte offset in the file, unless one is known already.
    #[must_use]
    pub fn at(mut self, offset: u64) -> Self {
        self.0.offset.get_or_insert(offset);
        self
    }

    /// Marks event `index` of a batch as refused; the batch begins at byte `offset` of the file. The
    /// sink that refuses the event does not know its offset, so the decoder that made the batch
    /// replaces it ([`place_event`](Self::place_event)), unless all events of the batch have the same
    /// offset.
    #[must_use]
    pub(crate) fn at_event(mut self, index: usize, offset: u64) -> Self {
        (self.0.event, self.0.offset) = (Some(index), Some(offset));
        self
    }

    /// Replaces the index of a refused event by the byte offset that `locate` gives for it. Other
    /// errors stay as they are.
    #[must_use]
    pub(crate) fn place_event(mut self, locate: impl FnOnce(usize) -> u64) -> Self {
        if let Some(index) = self.0.event.take() {
            self.0.offset = Some(locate(index));
        }
        self
    }

    /// Adds what the format or the caller's request requires.
    #[must_use]
    pub fn expected(mut self, expected: impl fmt::Display) -> Self {
        self.0.expected = Some(expected.to_string());
        self
    }

    /// Adds what was found instead.
    #[must_use]
    pub fn found(mut self, found: impl fmt::Display) -> Self {
        self.0.found = Some(found.to_string());
        self
    }

    /// Adds advice in words. If the advice is a setting, use a [hint](Self::hint), so that programs can
    /// name it by their own option.
    #[must_use]
    pub fn advice(self, advice: impl fmt::Display) -> Self {
        self.hint(Hint::Text(advice.to_string()))
    }

    /// Adds what the user can do next. If there are several hints, any of them helps.
    #[must_use]
    pub fn hint(mut self, hint: Hint) -> Self {
        self.0.hints.push(hint);
        self
    }

    /// Adds the file's path, unless one is known already.
    #[must_use]
    pub fn in_file(mut self, path: impl AsRef<Path>) -> Self {
        if self.0.path.is_none() {
            self.0.path = Some(path.as_ref().to_path_buf());
        }
        self
    }

    /// As [`in_file`](Self::in_file) if there is a path, as that of a
    /// [`Recording`](crate::Recording::path), which may also be in memory.
    #[must_use]
    pub fn in_file_if_any(self, path: Option<impl AsRef<Path>>) -> Self {
        match path {
            Some(path) => self.in_file(path),
            None => self,
        }
    }

    /// Marks the file as one that is surely no recording, if `is_sure`.
    #[must_use]
    pub(crate) fn not_a_recording(mut self, is_sure: bool) -> Self {
        self.0.is_other_file |= is_sure;
        self
    }

    /// Whether the file is surely no recording of events: a picture, a text of words, a table or an
    /// array without times and pixels.
    ///
    /// A program that is given a folder may pass such files over. Every other error means that there is
    /// or may be a recording, which could not be read: it is damaged, cut, empty, not supported, or its
    /// columns have unknown names.
    ///
    /// ```
    /// use liaf_data::{ReadOptions, Recording};
    /// let open = |bytes: &'static [u8]| Recording::from_bytes(bytes, ReadOptions::default());
    /// assert!(open(b"name,label\na.png,cat\n").unwrap_err().is_not_a_recording());
    /// assert!(!open(b"").unwrap_err().is_not_a_recording());
    /// ```
    pub fn is_not_a_recording(&self) -> bool {
        self.0.is_other_file
    }

    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The file that the error is about, if it is about one.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// The byte offset in the file, if it is known.
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }

    /// What the user can do next. Empty if nothing is known to help.
    pub fn hints(&self) -> &[Hint] {
        &self.0.hints
    }

    /// The error of the operating system, or of the caller's own code, that caused this one.
    ///
    /// The message of this error ends with that of its cause. [`source`](std::error::Error::source)
    /// therefore skips the cause and returns the cause of the cause, so that a program that prints a
    /// whole chain of sources prints each message once.
    pub fn cause(&self) -> Option<&io::Error> {
        self.0.source.as_ref()
    }

    /// The message, in which `say` words the hints. Hints for which it returns `None` are left out. See
    /// [`Hint`] for an example.
    pub fn message(&self, say: impl Fn(&Hint) -> Option<String>) -> String {
        let said: Vec<_> = self.0.hints.iter().filter_map(say).collect();
        let message = Headline(&self.0);
        if said.is_empty() {
            message.to_string()
        } else {
            format!("{message} ({})", printable(&said.join("; ")))
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message(|hint| Some(hint.to_string())))
    }
}

/// Displays an error without its hints.
struct Headline<'a>(&'a Inner);

impl fmt::Display for Headline<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.0;
        if let Some(path) = &inner.path {
            write!(f, "{}: ", printable(&path.to_string_lossy()))?;
        }
        printable(&inner.what).fmt(f)?;
        if let Some(offset) = inner.offset {
            write!(f, " at byte {offset}")?;
        }
        match (inner.expected.as_deref().map(printable), inner.found.as_deref().map(printable)) {
            (Some(expected), Some(found)) => write!(f, ": expected {expected}, found {found}")?,
            (Some(expected), None) => write!(f, ": expected {expected}")?,
            (None, Some(found)) => write!(f, ": found {found}")?,
            (None, None) => {}
        }
        if let Some(source) = &inner.source {
            write!(f, ": {}", printable(&source.to_string()))?;
        }
        Ok(())
    }
}

/// The same as [`Display`](fmt::Display), so that the panic message of `unwrap` is readable.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An error of reading or writing ([`ErrorKind::System`]).
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::system("reading or writing failed", error)
    }
}

impl std::error::Error for Error {
    /// The cause of the [`cause`](Error::cause), because the message of this error contains that of its
    /// cause.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().and_then(std::error::Error::source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_offset_and_path_win() {
        let error = Error::truncated("cut").at(7).in_file("inner").at(9).in_file("outer");
        assert_eq!(error.offset(), Some(7));
        assert_eq!(error.path(), Some(Path::new("inner")));
    }

    #[test]
    fn errors_of_others_keep_their_words_and_their_kind() {
        let foreign = "x".parse::<u8>().unwrap_err();
        let error = Error::other(foreign.clone());
        assert_eq!(error.kind(), ErrorKind::Other);
        assert_eq!(error.to_string(), format!("the caller's own code failed: {foreign}"));
        assert_eq!(format!("{error:?}"), error.to_string());
        let write = || -> Result<()> { Err(io::Error::from(io::ErrorKind::StorageFull))? };
        assert_eq!(write().unwrap_err().kind(), ErrorKind::System);
    }

    #[test]
    fn hints_are_said_in_the_words_of_whoever_prints_them() {
        let error = Error::caller("times are too large").hint(Hint::ZeroTime).advice("or wait");
        let said = |hint: &Hint| (*hint == Hint::ZeroTime).then(|| "zero_time=True".to_owned());
        assert_eq!(error.message(said), "times are too large (zero_time=True)");
        assert_eq!(error.message(|_| None), "times are too large");
        let all = format!("times are too large ({}; or wait)", Hint::ZeroTime);
        assert_eq!(error.to_string(), all);
        assert_eq!(error.hints(), [Hint::ZeroTime, Hint::Text("or wait".into())]);
    }

    #[test]
    fn a_chain_of_sources_says_each_cause_once() {
        let behind = io::Error::other("the disk is gone");
        let error = Error::system("cannot read", io::Error::other(behind));
        let mut chain = error.to_string();
        let mut next = std::error::Error::source(&error);
        while let Some(source) = next {
            chain += &source.to_string();
            next = source.source();
        }
        assert_eq!(chain.matches("the disk is gone").count(), 1, "{chain}");
        assert!(error.cause().is_some());
    }

    #[test]
    fn message_carries_cause_and_advice() {
        let cause = io::Error::from(io::ErrorKind::PermissionDenied);
        let error = Error::system("cannot open", cause).in_file("f").advice("check the owner");
        assert_eq!(error.to_string(), "f: cannot open: permission denied (check the owner)");
    }
}
