//! `liaf dataset`: makes one tensor file of a folder of recordings, or one for each split.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use liaf::data::dataset::{
    Build, Built, ClassFrom, DATASETS, DataSet, ListOptions, Listing, OnError, Progress,
    SampleRule, SplitRule,
};
use liaf::data::filter::FilterSpec;
use liaf::data::frames::{Dtype, FrameOptions, PolarityChannels, Representation, WindowRule};
use liaf::data::options::Coords;
use liaf::data::tensor::TensorOptions;
use liaf::data::{Limits, ReadOptions, SensorSize};
use std::io::IsTerminal;

use super::cells::Cells;
use crate::args::ReadArgs;
use crate::help::{FRAMES, INPUT, OTHER, OUTPUT};
use crate::hints;
use crate::names::named;
use crate::outputs::Usage;
use crate::text::{bytes, say, thousands};
use crate::values;

/// Data sets to tensor files: samples [N, T, C, H, W] with labels, one file for each split
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[arg(value_name = "NAME", value_parser = DataSet::named, help_heading = INPUT)]
    #[arg(help = about_sets(), display_order = 0)]
    set: &'static DataSet,

    /// The folder of the set
    #[arg(value_name = "DIR", help_heading = INPUT, display_order = 0)]
    folder: PathBuf,

    /// The file to make: .h5, .npz or .safetensors; with splits, .train and .test come before the
    /// extension
    #[arg(long, short, value_name = "OUT", help_heading = OUTPUT)]
    #[arg(required_unless_present = "check")]
    output: Option<PathBuf>,

    /// Only say what was found in the folder, what is missing and what is surplus
    #[arg(long, help_heading = OTHER)]
    check: bool,

    /// Where the class of a recording is written, for the set `folder`: dir, stem or prefix (of its name)
    #[arg(long, value_name = "PLACE", help_heading = INPUT)]
    class_from: Option<ClassFrom>,

    /// A table of labels, for the set `folder`: CSV with the names file and class, and perhaps start and
    /// end (µs of the recording's clock, or as in 1.5s) and split
    #[arg(long, value_name = "CSV", help_heading = INPUT)]
    labels: Option<PathBuf>,

    /// A part of the set, such as scale16 of mnist-dvs
    #[arg(long, value_name = "NAME", help_heading = INPUT)]
    subset: Option<String>,

    /// Which samples train and which test, where the set does not say: none, random:SEED:FRACTION,
    /// first:FRACTION, time:FRACTION (the earlier part of each recording trains) or tebn
    #[arg(long, value_name = "RULE", help_heading = OUTPUT)]
    split: Option<SplitRule>,

    /// Windows of this duration [default: 10ms]
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = FRAMES)]
    #[arg(conflicts_with = "bins")]
    window: Option<i64>,

    /// T: every sample has the first so many frames; shorter ones are filled up
    #[arg(long, value_name = "T", conflicts_with_all = ["bins", "sample"], help_heading = FRAMES)]
    steps: Option<usize>,

    /// T: every sample is divided into so many bins
    #[arg(long, value_name = "T", conflicts_with = "sample", help_heading = FRAMES)]
    bins: Option<usize>,

    /// Cut recordings into samples of this duration, which is a multiple of the window
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = FRAMES)]
    sample: Option<i64>,

    /// What becomes of a last sample that the end of the recording cuts short
    #[arg(long, value_name = "WHAT", value_parser = ["drop", "pad"], default_value = "drop")]
    #[arg(requires = "sample", help_heading = FRAMES)]
    partial: String,

    /// Width and height of a frame
    #[arg(long, value_name = "WxH", help_heading = FRAMES)]
    size: Option<SensorSize>,

    #[arg(long, value_name = "NAME", value_parser = Cells::parse, help_heading = FRAMES)]
    #[arg(help = super::cells::about())]
    repr: Option<Cells>,

    /// Type of a cell: u8, u16, i16, f32 [default: u8 for counts, otherwise the usual one of --repr]
    #[arg(long, value_name = "TYPE", help_heading = FRAMES)]
    dtype: Option<Dtype>,

    /// Whether OFF and ON have channels of their own
    #[arg(long, value_name = "HOW", default_value_t, value_parser = named::<PolarityChannels>())]
    #[arg(help_heading = FRAMES)]
    polarity: PolarityChannels,

    #[arg(long, value_name = "NAME[:KEY=VALUE,…]", help_heading = FRAMES)]
    #[arg(help = super::cells::filters())]
    filter: Vec<FilterSpec>,

    /// What happens if a recording cannot be used: skip = report it and go on, stop
    #[arg(long, value_name = "WHAT", value_parser = ["skip", "stop"], default_value = "skip")]
    #[arg(help_heading = OTHER)]
    on_error: String,

    /// Replace files that were made in another way
    #[arg(long, help_heading = OUTPUT)]
    force: bool,

    /// Largest size of the frames before compression, in MiB
    #[arg(long, value_name = "MIB", help_heading = OUTPUT)]
    #[arg(default_value_t = Limits::DEFAULT.output_bytes >> 20)]
    max_output: u64,

    /// Print nothing but errors
    #[arg(long, short, help_heading = OTHER)]
    quiet: bool,

    #[command(flatten)]
    read: ReadArgs,
}

