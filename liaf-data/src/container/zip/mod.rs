//! Zip archives, the container of `.npz` files.

mod read;
mod write;

pub(crate) use read::{Entry, entries};
pub(crate) use write::{LONGEST_NAME, Member, Method, Zip};
