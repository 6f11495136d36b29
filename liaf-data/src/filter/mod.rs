//! Stages between a reader of events and their consumer.

mod selection;

pub use selection::Selection;
pub(crate) use selection::{Chooser, Dropped};