const EXAMPLES: &str = "\
Examples:
  liaf dataset folder recordings -o out.h5 --sample 1s --window 100ms --size 32x32 --split time:0.7
  liaf dataset folder recordings -o out.npz --labels labels.csv --bins 20
  liaf dataset dvs-gesture DvsGesture -o gesture.h5 --window 25ms --steps 60 --size 32x32
  liaf dataset n-mnist N-MNIST --check";

/// The help of the name, with every set.
fn about_sets() -> String {
    let rows = DATASETS.iter().map(|set| format!("{} = {}", set.name, set.about));
    format!("The set: {}", rows.collect::<Vec<_>>().join("; "))
}

/// Makes the files.
pub fn run(args: &Args) -> Result<ExitCode> {
    let listed = ListOptions {
        class_from: args.class_from.unwrap_or_default(),
        labels: args.labels.clone(),
        subset: args.subset.clone(),
    };
    let build = args.build()?;
    let listing = args.set.list(&args.folder, &listed)?;
    if !args.quiet || args.check {
        report(args, &listing);
    }
    let Some(build) = build else { return Ok(ExitCode::SUCCESS) };
    let bar = bar(args.quiet, &listing);
    let begun = Instant::now();
    let tell = |progress: &Progress| {
        bar.set_position(progress.bytes);
        let seconds = begun.elapsed().as_secs_f64().max(1e-3);
        bar.set_message(format!(
            "{}/{} files, {:.1} files/s, {}",
            progress.done,
            progress.recordings,
            progress.done as f64 / seconds,
            crate::text::rate(progress.events as f64 / seconds)
        ));
    };
    let built = args.read.on_threads(|| build.run(&listing, &tell, &|| true))?;
    bar.finish_and_clear();
    let mut built = built?;
    let failures = std::mem::take(&mut built.failures);
    let n = failures.len();
    for failure in failures {
        say(format_args!("liaf: {}", hints::message(&failure.error.into())));
    }
    if !args.quiet {
        summary(&built);
    }
    if n > 0 {
        let all = listing.recordings.len();
        say(format_args!("liaf: {n} of {all} recordings failed and are not in the output"));
        return Ok(ExitCode::FAILURE);
    }
    if built.failed_before > 0 {
        let n = built.failed_before;
        say(format_args!(
            "liaf: {n} recordings failed when the files were made, and are not in them"
        ));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    /// The build, all of whose options have been checked; `None` if nothing is to be made.
    fn build(&self) -> Result<Option<Build>> {
        let Some(output) = self.output.as_ref().filter(|_| !self.check) else { return Ok(None) };
        let window = self.window.unwrap_or(10_000);
        let samples = match (self.steps, self.bins, self.sample) {
            (_, Some(steps), _) => SampleRule::Bins { steps },
            (_, _, Some(sample)) => {
                if sample <= 0 || window <= 0 || sample % window != 0 {
                    return Err(Usage(format!(
                        "--sample {sample}us is not a multiple of the window of {window}us"
                    ))
                    .into());
                }
                let steps = usize::try_from(sample / window)?;
                SampleRule::Cut { steps, keep_partial: self.partial == "pad" }
            }
            (steps, ..) => SampleRule::Whole { steps },
        };
        let (representation, parameters) = match &self.repr {
            Some(cells) => (cells.representation, cells.parameters.clone()),
            None => (Representation::named("count")?, Default::default()),
        };
        let usual =
            if representation.name == "count" { Dtype::U8 } else { representation.usual_dtype };
        let mut frames = FrameOptions::default().representation(representation);
        frames.windows = WindowRule::Time { us: window, overlap: 0 };
        frames.parameters = parameters;
        frames.dtype = self.dtype.unwrap_or(usual);
        frames.polarity = self.polarity;
        frames.size = self.size;
        frames.selection.filters.clone_from(&self.filter);
        let limits =
            Limits { output_bytes: self.max_output.saturating_mul(1 << 20), ..Limits::default() };
        frames.limits = limits;
        let read = self.read.options(Coords::Canonical)?;
        Ok(Some(Build {
            frames,
            read: ReadOptions { parallel: false, ..read },
            samples,
            split: self.split.unwrap_or_default(),
            on_error: if self.on_error == "stop" { OnError::Stop } else { OnError::Skip },
            tensor: TensorOptions { overwrite: self.force, limits, ..TensorOptions::default() },
            ..Build::new(self.set.name, output)?
        }))
    }
}

/// What was found in the folder.
fn report(args: &Args, listing: &Listing) {
    let size: u64 = listing.recordings.iter().map(|entry| entry.bytes).sum();
    say(format_args!(
        "{}: {} recordings, {}, {} classes",
        args.folder.display(),
        thousands(listing.recordings.len() as u64),
        bytes(size),
        listing.classes.len()
    ));
    for remark in listing.remarks.iter().take(20) {
        say(format_args!("  note: {remark}"));
    }
    if listing.remarks.len() > 20 {
        say(format_args!("  note: and {} more remarks", listing.remarks.len() - 20));
    }
    if args.check {
        for (class, count) in listing.classes.iter().zip(listing.counts()) {
            say(format_args!("  {class}: {}", thousands(count)));
        }
    }
}

fn bar(quiet: bool, listing: &Listing) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(listing.recordings.iter().map(|entry| entry.bytes).sum());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {msg} {eta} left") {
        bar.set_style(style);
    }
    bar
}

