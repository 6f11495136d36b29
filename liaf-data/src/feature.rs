//! What a build without an optional dependency refuses.

use crate::error::{Error, Result};
use crate::hint::Hint;

/// An optional dependency.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Feature {
    /// Name of the feature of the crate.
    name: &'static str,
    is_here: bool,
}

/// Zip archives and deflate.
pub(crate) const ZIP: Feature = Feature { name: "zip", is_here: cfg!(feature = "zip") };
/// PNG images.
#[cfg(not(feature = "png"))]
pub(crate) const PNG: Feature = Feature { name: "png", is_here: false };
/// XML, which the header of AEDAT 4.0 holds.
pub(crate) const XML: Feature = Feature { name: "xml", is_here: cfg!(feature = "xml") };
/// ZSTD.
pub(crate) const ZSTD: Feature = Feature { name: "zstd", is_here: cfg!(feature = "zstd") };

impl Feature {
    /// Returns an error if this build cannot do `what` because it is without the feature.
    pub(crate) fn needed_to(self, what: &str) -> Result<()> {
        if self.is_here { Ok(()) } else { Err(self.missing(what)) }
    }

    /// The error that this build cannot do `what`.
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
