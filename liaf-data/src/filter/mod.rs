//! Stages between a reader and whoever takes its events.

mod selection;

pub use selection::Selection;
pub(crate) use selection::{Chooser, Dropped};
