//! `liaf predict`: the classes of a recording, over time, by a trained network.

mod classify;
mod rows;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use liaf_core::checkpoint::CheckpointInfo;
use liaf_core::{Network, Real};
use liaf_data::convert::{Framed, make_frames};
use liaf_data::frames::{Frame, FrameOptions, SampleRecipe, TimePoint, Window};
use liaf_data::{Coords, Error, ErrorKind, Limits, Recording, SensorSize};

use self::classify::{Classifier, Scores};
use self::rows::{Rows, Style};
use super::account::{bytes, frame_warnings};
use crate::args::ReadArgs;
use crate::help::{FRAMES, INPUT, OTHER, OUTPUT, SELECTION};
use crate::progress::Bar;
use crate::text::thousands;
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

    /// Rows of CSV: start and end in µs of the recording's clock, frames, class, probability
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
    let info = CheckpointInfo::read(&args.checkpoint)?;
    let recipe = recipe(&info, &args.checkpoint)?;
    match info.number == <f64 as Real>::NAME {
        true => go::<f64>(args, &recipe),
        false => go::<f32>(args, &recipe),
    }
}

/// What the checkpoint says of its samples.
fn recipe(info: &CheckpointInfo, checkpoint: &Path) -> Result<SampleRecipe> {
    let text = info.notes.get(SampleRecipe::NOTE).with_context(|| {
        format!(
            "{}: does not say how the frames of its samples are made; training must leave that as \
             the note `{}`, as the example train_frames does",
            checkpoint.display(),
            SampleRecipe::NOTE
        )
    })?;
    Ok(SampleRecipe::from_json(text).map_err(|error| error.in_file(checkpoint))?)
}

