//! The commands, one file each.

pub mod convert;
pub mod convert_args;
pub mod info;
