//! `liaf dataset merge` and `liaf dataset verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use liaf::data::dataset::{Join, Verified, merge, verify};
use liaf::data::tensor::TensorOptions;

use crate::help::{INPUT, OTHER, OUTPUT};
use crate::hints;
use crate::text::{bytes, say, thousands};

/// What is done with files that exist, instead of making them.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Join the files that several processes made with --part: one file for each split, with the bytes that
    /// a single process would have written
    Merge(MergeArgs),
    /// Check files of data sets, or lists of shards: names, offsets and every sample
    Verify(VerifyArgs),
}

/// The arguments of `merge`.
#[derive(Debug, clap::Args)]
pub struct MergeArgs {
    /// The files of all parts, or lists of shards, in any order
    #[arg(value_name = "FILE", required = true, help_heading = INPUT)]
    files: Vec<PathBuf>,

    /// The file to make; with splits, .train and .test come before the extension
    #[arg(long, short, value_name = "OUT", help_heading = OUTPUT)]
    output: PathBuf,

    /// Leave the files as they are, and only write a list of them: OUT with the extension .json
    #[arg(long, help_heading = OUTPUT)]
    index: bool,

    /// Replace files that exist
    #[arg(long, help_heading = OUTPUT)]
    force: bool,

    /// Print nothing but errors
    #[arg(long, short, help_heading = OTHER)]
    quiet: bool,
}

/// The arguments of `verify`.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// Files of data sets, or lists of shards (.json)
    #[arg(value_name = "FILE", required = true, help_heading = INPUT)]
    files: Vec<PathBuf>,

    /// Print nothing but errors
    #[arg(long, short, help_heading = OTHER)]
    quiet: bool,
}

impl Verb {
    /// Does it.
    pub fn run(&self) -> Result<ExitCode> {
        match self {
            Self::Merge(args) => args.run(),
            Self::Verify(args) => Ok(args.run()),
        }
    }
}

impl MergeArgs {
    fn run(&self) -> Result<ExitCode> {
        let join = if self.index { Join::Index } else { Join::Copy };
        let options = TensorOptions { overwrite: self.force, ..TensorOptions::default() };
        for made in merge(&self.files, &self.output, join, &options)? {
            if !self.quiet {
                show(&made);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl VerifyArgs {
    fn run(&self) -> ExitCode {
        let mut code = ExitCode::SUCCESS;
        for path in &self.files {
            match verify(path) {
                Ok(found) if !self.quiet => show(&found),
                Ok(_) => {}
                Err(error) => {
                    say(format_args!("liaf: {}", hints::of_error(&error)));
                    code = ExitCode::FAILURE;
                }
            }
        }
        code
    }
}

/// A line for each file.
fn show(found: &Verified) {
    for (path, samples, size) in &found.files {
        let samples = thousands(*samples);
        say(format_args!("{}: complete, {samples} samples, {}", path.display(), bytes(*size)));
    }
    if found.files.len() > 1 {
        let samples = thousands(found.samples);
        say(format_args!("  together {samples} samples in {} files", found.files.len()));
    }
    if found.failed > 0 {
        let n = thousands(found.failed);
        say(format_args!("  {n} recordings failed when they were made, and are not in them"));
    }
}
