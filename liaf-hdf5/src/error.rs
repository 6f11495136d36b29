//! What can go wrong.

use std::fmt;
use std::io;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What kind of error an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The file does not hold what HDF5 says.
    Malformed,
    /// The file ends before what it promised.
    Truncated,
    /// The file became shorter while it was read.
    Shrank,
    /// A part of HDF5 that is not read or written, or is refused on purpose.
    Unsupported,
    /// A number in the file asks for more than [`Limits`](crate::Limits) allow.
    Limit,
    /// There is no object of this name, or it is of another kind.
    NotFound,
    /// The caller asked for something that cannot be.
    Caller,
    /// The operating system refused.
    System,
}

/// An error: what is wrong, and where.
///
/// ```
/// use liaf_hdf5::{Error, ErrorKind};
/// let error = Error::malformed("the signature of a B-tree is missing").at(1234);
/// assert_eq!(error.kind(), ErrorKind::Malformed);
/// assert_eq!(error.to_string(), "the signature of a B-tree is missing at byte 1234");
/// ```
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    what: String,
    offset: Option<u64>,
    source: Option<io::Error>,
}

impl Error {
    /// An error of `kind`; the other constructors are shorter ways to it.
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, what: what.into(), offset: None, source: None }))
    }

    /// The file does not hold what HDF5 says.
    pub fn malformed(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Malformed, what)
    }

    /// The file ends before what it promised.
    pub fn truncated(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Truncated, what)
    }

    /// A part of HDF5 that is not read or written, or is refused on purpose.
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, what)
    }

    /// More than [`Limits`](crate::Limits) allow.
    pub fn limit(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit, what)
    }

    /// There is no object of this name, or it is of another kind.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, what)
    }

    /// The caller asked for something that cannot be.
    pub fn caller(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Caller, what)
    }

    /// The operating system refused; its reason is the [source](std::error::Error::source).
    pub fn system(what: impl Into<String>, source: io::Error) -> Self {
        let mut error = Self::new(ErrorKind::System, what);
        error.0.source = Some(source);
        error
    }

    /// Adds the byte of the file, unless an earlier call gave one.
    #[must_use]
    pub fn at(mut self, offset: u64) -> Self {
        self.0.offset.get_or_insert(offset);
        self
    }

    /// The same for an error that is about what the file holds; other errors stay without a byte.
    #[must_use]
    pub(crate) fn fault_at(self, offset: u64) -> Self {
        match self.kind() {
            ErrorKind::Malformed
            | ErrorKind::Truncated
            | ErrorKind::Unsupported
            | ErrorKind::Limit => self.at(offset),
            _ => self,
        }
    }

    /// Puts `context` and a colon before the message.
    #[must_use]
    pub fn within(mut self, context: impl fmt::Display) -> Self {
        self.0.what = format!("{context}: {}", self.0.what);
        self
    }

    /// What kind of error this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What is wrong, without the byte and the reason of the system.
    pub fn what(&self) -> &str {
        &self.0.what
    }

    /// The byte of the file where the fault is, counted from the first byte of the file.
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }

    /// The reason of the system, if there is one.
    pub fn into_io(self) -> Option<io::Error> {
        self.0.source
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.what)?;
        if let Some(offset) = self.0.offset {
            write!(f, " at byte {offset}")?;
        }
        match &self.0.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| source as _)
    }
}
