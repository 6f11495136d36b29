//! Event files that are written. What holds of every kind of them is asked of every row of the table of
//! targets: a new one needs no code here but a line in `foreign.rs` for its judge.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test says what it expects by unwrapping it"
)]

mod cases;
mod faults;
mod foreign;
mod pairs;
mod parquet;
mod shared;
