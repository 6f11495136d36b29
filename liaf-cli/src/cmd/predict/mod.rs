//! `liaf predict`: the classes of recordings, over time, by a trained network.

mod rows;
mod session;
mod tally;
mod truth;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use liaf::classifier::Classifier;
use liaf::core::Limits as CoreLimits;
use liaf::data::Limits;
use liaf::data::frames::{TimePoint, WindowRule};
use liaf::data::options::Coords;
use liaf::experiment::checkpoint_of;

use self::rows::{Rows, Style};
use self::session::Session;
use self::tally::Tally;
use self::truth::TruthArgs;
use crate::applies;
use crate::args::ReadArgs;
use crate::help::{FRAMES, INPUT, OTHER, OUTPUT, SELECTION};
use crate::progress::Bar;
use crate::text::{self, thousands};
use crate::{inputs, values};

/// What a trained network sees in recordings, over time: a row for each sample, with its class and the
/// probability of that, the softmax of the network's outputs
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A checkpoint of a network in training, which also says how frames are made of the events, how many
    /// are a sample, and what the classes are called; or the folder of a run, of which the last one is used
    #[arg(value_name = "CHECKPOINT|RUN", help_heading = INPUT, display_order = 0)]
    checkpoint: PathBuf,

    /// Recordings: files, folders or globs; - is standard input
    #[arg(required = true, value_name = "RECORDING", help_heading = INPUT, display_order = 0)]
    recordings: Vec<PathBuf>,

    #[command(flatten)]
    truth: TruthArgs,

    /// Frames of a sample, after which the network begins anew; 0 = the whole recording is one
    /// sample [default: as the checkpoint says]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = FRAMES)]
    steps: Option<usize>,

    /// A row after every frame, of its sample so far
    #[arg(long, help_heading = OUTPUT)]
    each_frame: bool,

    /// What becomes of a last sample that the end of the recording cuts short: mark = its row says so, drop =
    /// it has no row and does not count
    #[arg(long, value_name = "WHAT", value_parser = ["mark", "drop"], default_value = "mark")]
    #[arg(conflicts_with = "each_frame", help_heading = OUTPUT)]
    partial: String,

    /// Only events from this time after the first event on; @… is µs of the recording's clock
    #[arg(long, value_name = "TIME", value_parser = values::time_point, help_heading = SELECTION)]
    #[arg(allow_hyphen_values = true)]
    from: Option<TimePoint>,

    /// Only events before this time
    #[arg(long, value_name = "TIME", value_parser = values::time_point, help_heading = SELECTION)]
    #[arg(allow_hyphen_values = true)]
    to: Option<TimePoint>,

    /// Rows of CSV: start and end in µs of the recording's clock, frames, class, probability, whether the
    /// sample is complete, its class if that is known, and the recording
    #[arg(long, conflicts_with = "json", help_heading = OUTPUT)]
    csv: bool,

    /// One JSON object a row, with the probabilities and outputs of all classes as well
    #[arg(long, help_heading = OUTPUT)]
    json: bool,

    /// Slow, plain loops: the numbers of a pass over whole samples with them, bit for bit
    #[arg(long, help_heading = OTHER, hide_short_help = true)]
    plain: bool,

    /// Most frames of the recording
    #[arg(long, value_name = "N", default_value_t = Limits::default().frames)]
    #[arg(allow_negative_numbers = true, help_heading = FRAMES, hide_short_help = true)]
    max_frames: u64,

    /// Most memory of the network, in MiB: a checkpoint that needs more is refused before it is used
    #[arg(long, value_name = "MIB", default_value_t = CoreLimits::DEFAULT.memory >> 20)]
    #[arg(allow_negative_numbers = true, help_heading = FRAMES, hide_short_help = true)]
    max_memory: u64,

    /// Name the files of folders that are passed over
    #[arg(long, short, help_heading = OTHER)]
    verbose: bool,

    /// Say nothing but rows, warnings and errors
    #[arg(long, short, help_heading = OTHER)]
    quiet: bool,

    #[command(flatten)]
    read: ReadArgs,
}

