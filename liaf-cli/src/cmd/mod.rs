//! The commands, one file each.

mod account;
mod account_json;
pub mod cells;
pub mod compare;
pub mod convert;
pub mod convert_args;
pub mod cost;
pub mod dataset;
pub mod eval;
mod hot_pixels;
pub mod info;
pub mod predict;
pub mod shell;
pub mod simulate;
pub mod simulate_args;
mod summary;
pub mod train;
