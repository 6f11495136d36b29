//! `liaf completions` and `liaf man`: completions for shells, and manual pages.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::help::{self, INPUT};
use crate::outputs::Usage;

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  liaf completions bash > ~/.local/share/bash-completion/completions/liaf
  liaf completions zsh  > ~/.zfunc/_liaf
  liaf completions fish > ~/.config/fish/completions/liaf.fish")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", help_heading = INPUT)]
    shell: Shell,
}

/// Print the manual page of the program or of one of its commands
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  liaf man > liaf.1
  liaf man convert > liaf-convert.1
  liaf man convert | man -l -")]
pub struct ManArgs {
    /// The command [default: the program as a whole]
    #[arg(value_name = "COMMAND", help_heading = INPUT)]
    command: Option<String>,
}

/// Prints what the shell reads.
pub fn completions(args: &CompletionsArgs) -> Result<ExitCode> {
    // The script is made in memory first, because `generate` panics if the reader of standard output
    // goes away.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut help::complete(), "liaf", &mut script);
    print(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a manual page.
pub fn man(args: &ManArgs) -> Result<ExitCode> {
    let mut program = help::complete();
    // Gives the commands their full names.
    program.build();
    let command = match &args.command {
        None => program,
        Some(name) => match program.find_subcommand(name) {
            Some(command) => command.clone(),
            None => {
                let names = program.get_subcommands().map(|command| command.get_name());
                let names = names.collect::<Vec<_>>().join(", ");
                return Err(Usage(format!("{name}: no such command (expected {names})")).into());
            }
        },
    };
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    print(&page)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints bytes, the last of which need not end a line.
fn print(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}
