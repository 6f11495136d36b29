//! The commands, one file each.

mod account;
pub mod convert;
pub mod convert_args;
pub mod cost;
pub mod info;
pub mod predict;
