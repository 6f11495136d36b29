//! The registered numbers of filters, and their names in messages.
//!
//! Numbers below 256 belong to the HDF5 library, the others are given by The HDF Group on request
//! ("Registered Filter Plugins").

use super::{Filter, bitshuffle, nbit, zstd};
use crate::error::{Error, ErrorKind, Result};

pub(super) const DEFLATE: u16 = 1;
pub(super) const SHUFFLE: u16 = 2;
pub(super) const FLETCHER32: u16 = 3;
pub(super) const NBIT: u16 = 5;
pub(super) const SCALE_OFFSET: u16 = 6;
pub(super) const LZF: u16 = 32_000;
pub(super) const BLOSC: u16 = 32_001;
pub(super) const LZ4: u16 = 32_004;
pub(super) const BITSHUFFLE: u16 = 32_008;
pub(super) const ZSTD: u16 = 32_015;

/// How many characters of the writer's own name are shown.
const LONGEST: usize = 60;

impl Filter {
    /// The name of the filter, for messages: that under which it is known, or its number and the
    /// name that the writer gave. Control characters in that name are replaced.
    ///
    /// ```
    /// # use liaf_hdf5::Filter;
    /// let filter = |id, name: &str| Filter {
    ///     id, name: Some(name.to_owned()), is_optional: true, values: vec![],
    /// };
    /// assert_eq!(filter(1, "").label(), "deflate");
    /// assert_eq!(filter(40_000, "my own").label(), "filter 40000 (my own)");
    /// ```
    pub fn label(&self) -> String {
        if let Some(name) = known(self.id) {
            return name.to_owned();
        }
        let shown = |c: char| if is_harmless(c) { c } else { char::REPLACEMENT_CHARACTER };
        let name = self.name.as_deref().unwrap_or("").trim_matches(['\0', ' ']);
        let mut name: String = name.chars().take(LONGEST + 1).map(shown).collect();
        if name.chars().count() > LONGEST {
            name.pop();
            name.push('…');
        }
        if name.is_empty() {
            format!("filter {}", self.id)
        } else {
            format!("filter {} ({name})", self.id)
        }
    }

    /// Whether chunks that went through this filter can be read.
    pub fn is_read(&self) -> bool {
        self.check_read().is_ok()
    }

    /// An error that names the filter if it is not read.
    pub(crate) fn check_read(&self) -> Result<()> {
        let why = match self.id {
            DEFLATE | SHUFFLE | FLETCHER32 | SCALE_OFFSET | LZF | BLOSC | LZ4 => return Ok(()),
            ZSTD if zstd::IS_READ => return Ok(()),
            BITSHUFFLE if zstd::IS_READ || !bitshuffle::needs_zstd(&self.values) => return Ok(()),
            ZSTD | BITSHUFFLE => return Err(without_zstd()),
            NBIT if nbit::is_read(&self.values) => return Ok(()),
            NBIT => "the filter n-bit is not read for arrays and compounds".to_owned(),
            _ if known(self.id).is_some() => {
                format!("the filter {} ({}) is not read", self.label(), self.id)
            }
            _ => format!("{} is not read", self.label()),
        };
        Err(Error::new(ErrorKind::Unsupported, why))
    }
}

/// The error where Zstandard is needed and not a part of this build.
pub(super) fn without_zstd() -> Error {
    let why = "ZSTD is not read by this build, which lacks the feature `zstd`";
    Error::new(ErrorKind::Unsupported, why)
}

/// The name under which a filter is known.
fn known(id: u16) -> Option<&'static str> {
    Some(match id {
        DEFLATE => "deflate",
        SHUFFLE => "shuffle",
        FLETCHER32 => "Fletcher-32",
        4 => "szip",
        NBIT => "n-bit",
        SCALE_OFFSET => "scale-offset",
        305 => "LZO",
        307 => "bzip2",
        LZF => "LZF",
        BLOSC => "Blosc",
        32_002 => "MAFISC",
        32_003 => "Snappy",
        LZ4 => "LZ4",
        BITSHUFFLE => "bitshuffle",
        32_013 => "ZFP",
        ZSTD => "ZSTD",
        32_017 => "SZ",
        32_018 => "FCIDECOMP",
        32_019 => "JPEG",
        32_024 => "SZ3",
        32_026 => "Blosc2",
        36_559 => "Prophesee ECF",
        _ => return None,
    })
}

/// Whether a terminal shows the character as itself: no control character, and none of those that
/// change the direction of text or take no space.
fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::testing::filter;

    #[test]
    fn unknown_filters_show_their_own_names_without_tricks() {
        let label = |name: &str| Filter { name: Some(name.into()), ..filter(40_001, &[]) }.label();
        assert_eq!(filter(40_001, &[]).label(), "filter 40001");
        assert_eq!(label(""), "filter 40001");
        assert_eq!(label("own\0\0"), "filter 40001 (own)");
        assert_eq!(
            label("a\x1b[31m\nb\u{202e}c"),
            "filter 40001 (a\u{fffd}[31m\u{fffd}b\u{fffd}c)"
        );
        assert_eq!(label(&"é".repeat(60)), format!("filter 40001 ({})", "é".repeat(60)));
        assert_eq!(label(&"é".repeat(61)), format!("filter 40001 ({}…)", "é".repeat(60)));
        let known = Filter { name: Some("\x1b".into()), ..filter(2, &[4]) };
        assert_eq!(known.label(), "shuffle");
    }

    #[test]
    fn what_is_not_read_is_refused_by_name() {
        assert!(filter(1, &[6]).is_read());
        let error = |id| filter(id, &[]).check_read().unwrap_err();
        assert_eq!(error(4).kind(), ErrorKind::Unsupported);
        assert_eq!(error(4).to_string(), "the filter szip (4) is not read");
        assert_eq!(error(307).to_string(), "the filter bzip2 (307) is not read");
        assert_eq!(error(36_559).to_string(), "the filter Prophesee ECF (36559) is not read");
        assert_eq!(error(40_000).to_string(), "filter 40000 is not read");
        assert!(!filter(40_000, &[]).is_read());
        assert_eq!(filter(32_015, &[]).is_read(), cfg!(feature = "zstd"));
        assert!(filter(32_008, &[0, 4, 4, 0, 2]).is_read());
        assert_eq!(filter(32_008, &[0, 4, 4, 0, 3]).is_read(), cfg!(feature = "zstd"));
        assert!(!filter(5, &[9, 0, 1, 3, 4]).is_read());
    }
}
