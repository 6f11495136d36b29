//! What the library advises, in the words of the command line.
//!
//! The library's [`Hint`]s name no option. Here each becomes the option that does it, unless the
//! running command has no such option, or was given it already.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};
use liaf::data::model::Note;
use liaf::data::{Error, Hint};

/// The options of the running command, and those that it was given.
#[derive(Debug, Default)]
struct Options {
    known: BTreeSet<String>,
    given: BTreeSet<String>,
}

static OPTIONS: OnceLock<Options> = OnceLock::new();

/// Records which command runs, so that no option is advised that it does not have.
pub fn set_command(program: &Command, matches: &ArgMatches) {
    if let Some((name, matches)) = matches.subcommand()
        && let Some(command) = program.find_subcommand(name)
    {
        // A program runs one command; a second call would set the same value.
        let _ = OPTIONS.set(Options::of(command, matches));
    }
}

fn options() -> &'static Options {
    OPTIONS.get_or_init(Options::default)
}

/// The message of any error, with the hints of the library as options.
pub fn message(error: &anyhow::Error) -> String {
    options().message(error)
}

/// The message of an error of the library.
pub fn of_error(error: &Error) -> String {
    error.message(|hint| options().say(hint))
}

/// A note of the library.
pub fn of_note(note: &Note) -> String {
    note.message(|hint| options().say(hint))
}

/// All notes of the library.
pub fn of_notes(notes: &[Note]) -> Vec<String> {
    notes.iter().map(of_note).collect()
}

/// Whether the command has the option `name` and was not given it.
pub fn may_advise(name: &str) -> bool {
    options().may_advise(name)
}

/// Whether the running command has the option `name`.
pub fn has(name: &str) -> bool {
    options().known.contains(name)
}

/// Whether the running command was given the option `name`.
pub fn is_given(name: &str) -> bool {
    options().given.contains(name)
}

impl Options {
    fn of(command: &Command, matches: &ArgMatches) -> Self {
        let mut options = Self::default();
        for argument in command.get_arguments() {
            let Some(name) = argument.get_long() else { continue };
            options.known.insert(name.to_owned());
            if matches.value_source(argument.get_id().as_str()) == Some(ValueSource::CommandLine) {
                options.given.insert(name.to_owned());
            }
        }
        options
    }

    fn may_advise(&self, name: &str) -> bool {
        self.known.contains(name) && !self.given.contains(name)
    }

    /// The messages of `error` and its causes, in order. The message of a library error already
    /// contains those of its causes.
    fn message(&self, error: &anyhow::Error) -> String {
        let words = error.chain().map(|cause| {
            let of_data = match cause.downcast_ref::<liaf::Error>() {
                Some(liaf::Error::Data(error)) => Some(error),
                _ => cause.downcast_ref::<Error>(),
            };
            match of_data {
                Some(error) => error.message(|hint| self.say(hint)),
                None => cause.to_string(),
            }
        });
        words.collect::<Vec<_>>().join(": ")
    }

    /// The hint as an option, or `None` if that would not help here.
    fn say(&self, hint: &Hint) -> Option<String> {
        let advice = advice(hint)?;
        let helps = match advice.again {
            true => |options: &Self, name: &&str| options.known.contains(*name),
            false => |options: &Self, name: &&str| options.may_advise(name),
        };
        advice.options.iter().all(|name| helps(self, name)).then_some(advice.text)
    }
}

/// What to say, the options that it names, and whether it still helps if these were given already,
/// which is so if it names another value for them.
struct Advice {
    text: String,
    options: &'static [&'static str],
    again: bool,
}

