//! Times whole recordings on this machine: `liaf-bench data FILE…`.
//!
//! A line a job: `decode` (all events to freshly made columns), `frames` (decode and bin at 10 ms)
//! and `convert` (the whole way to a deflated HDF5 file, which is left to the page cache).
//! `liaf-bench seek` times random stretches of long recordings.

mod cpu;
mod data;
mod limit;
mod memory;
mod seek;

use clap::{Parser, Subcommand};

/// Times of this machine.
#[derive(Debug, Parser)]
#[command(name = "liaf-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Reading, binning and converting of recordings
    Data(data::Args),
    /// Random stretches of long recordings, which are made for it
    Seek(seek::Args),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Data(args) => data::run(&args),
        Command::Seek(args) => seek::run(&args),
    }
}
