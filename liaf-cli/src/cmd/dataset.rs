//! `liaf dataset`: makes one tensor file of a folder of recordings, or one for each split.

mod checks;
mod merge;
mod part;
mod report;
pub mod repr;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use liaf::data::dataset::{
    Build, ClassFrom, Contents, DATASETS, DataSet, ListOptions, OnError, PartOf, Progress,
    SampleRule, Shards, SourceKind, SplitRule,
};
use liaf::data::filter::FilterSpec;
use liaf::data::frames::{Dtype, FrameOptions, PolarityChannels, Representation, WindowRule};
use liaf::data::options::Coords;
use liaf::data::tensor::TensorOptions;
use liaf::data::{Limits, ReadOptions, SensorSize};

use crate::applies;
use crate::args::ReadArgs;
use crate::help::{FRAMES, INPUT, OTHER, OUTPUT};
use crate::hints;
use crate::names::named;
use crate::outputs::Usage;
use crate::text::say;
use crate::values;
use repr::Repr;

/// Data sets to tensor files: samples [N, T, C, H, W] with labels, one file for each split
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<merge::Verb>,

    #[arg(value_name = "NAME", value_parser = DataSet::named, help_heading = INPUT)]
    #[arg(help = about_sets(), display_order = 0, required = true)]
    set: Option<&'static DataSet>,

    /// The folder of the set
    #[arg(value_name = "DIR", help_heading = INPUT, display_order = 1, required = true)]
    folder: Option<PathBuf>,

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

    /// A table of labels, for the set `folder`: CSV with the names file and class, and perhaps split and
    /// start and end (µs of the recording's clock, or as in 1.5s), start_s and end_s (seconds after the
    /// first event), or start_frame and end_frame
    #[arg(long, value_name = "CSV", help_heading = INPUT)]
    labels: Option<PathBuf>,

    /// A part of the set, such as scale16 of mnist-dvs or qa1 of babi
    #[arg(long, value_name = "NAME", help_heading = INPUT)]
    subset: Option<String>,

    /// Which samples train and which test, where the set does not say: none, random:SEED:FRACTION,
    /// first:FRACTION, time:FRACTION (the earlier part of each recording trains) or tebn
    #[arg(long, value_name = "RULE", help_heading = OUTPUT)]
    split: Option<SplitRule>,

    /// Make only the I-th of N parts of the recordings, as in 2/3, into files with the part in their names;
    /// `liaf dataset merge` joins them. auto or auto/N takes I, and N for Slurm, from SLURM_ARRAY_TASK_ID,
    /// JOB_COMPLETION_INDEX (from 0) or HQ_TASK_ID (from 0)
    #[arg(long, value_name = "I/N", value_parser = part::parse, help_heading = OUTPUT)]
    #[arg(conflicts_with = "shards")]
    part: Option<PartOf>,

    /// Several files for each split, and a list of them in a .json file: their number, or the size of each
    /// before compression, as in 500MB or 2GiB
    #[arg(long, value_name = "N|SIZE", help_heading = OUTPUT)]
    shards: Option<Shards>,

    /// Store only the cells that are not zero: frame, c, y, x and count, and the offsets of each sample
    #[arg(long, help_heading = OUTPUT)]
    sparse: bool,

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

    #[arg(long = "repr", value_name = "NAME", value_parser = Repr::parse, help_heading = FRAMES)]
    #[arg(help = repr::about())]
    repr_or_events: Option<Repr>,

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

    /// Print nothing but warnings and errors
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
  liaf dataset babi tasks_1-20_v1-2 -o qa1.npz --subset en-10k/qa1
  liaf dataset n-mnist N-MNIST --check
  liaf dataset folder recordings -o out.h5 --bins 20 --part 1/3   # and 2/3 and 3/3, elsewhere
  liaf dataset merge out.part-*.h5 -o out.h5
  liaf dataset verify out.h5";

