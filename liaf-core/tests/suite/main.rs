//! Every test of the crate from outside, in one program, so that what is generic over the number type
//! is compiled once: `cargo test -p liaf-core --test suite neurons::`.

mod checkpoints;
mod common;
mod convolution;
mod cost;
mod custom;
mod examples;
mod faults;
mod gated;
mod graph;
mod layers;
mod learning;
mod memory;
mod neurons;
mod norms;
mod old_files;
mod recurrent;
mod reference;
mod training;
mod truncated;
mod weights;
mod zoo;
