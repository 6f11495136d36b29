//! What can go wrong, where in the network, and what to do about it.

use std::fmt;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Whose fault an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A configuration that cannot be a network: unknown name, impossible number, cycle.
    Config,
    /// Shapes that do not fit each other.
    Shape,
    /// Data that cannot be worked on: NaN, an empty batch, a label out of range.
    Data,
    /// A checkpoint or weights file that is damaged, foreign or of another network.
    Checkpoint,
    /// Something this network or build cannot do.
    Unsupported,
    /// The operating system refused.
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
            Self::System => "system",
        }
    }
}

/// An error with everything known about it: what, in which layer or file, what was expected and
/// found, what to do.
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
    /// An error of `kind`; the other constructors are shorter ways to it.
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        let what = what.into();
        let (location, expected, found, advice, source) = (None, None, None, None, None);
        Self(Box::new(Inner { kind, what, location, expected, found, advice, source }))
    }

    /// A configuration that cannot be a network.
    pub fn config(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, what)
    }

    /// Shapes that do not fit each other.
    pub fn shape(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Shape, what)
    }

    /// Data that cannot be worked on.
    pub fn data(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Data, what)
    }

    /// A file of weights that is damaged, foreign or of another network.
    pub fn checkpoint(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Checkpoint, what)
    }

    /// Something this network or build cannot do.
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, what)
    }

    /// The operating system refused.
    pub fn system(what: impl Into<String>, source: std::io::Error) -> Self {
        let mut error = Self::new(ErrorKind::System, what);
        error.0.source = Some(source);
        error
    }

    /// Says in which layer; the first one named stays.
    #[must_use]
    pub fn in_layer(self, name: &str) -> Self {
        self.location(format!("layer {name}"))
    }

    /// Says in which file; the first location named stays.
    #[must_use]
    pub fn in_file(self, path: impl AsRef<std::path::Path>) -> Self {
        self.location(path.as_ref().display().to_string())
    }

    fn location(mut self, location: String) -> Self {
        self.0.location.get_or_insert(location);
        self
    }

    /// Says what should have been there.
    #[must_use]
    pub fn expected(mut self, what: impl fmt::Display) -> Self {
        self.0.expected = Some(what.to_string());
        self
    }

    /// Says what was there.
    #[must_use]
    pub fn found(mut self, what: impl fmt::Display) -> Self {
        self.0.found = Some(what.to_string());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn advice(mut self, what: impl fmt::Display) -> Self {
        self.0.advice = Some(what.to_string());
        self
    }

    /// The error of the operating system that this one is about.
    ///
    /// The message repeats its words, so [`source`](std::error::Error::source) is the cause of this
    /// one: a program that prints a whole chain of sources says everything once.
    pub fn cause(&self) -> Option<&std::io::Error> {
        self.0.source.as_ref()
    }

    /// Whose fault it is.
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
    /// The cause of the [`cause`](Error::cause), whose own words are in the message.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().and_then(std::error::Error::source)
    }
}
