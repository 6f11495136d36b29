//! Where bytes come from and where they go: sources, files that appear whole or not at all, threads.

mod atomic;
mod memory;
mod parallel;
mod source;
mod stale;

pub use atomic::AtomicFile;
pub(crate) use memory::prefer_huge_pages;
pub(crate) use parallel::{in_order, places_per_pool};
#[cfg(test)]
pub(crate) use source::OPENS;
pub use source::{ByteSource, MapChoice};
