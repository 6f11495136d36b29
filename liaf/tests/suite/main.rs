//! Every test of the crate from outside, in one program, so that what is generic is compiled once.

#[cfg(feature = "png")]
mod animation;
mod classifier;
mod common;
mod custom_layer;
mod examples;
mod experiment;
mod experiment_files;
#[cfg(feature = "nir")]
mod nir;
mod samples;
mod shards;
