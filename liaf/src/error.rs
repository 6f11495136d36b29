//! The errors of both crates as one type.

use std::fmt;
use std::path::Path;

/// The result of every function of this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// The cause of an [`Error`]: the file, the caller or the system. It tells what can be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A recording, a tensor file or a checkpoint is damaged, empty, or not of the kind that it claims
    /// to be.
    File,
    /// An argument or an option is invalid, or cannot be combined with the others: invalid options or
    /// configurations, a label out of range.
    Caller,
    /// Shapes that do not agree, such as those of a network and of its frames.
    Shape,
    /// Something that is not supported, or not by this build.
    Unsupported,
    /// A number in a file asks for more than the limits of [recordings](liaf_data::Limits) or of
    /// [networks](liaf_core::Limits) allow.
    Limit,
    /// The operating system reported an error.
    System,
    /// A callback of the caller asked to stop.
    Cancelled,
    /// Anything else, such as an error in the caller's own code.
    Other,
}

/// An error of either half of the toolkit.
///
/// It is displayed as the error inside it, with path, offset, and what was expected and found. The `?`
/// operator converts the errors of both halves to it.
///
/// ```
/// use liaf::{Error, ErrorKind, Network, NetworkConfig, ReadOptions, Recording};
///
/// fn open() -> liaf::Result<(Recording, Network<f32>)> {
///     let network = NetworkConfig::from_toml("layers = []")?.build(1)?;
///     Ok((Recording::open("recording.aedat4", ReadOptions::default())?, network))
/// }
///
/// let error = open().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Caller);
/// assert!(matches!(error, Error::Core(_)));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// An error about event files, frames or tensor files.
    Data(liaf_data::Error),
    /// An error about networks, training or checkpoints.
    Core(liaf_core::Error),
}

impl Error {
    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        use liaf_core::ErrorKind as Core;
        use liaf_data::ErrorKind as Data;
        match self {
            Self::Data(error) => match error.kind() {
                Data::Malformed | Data::Truncated | Data::Empty => ErrorKind::File,
                Data::Unsupported => ErrorKind::Unsupported,
                Data::Limit => ErrorKind::Limit,
                Data::Caller => ErrorKind::Caller,
                Data::System => ErrorKind::System,
                Data::Cancelled => ErrorKind::Cancelled,
                _ => ErrorKind::Other,
            },
            Self::Core(error) => match error.kind() {
                Core::Config | Core::Data => ErrorKind::Caller,
                Core::Shape => ErrorKind::Shape,
                Core::Checkpoint => ErrorKind::File,
                Core::Unsupported => ErrorKind::Unsupported,
                Core::Limit => ErrorKind::Limit,
                Core::System => ErrorKind::System,
                _ => ErrorKind::Other,
            },
        }
    }
}

impl Error {
    /// Adds the path of the file, unless a location is known already.
    #[must_use]
    pub fn in_file(self, path: impl AsRef<Path>) -> Self {
        match self {
            Self::Data(error) => Self::Data(error.in_file(path.as_ref())),
            Self::Core(error) => Self::Core(error.in_file(path)),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(error) => error.fmt(f),
            Self::Core(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Data(error) => error.source(),
            Self::Core(error) => error.source(),
        }
    }
}

impl From<liaf_data::Error> for Error {
    fn from(error: liaf_data::Error) -> Self {
        Self::Data(error)
    }
}

impl From<liaf_core::Error> for Error {
    fn from(error: liaf_core::Error) -> Self {
        Self::Core(error)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::io;

    use super::*;

    #[test]
    fn errors_print_as_what_they_are_made_of_and_say_whose_fault_they_are() {
        let malformed = liaf_data::Error::malformed("packet size is negative").at(7).in_file("a");
        let text = malformed.to_string();
        let error = Error::from(malformed);
        assert_eq!((error.to_string(), error.kind()), (text, ErrorKind::File));
        assert!(error.source().is_none());

        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let error = Error::from(liaf_core::Error::system("cannot open", denied));
        assert_eq!(error.kind(), ErrorKind::System);
        // A chain of sources says it once.
        assert_eq!(error.to_string().matches("permission denied").count(), 1);
        assert!(error.source().is_none());

        let kinds = [
            (liaf_core::ErrorKind::Config, ErrorKind::Caller),
            (liaf_core::ErrorKind::Data, ErrorKind::Caller),
            (liaf_core::ErrorKind::Shape, ErrorKind::Shape),
            (liaf_core::ErrorKind::Checkpoint, ErrorKind::File),
            (liaf_core::ErrorKind::Unsupported, ErrorKind::Unsupported),
            (liaf_core::ErrorKind::Limit, ErrorKind::Limit),
        ];
        for (of, kind) in kinds {
            assert_eq!(Error::from(liaf_core::Error::new(of, "")).kind(), kind);
        }
        let kinds = [
            (liaf_data::ErrorKind::Truncated, ErrorKind::File),
            (liaf_data::ErrorKind::Limit, ErrorKind::Limit),
            (liaf_data::ErrorKind::Cancelled, ErrorKind::Cancelled),
            (liaf_data::ErrorKind::Other, ErrorKind::Other),
        ];
        for (of, kind) in kinds {
            assert_eq!(Error::from(liaf_data::Error::new(of, "")).kind(), kind);
        }
    }
}
