//! Errors, which say what went wrong, where in the network, and what to do about it.

use std::fmt;

/// The result of every function of this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// The cause of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An invalid configuration: an unknown name, an invalid number, a cycle.
    Config,
    /// Shapes that do not agree.
    Shape,
    /// Invalid data: NaN, an empty batch, a label out of range.
    Data,
    /// A checkpoint or weights file that is damaged, of another kind or of another network.
    Checkpoint,
    /// Something that this network or build does not support.
    Unsupported,
    /// A file or a network asks for more than [`Limits`](crate::Limits) allow.
    Limit,
    /// The operating system reported an error.
    System,
}

impl ErrorKind {
    /// One lower-case word, stable across versions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Shape => "shape",
            Self::Data => "data",
            Self::Checkpoint => "checkpoint",
            Self::Unsupported => "unsupported",
            Self::Limit => "limit",
            Self::System => "system",
        }
    }
}

/// An error with everything that is known about it: what went wrong, in which layer or file, what was
/// expected and found, and what to do.
///
/// ```
/// use liaf_core::{Error, ErrorKind};
/// let error = Error::shape("a matrix of weights does not fit its input")
///     .in_layer("fc1")
///     .expected("[2048]")
///     .found("[2, 32, 32]");
/// assert_eq!(error.kind(), ErrorKind::Shape);
/// assert_eq!(
///     error.to_string(),
///     "layer fc1: a matrix of weights does not fit its input: expected [2048], found [2, 32, 32]"
/// );
/// ```
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    what: String,
    location: Option<String>,
    expected: Option<String>,
    found: Option<String>,
    advice: Option<String>,
    source: Option<std::io::Error>,
}

impl Error {
    /// An error of this kind. The other constructors are shorthands for the most frequent kinds.
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        let what = what.into();
        let (location, expected, found, advice, source) = (None, None, None, None, None);
        Self(Box::new(Inner { kind, what, location, expected, found, advice, source }))
    }

    /// The configuration is invalid ([`ErrorKind::Config`]).
    pub fn config(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, what)
    }

    /// Shapes do not agree ([`ErrorKind::Shape`]).
    pub fn shape(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Shape, what)
    }

    /// Data is invalid ([`ErrorKind::Data`]).
    pub fn data(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Data, what)
    }

    /// A file of weights is damaged, of another kind or of another network ([`ErrorKind::Checkpoint`]).
    pub fn checkpoint(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Checkpoint, what)
    }

    /// This network or build does not support something ([`ErrorKind::Unsupported`]).
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, what)
    }

    /// A file or a network asks for more than [`Limits`](crate::Limits) allow ([`ErrorKind::Limit`]).
    pub fn limit(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit, what)
    }

    /// The operating system reported `source` when asked to do `what` ([`ErrorKind::System`]).
    pub fn system(what: impl Into<String>, source: std::io::Error) -> Self {
        let mut error = Self::new(ErrorKind::System, what);
        error.0.source = Some(source);
        error
    }

    /// Adds the name of the layer, unless a location is known already.
    #[must_use]
    pub fn in_layer(self, name: &str) -> Self {
        self.location(format!("layer {name}"))
    }

    /// Adds the path of the file, unless a location is known already.
    #[must_use]
    pub fn in_file(self, path: impl AsRef<std::path::Path>) -> Self {
        self.location(path.as_ref().display().to_string())
    }

    fn location(mut self, location: String) -> Self {
        self.0.location.get_or_insert(location);
        self
    }

    /// Adds what should have been there.
    #[must_use]
    pub fn expected(mut self, what: impl fmt::Display) -> Self {
        self.0.expected = Some(what.to_string());
        self
    }

    /// Adds what was found instead.
    #[must_use]
    pub fn found(mut self, what: impl fmt::Display) -> Self {
        self.0.found = Some(what.to_string());
        self
    }

    /// Adds what the user can do.
    #[must_use]
    pub fn advice(mut self, what: impl fmt::Display) -> Self {
        self.0.advice = Some(what.to_string());
        self
    }

    /// The error of the operating system that caused this one.
    ///
    /// The message of this error ends with that of its cause. [`source`](std::error::Error::source)
    /// therefore skips the cause and returns the cause of the cause, so that a program that prints a
    /// whole chain of sources prints each message once.
    pub fn cause(&self) -> Option<&std::io::Error> {
        self.0.source.as_ref()
    }

    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(location) = &inner.location {
            write!(f, "{location}: ")?;
        }
        f.write_str(&inner.what)?;
        match (&inner.expected, &inner.found) {
            (Some(expected), Some(found)) => write!(f, ": expected {expected}, found {found}")?,
            (Some(expected), None) => write!(f, ": expected {expected}")?,
            (None, Some(found)) => write!(f, ": found {found}")?,
            (None, None) => {}
        }
        if let Some(source) = &inner.source {
            write!(f, ": {source}")?;
        }
        match &inner.advice {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    /// The cause of the [`cause`](Error::cause), because the message of this error contains that of its
    /// cause.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().and_then(std::error::Error::source)
    }
}
