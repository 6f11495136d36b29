//! Times whole recordings on this machine: `liaf-bench data FILE…`.
//!
//! It prints a line per job: `decode` (all events into newly allocated columns), `frames` (decode and
//! bin at 10 ms) and `convert` (the whole way to a deflated HDF5 file, which is left to the page
//! cache). `liaf-bench seek` times random intervals of long recordings, `liaf-bench load` batches of
//! tensor files, `liaf-bench nets` networks, and `liaf-bench e2e` the whole way from a file to classes.

// These macros panic if standard output is closed or full.
#![deny(clippy::print_stderr, clippy::print_stdout)]

mod cpu;
mod data;
mod e2e;
mod limit;
mod load;
mod memory;
mod nets;
mod seek;

use clap::{Parser, Subcommand};

/// Time readers, writers and networks on this machine.
#[derive(Debug, Parser)]
#[command(name = "liaf-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Time reading, binning and converting recordings
    Data(data::Args),
    /// Time reading random intervals of long recordings, which are generated for it
    Seek(seek::Args),
    /// Time batches of the samples of a tensor file
    Load(load::Args),
    /// Time networks: inference, training, streaming
    Nets(nets::Args),
    /// Time the whole way from a recording to classes
    E2e(e2e::Args),
    /// Time one network in this process
    #[command(hide = true)]
    Net(nets::OneArgs),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Data(args) => data::run(&args),
        Command::Seek(args) => seek::run(&args),
        Command::Load(args) => load::run(&args),
        Command::Nets(args) => nets::run(&args),
        Command::E2e(args) => e2e::run(&args),
        Command::Net(args) => nets::run_one(&args),
    }
}
