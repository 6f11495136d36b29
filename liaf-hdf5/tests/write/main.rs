//! Files of this crate, read and extended by libhdf5.
//!
//! Expected are the lines that `tests/judges/read_written.py` prints; `LIAF_PYTHON` names a Python with
//! numpy and h5py. Without one these tests skip, and say so, unless `LIAF_REQUIRE_JUDGES` is 1.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

mod arrays;
mod attributes;
mod chunks;
mod faults;
mod groups;
mod judge;
mod large;
mod texts;
