//! The program `liaf`: shows what is in an event recording, converts recordings to tensor files and to
//! other event files, makes tensor files of data sets, simulates recordings, trains networks, compares them,
//! counts what they cost, and classifies recordings with them.
//!
//! Data goes to standard output, messages to standard error. Exit codes: 0 done, 1 something failed, 2
//! the command line is wrong. A program that SIGINT or SIGTERM ends returns 130 or 143.

// These macros panic if standard error or standard output is closed or full. Messages go through
// `text::say`, data through writers whose errors are passed on.
#![deny(clippy::print_stderr, clippy::print_stdout)]

mod applies;
mod args;
mod cmd;
mod folders;
mod help;
mod hints;
mod inputs;
mod kind;
mod names;
mod outputs;
mod progress;
mod signals;
mod text;
mod threads;
mod values;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{FromArgMatches, Parser, Subcommand};

/// Inspect event-camera recordings, and convert them to tensor files or other event files.
#[derive(Debug, Parser)]
#[command(name = "liaf", version, about, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    // The doc comment of each command's `Args` is its help. A comment here would replace it.
    Info(Box<cmd::info::Args>),
    Convert(Box<cmd::convert_args::Args>),
    Dataset(Box<cmd::dataset::Args>),
    Train(Box<cmd::train::Args>),
    Eval(cmd::eval::Args),
    Compare(cmd::compare::Args),
    Cost(cmd::cost::Args),
    Predict(Box<cmd::predict::Args>),
    Simulate(Box<cmd::simulate_args::Args>),
    Completions(cmd::shell::CompletionsArgs),
    Man(cmd::shell::ManArgs),
}

fn main() -> ExitCode {
    signals::listen();
    let command = help::command(std::env::args_os());
    let matches = match command.clone().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return refused(&error),
    };
    hints::set_command(&command, &matches);
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return refused(&error),
    };
    let result = match cli.command {
        Command::Info(args) => cmd::info::run(&args),
        Command::Convert(args) => cmd::convert::run(&args),
        Command::Dataset(args) => cmd::dataset::run(&args),
        Command::Train(args) => cmd::train::run(&args),
        Command::Eval(args) => cmd::eval::run(&args),
        Command::Compare(args) => cmd::compare::run(&args),
        Command::Cost(args) => cmd::cost::run(&args),
        Command::Predict(args) => cmd::predict::run(&args),
        Command::Simulate(args) => cmd::simulate::run(&args),
        Command::Completions(args) => cmd::shell::completions(&args),
        Command::Man(args) => cmd::shell::man(&args),
    };
    // An error of the last bytes is an error of the command.
    match result.and_then(|code| Ok(io::stdout().flush().map(|()| code)?)) {
        Ok(code) => code,
        Err(error) => {
            // It is no failure that the reader of standard output went away, as in `liaf info … |
            // head`.
            if is_broken_pipe(&error) {
                return ExitCode::SUCCESS;
            }
            text::say(format_args!("liaf: {}", hints::message(&error)));
            ExitCode::from(if is_usage(&error) { 2 } else { 1 })
        }
    }
}

/// Prints what clap made of the command line: an error, or the help, which is data on standard output
/// and may fail to arrive.
fn refused(error: &clap::Error) -> ExitCode {
    match error.print().and_then(|()| io::stdout().flush()) {
        Err(cause) if !error.use_stderr() && cause.kind() != io::ErrorKind::BrokenPipe => {
            text::say(format_args!("liaf: cannot print the help: {cause}"));
            ExitCode::FAILURE
        }
        _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2)),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Whether the error is a mistake in the command line.
fn is_usage(error: &anyhow::Error) -> bool {
    error.is::<outputs::Usage>()
        || error
            .downcast_ref::<liaf::data::Error>()
            .is_some_and(|error| error.kind() == liaf::data::ErrorKind::Caller)
}