/// `None` for what the program has no option for.
fn advice(hint: &Hint) -> Option<Advice> {
    let once = |text: String, options| Advice { text, options, again: false };
    let again = |text: String, options| Advice { text, options, again: true };
    Some(match hint {
        Hint::StateFormat { names } => {
            let names: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
            once(format!("state it: --format {}", names.join(" or ")), &["format"])
        }
        Hint::ContinueRun => {
            again("--resume continues it, --out names another folder".into(), &["resume", "out"])
        }
        Hint::StateSensor => once("state it with --sensor WxH".into(), &["sensor"]),
        Hint::ChooseStream { names } if names.is_empty() => {
            again("choose another stream with --stream".into(), &["stream"])
        }
        Hint::ChooseStream { names } => {
            again(format!("choose one: --stream {}", names.join(" or ")), &["stream"])
        }
        // Only a conversion writes anything.
        Hint::WriteMeasurements => {
            again("write it as .csv, or frames as a folder or .h5".into(), &["output"])
        }
        Hint::NameColumns { example } if example.contains('=') => {
            again(format!("name them, as in --keys {example}"), &["keys"])
        }
        Hint::NameColumns { example } => {
            let text = "give their order, as in --keys";
            again(format!("{text} {example}; _ is a column to pass over"), &["keys"])
        }
        Hint::StatePolarity => {
            let text = "state the values of OFF and ON with --polarity-values OFF,ON";
            once(text.into(), &["polarity-values"])
        }
        Hint::StateTimeUnit => {
            once("state it with --time-unit s, ms, us or ns".into(), &["time-unit"])
        }
        Hint::RoundPixels => once("--round takes the nearest pixel".into(), &["round"]),
        Hint::ChooseReading { name } => again(format!("choose --aedat2 {name}"), &["aedat2"]),
        Hint::KeepReadingAtClockReset => {
            again("--clock-reset keep or rebase continues reading".into(), &["clock-reset"])
        }
        Hint::StateImuRanges => once("state them with --imu-ranges G,DPS".into(), &["imu-ranges"]),
        Hint::StateWordOrder => {
            once("state it with --evt21-order little or legacy".into(), &["evt21-order"])
        }
        Hint::RawCoords => once("use --coords raw".into(), &["coords"]),
        Hint::BuildIndex => {
            once("--index builds an index, which finds all of them".into(), &["index"])
        }
        Hint::Overwrite => once("--force replaces it".into(), &["force"]),
        Hint::ZeroTime => once("--zero-time makes time begin at 0".into(), &["zero-time"]),
        Hint::WrapTimes { modulus } => {
            once(format!("--wrap keeps times modulo {modulus} µs"), &["wrap"])
        }
        Hint::ShorterStretch => {
            again("--from and --to choose a shorter stretch".into(), &["from", "to"])
        }
        Hint::Crop => again("--crop X,Y,W,H chooses a part of the sensor".into(), &["crop"]),
        Hint::Sort => once("--sort orders events by time".into(), &["sort"]),
        Hint::ClampTimes => {
            let text = "--clamp-time moves late events to the time of the one before";
            once(text.into(), &["clamp-time"])
        }
        Hint::LongerWindows => {
            again("choose longer windows: --window, --count".into(), &["window", "count"])
        }
        Hint::ShorterWindows => {
            again("choose shorter windows: --window, --count".into(), &["window", "count"])
        }
        Hint::SmallerFrames => again(
            "choose a smaller --size, a --crop or a smaller --dtype".into(),
            &["size", "crop", "dtype"],
        ),
        Hint::SmallerOverlap => again("choose a smaller --overlap".into(), &["overlap"]),
        Hint::ClockTimes => again(
            "give --from and --to on the recording's clock, as in @1000000".into(),
            &["from", "to"],
        ),
        Hint::RaiseLimit { limit, .. } if limit == "frames" => {
            again("a larger --max-frames allows more".into(), &["max-frames"])
        }
        Hint::RaiseLimit { limit, to: Some(bytes) } if limit == "reorder_bytes" => {
            let mib = bytes.div_ceil(1 << 20);
            again(format!("--sort-memory {mib} is enough for all of them"), &["sort-memory"])
        }
        Hint::RaiseLimit { limit, to: Some(bytes) } if limit == "memory" => {
            let mib = bytes.div_ceil(1 << 20);
            again(format!("--max-memory {mib} allows it"), &["max-memory"])
        }
        Hint::RaiseLimit { .. } => return None,
        other => again(other.to_string(), &[]),
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::Cli;

    /// Whether some command has the option `name`.
    fn is_known(name: &str) -> bool {
        Cli::command().get_subcommands().any(|command| {
            command.get_arguments().any(|argument| {
                argument.get_long_and_visible_aliases().is_some_and(|all| all.contains(&name))
            })
        })
    }

    fn options_of(words: &[&str]) -> Options {
        let program = Cli::command();
        let matches = program.clone().try_get_matches_from(words).unwrap();
        let (name, matches) = matches.subcommand().unwrap();
        Options::of(program.find_subcommand(name).unwrap(), matches)
    }

    #[test]
    fn every_option_that_a_hint_names_exists() {
        let mut named = 0;
        for hint in Hint::examples() {
            let Advice { text, options, .. } = advice(&hint).unwrap();
            let words = text.split(|c: char| !(c.is_alphanumeric() || c == '-'));
            for option in words.filter_map(|word| word.strip_prefix("--")) {
                assert!(is_known(option), "{text}");
                assert!(options.contains(&option), "{text}");
                named += 1;
            }
            assert!(options.iter().all(|option| is_known(option)), "{text}");
        }
        assert!(named > 15, "only {named}");
    }

    #[test]
    fn no_hint_but_for_free_text_and_features_falls_back_on_the_words_of_the_library() {
        for hint in Hint::examples() {
            let is_free = matches!(hint, Hint::Text(_) | Hint::EnableFeature { .. });
            let text = advice(&hint).unwrap().text;
            assert_eq!(text == hint.to_string(), is_free, "{hint}");
        }
    }

    #[test]
    fn a_command_advises_only_options_that_it_has_and_was_not_given() {
        let info = options_of(&["liaf", "info", "a.raw"]);
        let given = options_of(&["liaf", "info", "--sensor", "3x4", "a.raw"]);
        let convert = options_of(&["liaf", "convert", "a.raw", "-o", "b.h5"]);
        assert!(info.say(&Hint::StateSensor).unwrap().contains("--sensor"));
        assert_eq!(given.say(&Hint::StateSensor), None);
        assert_eq!(info.say(&Hint::BuildIndex), None);
        assert!(convert.say(&Hint::BuildIndex).unwrap().contains("--index"));
        assert_eq!(convert.say(&Hint::RawCoords), None);
        assert!(info.say(&Hint::RawCoords).unwrap().contains("--coords"));
        assert_eq!(info.say(&Hint::WriteMeasurements), None);
        assert!(convert.say(&Hint::WriteMeasurements).is_some());
        let raise = |limit: &str| Hint::RaiseLimit { limit: limit.into(), to: Some(3 << 20) };
        assert!(convert.say(&raise("frames")).unwrap().contains("--max-frames"));
        assert!(convert.say(&raise("reorder_bytes")).unwrap().contains("--sort-memory 3 "));
        let train = options_of(&["liaf", "train", "a.toml", "--max-memory", "1"]);
        assert!(train.say(&raise("memory")).unwrap().contains("--max-memory 3 "));
        assert_eq!(info.say(&raise("frames")), None);
        assert_eq!(convert.say(&raise("output_bytes")), None);
        let names = vec!["0".to_owned(), "1".to_owned()];
        let other = options_of(&["liaf", "info", "--stream", "7", "a.raw"]);
        assert_eq!(
            other.say(&Hint::ChooseStream { names }).as_deref(),
            Some("choose one: --stream 0 or 1")
        );
    }

    #[test]
    fn a_cause_of_the_system_is_said_once() {
        let cause = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let words = cause.to_string();
        let error = anyhow::Error::from(Error::system("cannot write", cause)).context("out.h5");
        let message = Options::default().message(&error);
        assert_eq!(message, format!("out.h5: cannot write: {words}"));
        let denied = || std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        for error in [
            anyhow::Error::from(liaf::Error::from(Error::system("cannot open", denied()))),
            liaf::core::Error::system("cannot open", denied()).into(),
        ] {
            let message = Options::default().message(&error);
            assert_eq!(message, format!("cannot open: {}", denied()));
        }
    }

    #[test]
    fn an_error_of_the_crate_that_joins_both_is_advised_about_as_well() {
        let convert = options_of(&["liaf", "convert", "a.raw", "-o", "b.h5"]);
        let error = liaf::Error::from(Error::caller("the file exists").hint(Hint::Overwrite));
        let message = convert.message(&error.into());
        assert_eq!(message, "the file exists (--force replaces it)");
    }
}
