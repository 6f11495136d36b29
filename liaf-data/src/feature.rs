//! Optional dependencies, and the errors of a build without them.

use crate::error::{Error, Result};
use crate::hint::Hint;

/// An optional dependency.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Feature {
    /// Name of the crate feature.
    name: &'static str,
    is_here: bool,
}

/// Zip archives and deflate.
pub(crate) const ZIP: Feature = Feature { name: "zip", is_here: cfg!(feature = "zip") };
/// PNG images.
#[cfg(not(feature = "png"))]
pub(crate) const PNG: Feature = Feature { name: "png", is_here: false };
/// XML, in which the header of AEDAT 4.0 is written.
pub(crate) const XML: Feature = Feature { name: "xml", is_here: cfg!(feature = "xml") };
/// bzip2.
pub(crate) const BZIP2: Feature = Feature { name: "bzip2", is_here: cfg!(feature = "bzip2") };
/// xz.
pub(crate) const XZ: Feature = Feature { name: "xz", is_here: cfg!(feature = "xz") };
/// ZSTD.
pub(crate) const ZSTD: Feature = Feature { name: "zstd", is_here: cfg!(feature = "zstd") };

impl Feature {
    /// Returns an error if this build lacks the feature that is needed to do `what`.
    pub(crate) fn needed_to(self, what: &str) -> Result<()> {
        if self.is_here { Ok(()) } else { Err(self.missing(what)) }
    }

    /// The error for a build that cannot do `what` because it lacks the feature.
    pub(crate) fn missing(self, what: &str) -> Error {
        Error::unsupported(format!("this build cannot {what}"))
            .hint(Hint::EnableFeature { name: self.name.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn what_is_missing_is_named_with_what_to_do() {
        let absent = Feature { name: "zip", is_here: false };
        let error = absent.needed_to("read zip archives").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let text = "this build cannot read zip archives (build it with the feature `zip`)";
        assert_eq!(error.to_string(), text);
        assert!(Feature { is_here: true, ..absent }.needed_to("read zip archives").is_ok());
    }
}
