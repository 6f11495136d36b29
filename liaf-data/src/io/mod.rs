//! Input and output: byte sources, files that appear complete or not at all, and work on several
//! threads.

mod atomic;
mod crc;
mod destination;
mod memory;
mod parallel;
mod same;
mod source;
mod spool;
mod stale;
mod unfinished;
mod whole;

pub use atomic::AtomicFile;
pub(crate) use crc::Crc32;
pub(crate) use destination::{Destination, is_standard_output};
pub(crate) use memory::prefer_huge_pages;
pub(crate) use parallel::{in_order, places_per_pool};
pub use same::{file_identity, is_same_file};
#[cfg(test)]
pub(crate) use source::OPENS;
pub use source::{ByteSource, MapChoice, unpacked_name};
pub(crate) use source::{Damage, Unpack, Wrapper};
pub(crate) use spool::Spool;
pub use unfinished::abandon_outputs;
#[cfg(feature = "png")]
pub(crate) use unfinished::{Unfinished, changing};
pub(crate) use whole::{read_text, read_whole};
