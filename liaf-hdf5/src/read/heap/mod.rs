//! Heaps: where names, values of variable length, and many links or attributes are kept.

pub(crate) mod fractal;
pub(crate) mod global;
pub(crate) mod local;