/// The help of the name, with every set.
fn about_sets() -> String {
    let rows = DATASETS.iter().map(|set| format!("{} = {}", set.name, set.about));
    format!("The set: {}", rows.collect::<Vec<_>>().join("; "))
}

/// Makes the files.
pub fn run(args: &Args) -> Result<ExitCode> {
    if let Some(verb) = &args.verb {
        return verb.run();
    }
    let (Some(set), Some(folder)) = (args.set, &args.folder) else {
        return Err(Usage("name a data set and its folder".into()).into());
    };
    let listed = ListOptions {
        class_from: args.class_from.unwrap_or_default(),
        labels: args.labels.clone(),
        subset: args.subset.clone(),
        window: args.bins.is_none().then_some(args.window.unwrap_or(WINDOW)),
    };
    checks::source(set)?;
    let build = args.build(set)?;
    args.check_apart()?;
    let listing = set.list(folder, &listed)?;
    if !args.quiet || args.check {
        report::listing(args, &listing);
    }
    let Some(build) = build else { return Ok(ExitCode::SUCCESS) };
    let files: Vec<_> = listing.recordings.iter().map(|entry| entry.path.clone()).collect();
    applies::check_inputs(&files, &build.read)?;
    let bar = report::bar(args.quiet, &listing);
    let begun = Instant::now();
    let tell = |progress: &Progress| {
        bar.set_position(progress.bytes);
        let seconds = begun.elapsed().as_secs_f64().max(1e-3);
        bar.set_message(format!(
            "{}/{} files, {:.1} files/s, {}",
            progress.done,
            progress.recordings,
            progress.done.saturating_sub(progress.resumed) as f64 / seconds,
            crate::text::rate(progress.events as f64 / seconds)
        ));
    };
    let built = args.read.on_threads(|| {
        if listing.source == SourceKind::Texts {
            return build.run(&listing, &tell, &|| true);
        }
        let prepared = build.prepare(&listing)?;
        if !args.quiet {
            report::prepared(&prepared);
        }
        prepared.run(&tell, &|| true)
    })?;
    bar.finish_and_clear();
    let mut built = built?;
    let failures = std::mem::take(&mut built.failures);
    let n = failures.len();
    for failure in failures {
        say(format_args!("liaf: {}", hints::message(&failure.error.into())));
    }
    if !args.quiet {
        report::summary(&built, listing.source);
    }
    report::warnings(&built);
    if n > 0 {
        let all = args.part.map_or(listing.recordings.len(), |_| built.recordings);
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

/// Windows in µs, if they are not stated.
const WINDOW: i64 = 10_000;

impl Args {
    /// The build, all of whose options have been checked; `None` if nothing is to be made.
    fn build(&self, set: &DataSet) -> Result<Option<Build>> {
        let Some(output) = self.output.as_ref().filter(|_| !self.check) else { return Ok(None) };
        self.check_options()?;
        let window = self.window.unwrap_or(WINDOW);
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
        let (representation, parameters) = match &self.repr_or_events {
            Some(Repr::Cells(cells)) => (cells.representation, cells.parameters.clone()),
            _ => (Representation::named("count")?, Default::default()),
        };
        let contents = match &self.repr_or_events {
            Some(Repr::Events) if self.sparse || self.dtype.is_some() => {
                return Err(
                    Usage("events have no cells: leave out --sparse and --dtype".into()).into()
                );
            }
            Some(Repr::Events) => Contents::Events,
            _ if self.sparse => Contents::Sparse,
            _ => Contents::Frames,
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
            contents,
            part: self.part,
            shards: self.shards,
            on_error: if self.on_error == "stop" { OnError::Stop } else { OnError::Skip },
            tensor: TensorOptions { overwrite: self.force, limits, ..TensorOptions::default() },
            ..Build::new(set.name, output)?
        }))
    }

    /// The name of the folder.
    fn folder(&self) -> String {
        self.folder.as_deref().map(crate::text::path).unwrap_or_default()
    }
}
