//! How the help is laid out: the headings of the options, and which options only `--help` shows.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command, CommandFactory};

use crate::Cli;
use crate::cmd::{cells, dataset};

/// How the input is read.
pub const INPUT: &str = "Input";
/// Which events are taken.
pub const SELECTION: &str = "Selection of events";
/// How frames are made of events.
pub const FRAMES: &str = "Frames and tensor files";
/// What is particular to event files.
pub const EVENT_FILES: &str = "Event files";
/// Where the output goes.
pub const OUTPUT: &str = "Output";
/// What the pixels of a simulated sensor do.
pub const PIXELS: &str = "Pixels";
/// Data sets that are simulated.
pub const SETS: &str = "Data sets";
/// The rest.
pub const OTHER: &str = "Other options";

/// The command line of the program. `-h` leaves out the options that are rarely needed; `--help` and
/// the command `help` list all of them, in the same compact form.
pub fn command(words: impl IntoIterator<Item = OsString>) -> Command {
    let words: Vec<_> = words.into_iter().skip(1).collect();
    let all = words.iter().any(|word| word == "--help")
        || words.first().is_some_and(|word| word == "help");
    let command = if all { complete() } else { set_out(Cli::command()) };
    command.mut_subcommands(|command| {
        let has_rare = command.get_arguments().any(Arg::is_hide_short_help_set);
        let help = match has_rare {
            true => "Print the most used options (all of them with '--help')",
            false => "Print this help",
        };
        command.mut_arg("help", |arg| arg.help(help))
    })
}

/// The command line with every option in its help.
pub fn complete() -> Command {
    set_out(Cli::command())
        .mut_subcommands(|command| command.mut_args(|arg| explained(arg).hide_short_help(false)))
}

/// The option with the whole explanation, if the short help only lists names.
fn explained(arg: Arg) -> Arg {
    match arg.get_id().as_str() {
        "repr" => arg.help(cells::about_all()),
        "repr_or_events" => arg.help(dataset::repr::about_all()),
        "filter" => arg.help(cells::filters_all()),
        _ => arg,
    }
}

/// Puts the options that clap adds under the last heading, where a command has headings.
fn set_out(command: Command) -> Command {
    command.mut_subcommands(|command| {
        let help = Arg::new("help").short('h').long("help").action(ArgAction::Help);
        let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
        set_out(command)
            .disable_help_flag(true)
            .disable_version_flag(true)
            .arg(help.help("Print this help").help_heading(OTHER))
            .arg(version.help("Print the version").help_heading(OTHER))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(words: &[&str]) -> String {
        let error = command(words.iter().map(OsString::from)).try_get_matches_from(words);
        error.unwrap_err().to_string()
    }

    #[test]
    fn the_short_help_is_short_and_the_long_one_names_every_option() {
        let short = help(&["liaf", "convert", "-h"]);
        for words in [&["liaf", "convert", "--help"][..], &["liaf", "help", "convert"]] {
            let long = help(words);
            for argument in complete().find_subcommand("convert").unwrap().get_arguments() {
                if let Some(name) = argument.get_long() {
                    assert!(long.contains(&format!("--{name}")), "{name} is not in:\n{long}");
                }
            }
            assert!(long.lines().count() > short.lines().count() + 20, "{short}\n{long}");
        }
        let at = |text: &str| short.find(text).unwrap();
        assert!(at("<INPUT>...  ") < at("--format"), "{short}");
        assert!(short.contains("--window") && !short.contains("--evt21-order"), "{short}");
        assert!(short.contains("all of them with '--help'"), "{short}");
    }

    #[test]
    fn every_option_has_a_heading_and_every_command_an_example() {
        let program = complete();
        for command in program.get_subcommands() {
            for argument in command.get_arguments() {
                let name = format!("{} {}", command.get_name(), argument.get_id());
                assert!(argument.get_help_heading().is_some(), "{name}");
                assert!(argument.get_help().is_some(), "{name}");
            }
            let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(examples.starts_with("Examples:"), "{}", command.get_name());
        }
    }
}