const EXAMPLES: &str = "\
Examples:
  liaf predict net.safetensors recording.aedat4
  liaf predict runs/objects recordings/ --class-from dir
  liaf predict runs/objects recordings/*.raw --labels labels.csv --partial drop --csv > classes.csv
  liaf predict net.safetensors recording.raw --each-frame --csv > classes.csv
  liaf predict net.safetensors recording.raw --from 2s --to 3s --steps 0 --json
  cat recording.aedat4 | liaf predict net.safetensors -";

impl Args {
    fn style(&self) -> Style {
        match (self.csv, self.json) {
            (true, _) => Style::Csv,
            (_, true) => Style::Json,
            _ => Style::Table,
        }
    }
}

/// Prints the rows as frames close.
pub fn run(args: &Args) -> Result<ExitCode> {
    args.read.say_fewer_threads();
    args.read.on_threads(|| predict(args))?
}

fn predict(args: &Args) -> Result<ExitCode> {
    let read = args.read.options(Coords::Canonical)?;
    let found = inputs::expand(&args.recordings, &read.columns);
    applies::check_inputs(&found.files, &read)?;
    let mut classifier = open(args)?;
    let window = match classifier.recipe().frames.windows {
        WindowRule::Time { us, .. } => Some(us),
        _ => None,
    };
    let truth = args.truth.read(&args.recordings, &found.files, window, &read)?;
    let names: Vec<String> = classifier.classes().map(str::to_owned).collect();
    if let Some(truth) = &truth {
        truth.check(&names)?;
    }
    found.about_passed_over(args.verbose).iter().for_each(text::say);
    let terminal = io::stdout().is_terminal();
    let rows = Rows::new(io::stdout(), args.style(), args.each_frame, &names, terminal)?;
    let bar = Bar::new(&found.files, args.quiet);
    let several = inputs::may_be_several(&args.recordings);
    let (quiet, drop) = (args.quiet, args.partial == "drop");
    let mut session = Session { read, bar, truth, names, several, drop, quiet, rows };
    let mut total = Tally::new(session.names.len());
    let mut failed = !found.failed.is_empty();
    found.failed.into_iter().try_for_each(|(_, error)| session.fail(error))?;
    for file in &found.files {
        match session.recording(&mut classifier, file) {
            Ok(tally) => total.add(&tally),
            Err(error) => {
                failed = true;
                session.fail(error)?;
            }
        }
    }
    session.bar.finish();
    if several && !args.quiet {
        text::say(format_args!("all: {}", total.summary(&session.names)));
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The network, with the options of the command line.
fn open(args: &Args) -> Result<Classifier> {
    let limits = Limits { frames: args.max_frames, ..Limits::default() };
    let memory = args.max_memory.saturating_mul(1 << 20);
    let within = CoreLimits { memory, ..CoreLimits::default() };
    let checkpoint = checkpoint_of(&args.checkpoint).map_err(of_its_half)?;
    let mut classifier = Classifier::open_within(&checkpoint, &within).map_err(|error| {
        of_its_half(match error {
            liaf::Error::Core(error) if error.kind() == liaf::core::ErrorKind::Limit => {
                error.advice("a larger --max-memory allows it").into()
            }
            other => other,
        })
    })?;
    if !args.quiet {
        text::say(needs(&checkpoint, &classifier));
    }
    classifier = classifier
        .from(args.from)
        .to(args.to)
        .each_frame(args.each_frame)
        .plain(args.plain)
        .limits(limits);
    Ok(match args.steps {
        Some(steps) => classifier.steps(steps),
        None => classifier,
    })
}

/// What the network will take, before it runs.
fn needs(path: &Path, classifier: &Classifier) -> String {
    let (memory, macs) = (classifier.memory_estimate().total(), classifier.macs_per_frame());
    let macs = match macs {
        u64::MAX => "more than 1.8e19".into(),
        macs => thousands(macs),
    };
    let memory = text::bytes(memory);
    format!("{}: needs {memory} of memory, {macs} MACs for each frame", text::path(path))
}

/// The error inside, whose kind decides the exit code.
pub(super) fn of_its_half(error: liaf::Error) -> anyhow::Error {
    match error {
        liaf::Error::Data(error) => error.into(),
        liaf::Error::Core(error) => error.into(),
        other => other.into(),
    }
}