fn go<R: Real>(args: &Args, recipe: &SampleRecipe) -> Result<ExitCode> {
    let checkpoint = args.checkpoint.display();
    let (network, _) = Network::<R>::from_checkpoint(&args.checkpoint)?;
    let steps = args.steps.or(recipe.steps).unwrap_or(0);
    let mut classifier = Classifier::new(network, steps, recipe.scale, args.plain)
        .with_context(|| checkpoint.to_string())?;
    let names = names(recipe, classifier.classes()).with_context(|| checkpoint.to_string())?;
    let mut recording = Recording::open(&args.recording, args.read.options(Coords::Canonical)?)?;
    let limits = Limits { frames: args.max_frames, ..Limits::default() };
    // Which part of a recording to look at is not the recipe's business.
    let mut options = recipe.frames.options(limits);
    (options.selection.from, options.selection.to) = (args.from, args.to);
    let in_recording = |error: Error| error.in_file(&args.recording);
    let sensor = recording.find_sensor().map_err(in_recording)?;
    classifier
        .take_shape(options.check(sensor).map_err(in_recording)?)
        .with_context(|| checkpoint.to_string())?;
    let bar = Bar::new(std::slice::from_ref(&args.recording), args.quiet);
    for warning in differences(recipe, &recording, sensor) {
        bar.say(&format!("liaf: {}: warning: {warning}", args.recording.display()));
    }
    let mut watch = Watch {
        checkpoint: &args.checkpoint,
        rows: Rows::new(io::stdout(), args.style(), names)?,
        each_frame: args.each_frame,
        votes: vec![0; classifier.classes()],
        classifier,
        last: None,
    };
    let framed = args.read.on_threads(|| watch.all(&mut recording, &options, &bar))?;
    let framed = framed.map_err(|error| match error.downcast::<Error>() {
        Ok(error) => in_recording(error).into(),
        Err(other) => other,
    })?;
    bar.finish();
    if !args.quiet {
        eprintln!("{}: {}", args.recording.display(), watch.summary());
        eprintln!("  {}", bytes(&framed.report, "events"));
    }
    for warning in frame_warnings(&framed.report, &framed.frames) {
        eprintln!("liaf: {}: warning: {warning}", args.recording.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Names of the classes: numbers if the recipe has none.
fn names(recipe: &SampleRecipe, classes: usize) -> Result<Vec<String>> {
    let names = &recipe.classes;
    ensure!(
        names.is_empty() || names.len() == classes,
        "names {} classes, and its network tells {classes} apart",
        names.len()
    );
    let number = |class: usize| class.to_string();
    Ok((0..classes).map(|i| names.get(i).cloned().unwrap_or_else(|| number(i))).collect())
}

/// What makes the recording another one than those that the network learned from.
fn differences(recipe: &SampleRecipe, recording: &Recording, sensor: SensorSize) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(learned) = recipe.sensor.filter(|&learned| learned != sensor) {
        found.push(format!(
            "its sensor is {sensor}, and the network learned from sensors of {learned}"
        ));
    }
    let format = recording.info().format;
    let reading = recording.options().aedat2;
    if let Some(learned) = recipe.aedat2.filter(|&learned| learned != reading)
        && (format.starts_with("AEDAT 1") || format.starts_with("AEDAT 2"))
    {
        found.push(format!(
            "it is read as {} has it, and the network learned from recordings read as {} has them: \
             say --aedat2 {}",
            reading.name(),
            learned.name(),
            learned.name()
        ));
    }
    found
}

/// A network that watches a recording.
struct Watch<'a, R: Real> {
    checkpoint: &'a Path,
    classifier: Classifier<R>,
    rows: Rows<io::Stdout>,
    each_frame: bool,
    /// MeasurementCount of each class.
    votes: Vec<u64>,
    /// The sample so far: its start, its last window, and what the network says.
    last: Option<(i64, Window, Scores)>,
}

impl<R: Real> Watch<'_, R> {
    /// Takes every frame of a recording, and prints rows.
    fn all(
        &mut self,
        recording: &mut Recording,
        options: &FrameOptions,
        bar: &Bar,
    ) -> Result<Framed> {
        let mut progress = bar.file();
        let mut failed = None;
        let mut sink = |frame: &Frame| {
            self.take(frame).map_err(|error| {
                failed = Some(error);
                Error::new(ErrorKind::Cancelled, "stopped")
            })
        };
        let framed = make_frames(recording, options, &mut sink, &mut |p| progress.tell(p));
        if let Some(error) = failed {
            return Err(error);
        }
        let framed = framed?;
        self.end_sample()?;
        Ok(framed)
    }

    fn take(&mut self, frame: &Frame) -> Result<()> {
        let scores = self.classifier.take(frame)?;
        if let Some((class, score)) = scores.fault() {
            bail!(
                "{}: the output of the network for class {} is not finite after {} frames of a \
                 sample: {score}; its weights may hold numbers that are none, as after training \
                 that diverged",
                self.checkpoint.display(),
                self.rows.name(class),
                scores.frames
            );
        }
        let start = self.last.take().map_or(frame.window.start, |(start, ..)| start);
        if self.each_frame {
            self.rows.row(start, frame.window, &scores)?;
        }
        self.last = Some((start, frame.window, scores));
        if self.classifier.is_done() { self.end_sample() } else { Ok(()) }
    }

    fn end_sample(&mut self) -> Result<()> {
        let Some((start, window, scores)) = self.last.take() else { return Ok(()) };
        if !self.each_frame {
            self.rows.row(start, window, &scores)?;
        }
        self.votes[scores.class()] += 1;
        Ok(())
    }

    /// MeasurementCount by class, the most frequent first.
    fn summary(&self) -> String {
        let mut votes: Vec<_> = self.votes.iter().enumerate().filter(|(_, n)| **n > 0).collect();
        votes.sort_by_key(|&(class, &n)| (u64::MAX - n, class));
        let classes =
            votes.iter().map(|&(class, &n)| format!("{} {}", self.rows.name(class), thousands(n)));
        let classes: Vec<_> = classes.collect();
        let all = thousands(self.votes.iter().sum());
        if classes.is_empty() {
            "no samples".into()
        } else {
            format!("{all} samples: {}", classes.join(", "))
        }
    }
}
