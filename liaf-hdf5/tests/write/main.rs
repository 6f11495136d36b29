//! Files of this crate, read and extended by libhdf5.
//!
//! Expected are the lines that `tests/judges/read_written.py` prints.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

mod arrays;
mod attributes;
mod chunks;
mod faults;
mod groups;
mod judge;
mod large;
#[path = "../../src/judge.rs"]
mod python;
mod texts;