/// What was made.
fn summary(built: &Built) {
    for (path, samples, size) in &built.files {
        let what = if built.was_complete { "is complete already: " } else { "" };
        let steps = match built.steps {
            0 => String::new(),
            steps => format!(" of {steps} frames"),
        };
        let samples = thousands(*samples);
        say(format_args!("{}: {what}{samples} samples{steps}, {}", path.display(), bytes(*size)));
    }
    if built.was_complete {
        return;
    }
    if built.resumed > 0 {
        let n = thousands(built.resumed as u64);
        say(format_args!("  {n} recordings were finished before"));
    }
    let width =
        built.classes.iter().map(|row| row.class.chars().count()).max().unwrap_or(0).clamp(5, 40);
    let splits = built.classes.iter().any(|row| row.samples[1] + row.samples[2] > 0);
    let head = if splits { ["train", "test"].as_slice() } else { &["samples"] };
    let columns: Vec<_> = head.iter().map(|name| format!("{name:>9}")).collect();
    say(format_args!("  {:width$}{}", "class", columns.join("")));
    for row in &built.classes {
        let counts = if splits { &row.samples[1..] } else { &row.samples[..1] };
        let counts: Vec<_> = counts.iter().map(|n| format!("{:>9}", thousands(*n))).collect();
        say(format_args!("  {:width$}{}", row.class, counts.join("")));
    }
    say(format_args!(
        "  {} events in frames, {} filtered or outside; {} samples were cut short by the end of their recording",
        thousands(built.kept),
        thousands(built.left_out),
        thousands(built.cut_short)
    ));
    for (note, recordings) in built.notes.iter().take(10) {
        say(format_args!("  note ({recordings} recordings): {note}"));
    }
}
