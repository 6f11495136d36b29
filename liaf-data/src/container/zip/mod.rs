//! Zip archives, which `.npz` and tensor files are.

mod read;
mod write;

pub(crate) use read::{Entry, entries};
pub(crate) use write::{Member, Method, Zip};
