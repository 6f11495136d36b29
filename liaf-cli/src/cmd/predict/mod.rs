//! `liaf predict`: the classes of a recording, over time, by a trained network.

mod rows;

use std::io::{self, IsTerminal};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::slice;

use anyhow::Result;
use liaf::classifier::{Classifier, Difference, Prediction};
use liaf::core::Limits as CoreLimits;
use liaf::data::convert::Framed;
use liaf::data::frames::TimePoint;
use liaf::data::options::Coords;
use liaf::data::{Limits, Recording};

use self::rows::{Rows, Style};
use super::account::{bytes, frame_warnings};
use crate::applies;
use crate::args::ReadArgs;
use crate::help::{FRAMES, INPUT, OTHER, OUTPUT, SELECTION};
use crate::progress::Bar;
use crate::text::{self, thousands};
use crate::values;

/// What a trained network sees in a recording, over time: a row for each sample, with its class and the
/// probability of that, the softmax of the network's outputs
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A checkpoint of a network in training, which also says how frames are made of the events, how many
    /// are a sample, and what the classes are called
    #[arg(value_name = "CHECKPOINT", help_heading = INPUT, display_order = 0)]
    checkpoint: PathBuf,

    /// The recording; - is standard input
    #[arg(value_name = "RECORDING", help_heading = INPUT, display_order = 0)]
    recording: PathBuf,

    /// Frames of a sample, after which the network begins anew; 0 = the whole recording is one
    /// sample [default: as the checkpoint says]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = FRAMES)]
    steps: Option<usize>,

    /// A row after every frame, of its sample so far
    #[arg(long, help_heading = OUTPUT)]
    each_frame: bool,

    /// Only events from this time after the first event on; @… is µs of the recording's clock
    #[arg(long, value_name = "TIME", value_parser = values::time_point, help_heading = SELECTION)]
    #[arg(allow_hyphen_values = true)]
    from: Option<TimePoint>,

    /// Only events before this time
    #[arg(long, value_name = "TIME", value_parser = values::time_point, help_heading = SELECTION)]
    #[arg(allow_hyphen_values = true)]
    to: Option<TimePoint>,

    /// Rows of CSV: start and end in µs of the recording's clock, frames, class, probability, and
    /// whether the sample is complete
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

    /// Say nothing but rows, warnings and errors
    #[arg(long, short, help_heading = OTHER)]
    quiet: bool,

    #[command(flatten)]
    read: ReadArgs,
}

const EXAMPLES: &str = "\
Examples:
  liaf predict net.safetensors recording.aedat4
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
    applies::check_inputs(slice::from_ref(&args.recording), &read)?;
    let limits = Limits { frames: args.max_frames, ..Limits::default() };
    let memory = args.max_memory.saturating_mul(1 << 20);
    let within = CoreLimits { memory, ..CoreLimits::default() };
    let mut classifier = Classifier::open_within(&args.checkpoint, &within).map_err(|error| {
        of_its_half(match error {
            liaf::Error::Core(error) if error.kind() == liaf::core::ErrorKind::Limit => {
                error.advice("a larger --max-memory allows it").into()
            }
            other => other,
        })
    })?;
    if !args.quiet {
        text::say(needs(&args.checkpoint, &classifier));
    }
    classifier = classifier
        .from(args.from)
        .to(args.to)
        .each_frame(args.each_frame)
        .plain(args.plain)
        .limits(limits);
    if let Some(steps) = args.steps {
        classifier = classifier.steps(steps);
    }
    let mut recording = Recording::open(&args.recording, read)?;
    if args.recording.as_os_str() == "-" {
        applies::check_formats(&[recording.info().format])?;
    }
    let differences = classifier.check(&mut recording).map_err(of_its_half)?;
    let bar = Bar::new(slice::from_ref(&args.recording), args.quiet);
    for difference in differences {
        let warning = warning(&difference);
        bar.say(&format!("liaf: {}: warning: {warning}", args.recording.display()));
    }
    let names: Vec<String> = classifier.classes().map(str::to_owned).collect();
    let terminal = io::stdout().is_terminal();
    let rows = Rows::new(io::stdout(), args.style(), args.each_frame, &names, terminal)?;
    let mut watch = Watch { rows, votes: vec![0; names.len()], last: None, failed: None };
    let framed = watch.all(&mut classifier, &mut recording, &bar)?;
    bar.finish();
    if !args.quiet {
        bar.say(&format!("{}: {}", args.recording.display(), watch.summary(&names)));
        bar.say(&format!("  {}", bytes(&framed.report, "events")));
    }
    for warning in frame_warnings(&framed.report, &framed.frames) {
        bar.say(&format!("liaf: {}: warning: {warning}", args.recording.display()));
    }
    Ok(ExitCode::SUCCESS)
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

/// A difference in words, and with what the user can do.
fn warning(difference: &Difference) -> String {
    match difference {
        Difference::Aedat2Reading { learned, .. } => {
            format!("{difference}: say --aedat2 {}", learned.name())
        }
        other => other.to_string(),
    }
}

/// What is seen in a recording.
struct Watch {
    rows: Rows<io::Stdout>,
    /// Number of samples of each class.
    votes: Vec<u64>,
    /// Number and class of the sample of the last prediction, which is not counted yet.
    last: Option<(u64, usize)>,
    /// A row that could not be printed.
    failed: Option<io::Error>,
}

impl Watch {
    /// Looks at a whole recording, and prints rows.
    fn all(
        &mut self,
        classifier: &mut Classifier,
        recording: &mut Recording,
        bar: &Bar,
    ) -> Result<Framed> {
        let mut progress = bar.file();
        let mut each = |prediction: Prediction| self.take(&prediction);
        let framed = classifier.run_with(recording, &mut each, &mut |p| progress.tell(p));
        if let Some(error) = self.failed.take() {
            return Err(error.into());
        }
        self.count();
        framed.map_err(of_its_half)
    }

    fn take(&mut self, prediction: &Prediction) -> ControlFlow<()> {
        // With a row for each frame, the last one of a sample tells its class.
        if self.last.is_some_and(|(sample, _)| sample != prediction.sample) {
            self.count();
        }
        self.last = Some((prediction.sample, prediction.class));
        match self.rows.row(prediction) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn count(&mut self) {
        if let Some((_, class)) = self.last.take() {
            self.votes[class] += 1;
        }
    }

    /// Number of samples by class, the most frequent first.
    fn summary(&self, names: &[String]) -> String {
        let mut votes: Vec<_> = self.votes.iter().enumerate().filter(|(_, n)| **n > 0).collect();
        votes.sort_by_key(|&(class, &n)| (u64::MAX - n, class));
        let classes = votes.iter().map(|&(class, &n)| format!("{} {}", names[class], thousands(n)));
        let classes: Vec<_> = classes.collect();
        let all = thousands(self.votes.iter().sum());
        if classes.is_empty() {
            "no samples".into()
        } else {
            format!("{all} samples: {}", classes.join(", "))
        }
    }
}
