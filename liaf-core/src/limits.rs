//! Limits that the sizes in a file must pass before memory is allocated for them.

use crate::error::{Error, Result};

/// How much memory a network of a file may need, and how long a configuration may be.
///
/// A short file can describe a network of any size, by its channels, paddings or units. The memory is
/// therefore [estimated](crate::graph::MemoryEstimate) from the configuration and compared with these
/// limits before it is allocated.
///
/// ```
/// use liaf_core::Limits;
/// let strangers = Limits { memory: 256 << 20, ..Limits::default() };
/// assert!(strangers.memory < Limits::default().memory);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Size of a checkpoint, and of everything that a network needs while it runs, in bytes. Default
    /// 4 GiB.
    pub memory: u64,
    /// Length of a configuration in TOML or JSON, in bytes. Default 16 MiB.
    pub config_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Limits {
    /// The default limits.
    pub const DEFAULT: Self = Self { memory: 4 << 30, config_bytes: 16 << 20 };

    /// Returns an error with both numbers if `bytes` are more than `limit`.
    pub(crate) fn check(what: &str, bytes: u64, limit: u64) -> Result<()> {
        if bytes <= limit {
            return Ok(());
        }
        Err(Error::limit(what)
            .expected(format!("at most {limit} bytes"))
            .found(format!("{bytes} bytes")))
    }
}
