//! Every test of the crate from outside, in one program, so that what is generic is compiled once.

mod classifier;
mod common;
mod examples;
mod experiment;
#[cfg(feature = "nir")]
mod nir;
mod samples;
