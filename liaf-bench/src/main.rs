//! Times whole recordings on this machine: `liaf-bench data FILE…`.
//!
//! A line a job: `decode` (all events to freshly made columns), `frames` (decode and bin at 10 ms)
//! and `convert` (the whole way to a deflated HDF5 file, which is left to the page cache).

mod data;
mod limit;
mod memory;

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
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Data(args) => data::run(&args),
    }
}
