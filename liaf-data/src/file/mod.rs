//! Files that appear whole under their name or not at all.

mod atomic;
mod stale;

pub use atomic::AtomicFile;
