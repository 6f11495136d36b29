//! The shapes of signals between layers.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The largest number of values in an item or a tensor of weights. It corresponds to 8 GiB of f32, and
/// indices fit in a u32.
const LARGEST: usize = 1 << 31;

/// The product of sizes, if it is not above the limit.
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) if it is.
pub(crate) fn size(what: &str, sizes: &[usize]) -> Result<usize> {
    let product = sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    product.filter(|&product| product <= LARGEST).ok_or_else(|| {
        Error::config(format!("{what} is too large"))
            .expected(format!("at most {LARGEST} numbers"))
            .found(format!("{sizes:?}"))
    })
}

/// The shape of a signal without its batch: one item, either once or at every time step.
///
/// A timed signal is `[N, T, item…]`, one without time is `[N, item…]`. The number of steps is not part
/// of the shape, because it may differ from sample to sample.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape {
    /// Whether there is an item at every time step.
    pub timed: bool,
    /// The shape of an item: `[C, H, W]`, `[L]`, or `[]` for a single number (a token).
    pub item: Vec<usize>,
}

impl Shape {
    /// An item at every time step.
    pub fn timed(item: impl Into<Vec<usize>>) -> Self {
        Self { timed: true, item: item.into() }
    }

    /// One item, without time.
    pub fn once(item: impl Into<Vec<usize>>) -> Self {
        Self { timed: false, item: item.into() }
    }

    /// The same shape with another item.
    pub fn with_item(&self, item: impl Into<Vec<usize>>) -> Self {
        Self { timed: self.timed, item: item.into() }
    }

    /// Number of values in an item.
    pub fn len(&self) -> usize {
        self.item.iter().product()
    }

    /// Whether an item has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `(C, H, W)` of an item that is an image.
    pub fn image(&self) -> Option<(usize, usize, usize)> {
        match self.item[..] {
            [c, h, w] => Some((c, h, w)),
            _ => None,
        }
    }

    /// Number of channels of an item, and number of values in each: the first axis and the rest.
    pub fn channels(&self) -> (usize, usize) {
        match self.item.split_first() {
            Some((&channels, rest)) => (channels, rest.iter().product()),
            None => (1, 1),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let item = self.item.iter().map(|n| n.to_string());
        let head =
            if self.timed { vec!["N".to_owned(), "T".to_owned()] } else { vec!["N".to_owned()] };
        write!(f, "[{}]", head.into_iter().chain(item).collect::<Vec<_>>().join(", "))
    }
}
