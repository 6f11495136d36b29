//! Zip archives, the container of `.npz` files.

mod read;
mod write;

pub(crate) use read::{Entry, entries};
pub(crate) use write::{Member, Method, Zip};
