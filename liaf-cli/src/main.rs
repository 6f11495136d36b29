//! The program `liaf`: what is in an event recording, recordings to tensor files and to other event
//! files, what networks cost, and what a trained one sees in a recording.
//!
//! Data goes to standard output, everything said about it to standard error. Exit codes: 0 done,
//! 1 something failed, 2 the command line is wrong.

mod args;
mod cmd;
mod help;
mod hints;
mod inputs;
mod kind;
mod names;
mod outputs;
mod progress;
mod text;
mod values;

use std::process::ExitCode;

use clap::{FromArgMatches, Parser, Subcommand};

/// Event-camera recordings: look into them, turn them into tensor files or other event files.
#[derive(Debug, Parser)]
#[command(name = "liaf", version, about, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    // The commands' own comments are their help: one here would take its place.
    Info(Box<cmd::info::Args>),
    Convert(Box<cmd::convert_args::Args>),
    Cost(cmd::cost::Args),
    Predict(Box<cmd::predict::Args>),
    Completions(cmd::shell::CompletionsArgs),
    Man(cmd::shell::ManArgs),
}

/// Reads an HDF5 file for another process of this program: `liaf read-hdf5 OPTIONS FILE`.
#[cfg(feature = "hdf5")]
fn serve_hdf5() -> Option<ExitCode> {
    let args: Vec<_> = std::env::args_os().collect();
    match args.as_slice() {
        [_, command, options, file] if command == liaf::data::hdf5_worker::COMMAND => {
            let options = options.to_string_lossy();
            let done =
                liaf::data::hdf5_worker::serve(&options, file.as_ref(), std::io::stdout().lock());
            Some(if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        _ => None,
    }
}

fn main() -> ExitCode {
    #[cfg(feature = "hdf5")]
    if let Some(code) = serve_hdf5() {
        return code;
    }
    let command = help::command(std::env::args_os());
    let matches = command.clone().get_matches();
    hints::set_command(&command, &matches);
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let result = match cli.command {
        Command::Info(args) => cmd::info::run(&args),
        Command::Convert(args) => cmd::convert::run(&args),
        Command::Cost(args) => cmd::cost::run(&args),
        Command::Predict(args) => cmd::predict::run(&args),
        Command::Completions(args) => cmd::shell::completions(&args),
        Command::Man(args) => cmd::shell::man(&args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            // A reader that went away (`liaf info … | head`) is no failure.
            if is_broken_pipe(&error) {
                return ExitCode::SUCCESS;
            }
            text::say(format_args!("liaf: {}", hints::message(&error)));
            ExitCode::from(if is_usage(&error) { 2 } else { 1 })
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Whether the command line asked for something that cannot be.
fn is_usage(error: &anyhow::Error) -> bool {
    error.is::<outputs::Usage>()
        || error
            .downcast_ref::<liaf::data::Error>()
            .is_some_and(|error| error.kind() == liaf::data::ErrorKind::Caller)
}
