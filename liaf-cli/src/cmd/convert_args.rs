//! The options of `liaf convert`, and their translation to the options of the library.

use std::path::PathBuf;

use anyhow::Result;
use clap::ArgGroup;
use liaf::data::convert::{Order, TimePolicy};
use liaf::data::filter::{FilterSpec, Parameters, Polarity, Selection};
use liaf::data::frames::{
    BINARY, COUNT, Crop, Dtype, Edge, FrameOptions, PolarityChannels, SIGNED, TimePoint, WindowRule,
};
use liaf::data::measurements::MeasurementOptions;
use liaf::data::tensor::TensorOptions;
use liaf::data::write::{self, Compression, Target, WriteOptions};
use liaf::data::{ErrorKind, FORMATS, Format, Limits, SensorSize};

use super::cells::Cells;
use crate::applies::{self, Output, Windows};
use crate::args::ReadArgs;
use crate::help::{EVENT_FILES, FRAMES, INPUT, OTHER, OUTPUT, SELECTION};
use crate::hints;
use crate::kind::Kind;
use crate::names::named;
use crate::outputs::{Place, Usage};
use crate::values;

/// Recordings to tensor files (frames [T, C, H, W] and the start and end of each) or event files
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group(ArgGroup::new("windows").args(["window", "count", "bins", "event_bins"])))]
pub struct Args {
    /// Recordings, folders or globs; - is standard input
    #[arg(required = true, value_name = "INPUT", help_heading = INPUT, display_order = 0)]
    pub inputs: Vec<PathBuf>,

    /// The file to make: a tensor file (.h5, .npz, .npy, .safetensors) or an event file (.aedat4,
    /// .aedat, …). A name without an extension is a folder, which several inputs and the frames of a
    /// camera (--stream frames) need. - is standard output, for kinds of event files that can be
    /// written in order
    #[arg(long, short, value_name = "OUT", help_heading = OUTPUT)]
    pub output: PathBuf,

    /// Read all inputs as the pieces of one recording, in order of time, and make one file of it
    #[arg(long, help_heading = INPUT, conflicts_with = "index", hide_short_help = true)]
    pub join: bool,

    /// Only events from this time on, counted from the first event; @… is µs of the recording's clock
    #[arg(long, value_name = "TIME", value_parser = values::time_point, help_heading = SELECTION)]
    #[arg(allow_hyphen_values = true)]
    from: Option<TimePoint>,

    /// Only events before this time; or the kind of file to write, if the output's name does not
    /// determine it: h5, npz, npy, safetensors, aedat4, npz-events, evt21, png, … (may be given once
    /// for each)
    #[arg(long, value_name = "TIME|KIND", allow_hyphen_values = true, help_heading = SELECTION)]
    to: Vec<String>,

    /// Keep an index of times beside the recording (RECORDING.index.json), with which --from and --to
    /// are found at once even if the recording is damaged; built in one pass if it is missing or stale
    #[arg(long, help_heading = SELECTION, hide_short_help = true)]
    pub index: bool,

    /// Only events of this polarity
    #[arg(long, value_name = "POLARITY", value_parser = named::<Polarity>())]
    #[arg(help_heading = SELECTION)]
    only: Option<Polarity>,

    #[arg(long, value_name = "NAME[:KEY=VALUE,…]", help_heading = SELECTION)]
    #[arg(help = super::cells::filters())]
    filter: Vec<FilterSpec>,

    /// Only events in this rectangle of the sensor, whose upper left pixel becomes (0, 0)
    #[arg(long, value_name = "X,Y,W,H", value_parser = values::crop, help_heading = SELECTION)]
    #[arg(allow_hyphen_values = true)]
    crop: Option<Crop>,

    /// Sort all chosen events by time, before the filters; the recording is read twice
    #[arg(long, conflicts_with = "clamp_time", help_heading = SELECTION)]
    sort: bool,

    /// Most memory, in MiB, for events that --sort holds back
    #[arg(long, value_name = "MIB", default_value_t = (Limits::DEFAULT.reorder_bytes >> 20) as u64)]
    #[arg(allow_negative_numbers = true, help_heading = SELECTION, hide_short_help = true)]
    sort_memory: u64,

    /// Windows of this duration, as in 10ms, 500us, 1.5s [default: 10ms]
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = FRAMES)]
    #[arg(allow_hyphen_values = true)]
    window: Option<i64>,

    /// Windows of this many events each
    #[arg(long, value_name = "EVENTS", allow_negative_numbers = true, help_heading = FRAMES)]
    count: Option<u64>,

    /// This many windows of equal duration over the recording
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = FRAMES)]
    bins: Option<u64>,

    /// This many windows of equal event count over the recording
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = FRAMES)]
    #[arg(hide_short_help = true)]
    event_bins: Option<u64>,

    /// Overlap of consecutive windows: a time with --window, a number of events with --count
    #[arg(long, value_name = "TIME|EVENTS", allow_hyphen_values = true, help_heading = FRAMES)]
    overlap: Option<String>,

    /// What to do at the ends of windows: all = every event is in a frame; tonic = drop windows that
    /// are not full; spikingjelly = windows begin at an event, as in SpikingJelly up to version
    /// 0.0.0.0.14; spikingjelly2 = windows lie on a grid that starts at the first event
    #[arg(long, value_name = "RULE", default_value_t, value_parser = named::<Edge>())]
    #[arg(help_heading = FRAMES, hide_short_help = true)]
    edge: Edge,

    #[arg(long, value_name = "NAME", value_parser = Cells::parse, help_heading = FRAMES)]
    #[arg(help = super::cells::about())]
    repr: Option<Cells>,

    /// Type of a cell: u8, u16, i16, f32 [default: the usual one of --repr; u16 for counts]
    #[arg(long, value_name = "TYPE", help_heading = FRAMES)]
    dtype: Option<Dtype>,

    /// The same as --repr binary
    #[arg(long, conflicts_with = "repr", help_heading = FRAMES, hide_short_help = true)]
    binary: bool,

    /// Channels: split = channel 0 is OFF and channel 1 is ON; merged = one channel for both; signed =
    /// one channel of ON minus OFF, the same as --repr signed
    #[arg(long, value_name = "HOW", default_value = "split", hide_possible_values = true)]
    #[arg(help_heading = FRAMES)]
    polarity: Channels,

    /// Reduce frames to this size by summing pixels
    #[arg(long, value_name = "WxH", allow_hyphen_values = true, help_heading = FRAMES)]
    size: Option<SensorSize>,

    /// How long a window by time stays open for events that come out of order (see also --sort)
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = values::duration)]
    #[arg(allow_hyphen_values = true, help_heading = FRAMES, hide_short_help = true)]
    slack: i64,

    /// Compression. Of .h5 and --npz-deflate: none, runs (of one byte: fast, and small for frames that
    /// are mostly zeros) or a zlib level 1 to 9. Of event files: none, lz4, zstd or a level, depending
    /// on the kind of file [default: runs; for event files the first that the kind supports]
    #[arg(long, value_name = "HOW", help_heading = OUTPUT)]
    compress: Option<Compression>,

    /// Deflate the arrays of .npz, which makes frames that are mostly zeros much smaller
    #[arg(long, help_heading = FRAMES)]
    npz_deflate: bool,

    /// Subtract the earliest time from all times, so that time begins at 0
    #[arg(long, help_heading = EVENT_FILES)]
    zero_time: bool,

    /// Give each event that is earlier than the event before it the time of that event
    #[arg(long, help_heading = EVENT_FILES, hide_short_help = true)]
    clamp_time: bool,

    /// Store times that exceed what the kind of file can hold modulo its range
    #[arg(long, help_heading = EVENT_FILES, hide_short_help = true)]
    wrap: bool,

    /// Largest number of frames of one recording
    #[arg(long, value_name = "N", default_value_t = Limits::default().frames)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    #[arg(allow_negative_numbers = true, help_heading = FRAMES, hide_short_help = true)]
    max_frames: u64,

    /// Replace existing output files
    #[arg(long, short, help_heading = OUTPUT)]
    pub force: bool,

    /// Read, but write nothing: report how many frames and bytes would be written
    #[arg(long, help_heading = OUTPUT)]
    pub dry_run: bool,

    /// Do not wait until all bytes are on the disk
    #[arg(long, help_heading = OUTPUT, hide_short_help = true)]
    no_sync: bool,

    /// Print the account of each file as a line of JSON (its keys are in docs/cli.md)
    #[arg(long, help_heading = OUTPUT)]
    pub json: bool,

    /// Report everything about each of many files, instead of totals and each warning once
    #[arg(long, short, conflicts_with = "quiet", help_heading = OTHER)]
    pub verbose: bool,

    /// Print nothing but warnings and errors
    #[arg(long, short, help_heading = OTHER)]
    pub quiet: bool,

    #[command(flatten)]
    pub read: ReadArgs,
}

/// Options that apply to frames only, and to event files only.
const FOR_FRAMES: &[&str] = &[
    "window",
    "count",
    "bins",
    "event-bins",
    "overlap",
    "edge",
    "dtype",
    "repr",
    "binary",
    "polarity",
    "size",
    "npz-deflate",
    "slack",
    "max-frames",
];
const FOR_EVENT_FILES: &[&str] = &["zero-time", "clamp-time", "wrap"];

const EXAMPLES: &str = "\
Examples:
  liaf convert recording.aedat4 -o frames.h5 --window 10ms
  liaf convert recording.raw    -o frames.npz --bins 20 --size 128x128 --dtype u8
  liaf convert day1/*.aedat     -o tensors/ --to safetensors --count 20000
  liaf convert recording.raw    -o part.h5 --from 1.5s --to 2s --crop 100,50,64,64
  liaf convert recording.raw    -o part.csv --from 90s --to 91s --index
  liaf convert recording.raw    -o events.aedat4 --compress zstd
  liaf convert recording.raw    -o events.npz --to npz-events
  liaf convert recording.aedat4 -o imu.csv --stream imu
  liaf convert recording.aedat4 -o frames/ --stream frames
  liaf convert day1/ -o tensors/ --json > accounts.jsonl
  cat recording.aedat4 | liaf convert - -o frames.h5
  liaf convert recording.raw    -o - --to csv | head";

/// How the polarity of events becomes channels of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Channels {
    /// Channel 0 is OFF, channel 1 is ON
    Split,
    /// One channel for both
    Merged,
    /// One channel, ON minus OFF
    Signed,
}

/// Refuses what is wrong whatever the recording is: windows, types of cells, an interval that ends before it
/// begins.
fn check_alone(options: &FrameOptions) -> Result<()> {
    let Selection { from, to, .. } = options.selection;
    let anywhere = Selection { from, to, ..Selection::default() };
    let alone = FrameOptions { selection: anywhere, size: None, ..options.clone() };
    match alone.check(SensorSize::new(1, 1)) {
        Err(error) if error.kind() == ErrorKind::Caller => Err(error.into()),
        _ => Ok(()),
    }
}

impl Args {
    /// Refuses a `--format` that names a kind of output and not a format of the input.
    pub fn check_format(&self) -> Result<()> {
        match self.read.format() {
            Some(name) if Format::named(name).is_err() && Kind::named(name).is_some() => {
                let formats: Vec<_> = FORMATS.iter().map(|format| format.name).collect();
                Err(Usage(format!(
                    "--format {name}: this option states the format of the input ({}); the kind of \
                     file to make is chosen with --to {name}",
                    formats.join(", ")
                ))
                .into())
            }
            _ => Ok(()),
        }
    }

    /// The kind of file that `--to` names.
    pub fn kind(&self) -> Result<Option<Kind>> {
        let kinds: Vec<_> = self.to.iter().filter_map(|to| Kind::named(to)).collect();
        match kinds[..] {
            [] => Ok(None),
            [kind] => Ok(Some(kind)),
            _ => Err(Usage("--to was given two kinds of file".into()).into()),
        }
    }

    fn until(&self) -> Result<Option<TimePoint>> {
        if let Some(error) = self.to.iter().find_map(|to| write::lacking(to)) {
            return Err(error.into());
        }
        let times: Vec<_> = self.to.iter().filter(|to| Kind::named(to).is_none()).collect();
        match times[..] {
            [] => Ok(None),
            [time] => Ok(Some(values::time_point(time).map_err(|error| {
                let of_input = match Format::named(time) {
                    Ok(_) => "; the format of the input is stated with --format",
                    Err(_) => "",
                };
                Usage(format!(
                    "--to {time}: not a kind of file ({}) and not a time: {error}{of_input}",
                    Kind::names()
                ))
            })?)),
            _ => Err(Usage("--to was given two times".into()).into()),
        }
    }

    /// What frames to make.
    pub fn frames(&self) -> Result<FrameOptions> {
        let (representation, parameters) = match (&self.repr, self.binary, self.polarity) {
            (Some(cells), _, Channels::Signed) if cells.representation != &SIGNED => {
                return Err(Usage(format!(
                    "--polarity signed and --repr {} cannot be combined",
                    cells.representation
                ))
                .into());
            }
            (None, true, Channels::Signed) => {
                return Err(
                    Usage("--polarity signed and --binary cannot be combined".into()).into()
                );
            }
            (Some(cells), ..) => (cells.representation, cells.parameters.clone()),
            (None, true, _) => (&BINARY, Parameters::new()),
            (None, false, Channels::Signed) => (&SIGNED, Parameters::new()),
            (None, false, _) => (&COUNT, Parameters::new()),
        };
        // `--polarity signed` is another name of a representation.
        if let Some(cells) = self.repr.as_ref().filter(|_| self.polarity != Channels::Signed) {
            cells.check_polarity()?;
        }
        let options = FrameOptions {
            windows: self.windows()?,
            edge: self.edge,
            representation,
            polarity: match self.polarity {
                Channels::Merged => PolarityChannels::Merged,
                Channels::Split | Channels::Signed => PolarityChannels::Split,
            },
            dtype: self.dtype.unwrap_or(representation.usual_dtype),
            parameters,
            selection: self.selection()?,
            size: self.size,
            slack: self.slack,
            sort: self.sort,
            limits: self.limits(),
        };
        check_alone(&options)?;
        Ok(options)
    }

    fn windows(&self) -> Result<WindowRule> {
        let overlap = self.overlap.as_deref();
        let rule = match (self.count, self.bins, self.event_bins) {
            (Some(events), ..) => {
                let overlap = overlap.map(str::parse).transpose().map_err(|_| {
                    Usage("--overlap with --count must be a number of events".into())
                })?;
                return Ok(WindowRule::Count { events, overlap: overlap.unwrap_or(0) });
            }
            (_, Some(n), _) => WindowRule::Bins { n },
            (.., Some(n)) => WindowRule::EventBins { n },
            _ => {
                let us = self.window.unwrap_or(10_000);
                let overlap = overlap.map(values::duration).transpose().map_err(|error| {
                    Usage(format!("--overlap with --window must be a duration: {error}"))
                })?;
                let overlap = overlap.unwrap_or(0);
                return Ok(WindowRule::Time { us, overlap });
            }
        };
        match overlap {
            Some(_) => Err(Usage("--overlap needs --window or --count".into()).into()),
            None => Ok(rule),
        }
    }

    /// Refuses options that do nothing for an output of this kind.
    pub fn check_output(&self, kind: Kind) -> Result<()> {
        let is_grid = self.count.is_none() && self.event_bins.is_none();
        Ok(applies::check_output(&Output {
            kind,
            windows: match is_grid && self.edge != Edge::SpikingJelly {
                true => Windows::Time,
                false => Windows::Other,
            },
            npz_deflate: self.npz_deflate,
            compress: self.compress,
            is_standard: Place::of(&self.output) == Place::Standard,
        })?)
    }

    /// How tensor files are written.
    pub fn tensor(&self) -> Result<TensorOptions> {
        let usual = TensorOptions::default();
        let options = TensorOptions {
            overwrite: self.force,
            sync: !self.no_sync,
            compression: self.compress.unwrap_or(usual.compression),
            npz_deflate: self.npz_deflate,
            limits: self.limits(),
            ..usual
        };
        options.check()?;
        Ok(options)
    }

    /// How event files of this kind are written.
    pub fn write(&self, target: &Target) -> Result<WriteOptions> {
        Ok(WriteOptions {
            compression: Some(target.compression(self.compress)?),
            wrap: self.wrap,
            overwrite: self.force,
            sync: !self.no_sync,
            limits: self.limits(),
            ..WriteOptions::default()
        })
    }

    /// How the measurements of a stream other than events are written.
    pub fn measurements(&self) -> MeasurementOptions {
        let (overwrite, sync, limits) = (self.force, !self.no_sync, self.limits());
        MeasurementOptions { overwrite, sync, limits }
    }

    /// The first given option that does not apply to such measurements.
    pub fn only_for_events(&self) -> Option<&'static str> {
        let more = [
            ("crop", self.crop.is_some()),
            ("only", self.only.is_some()),
            ("filter", !self.filter.is_empty()),
            ("compress", self.compress.is_some()),
            ("index", self.index),
            ("sort", self.sort),
            ("sensor", hints::is_given("sensor")),
        ];
        let more = more.into_iter().find(|(_, given)| *given).map(|(name, _)| name);
        let others = FOR_FRAMES.iter().chain(FOR_EVENT_FILES).copied();
        others.into_iter().find(|option| hints::is_given(option)).or(more)
    }

    /// Which events are kept.
    pub fn selection(&self) -> Result<Selection> {
        Ok(Selection {
            from: self.from,
            to: self.until()?,
            crop: self.crop,
            polarity: self.only,
            filters: self.filter.clone(),
        })
    }

    /// What may be done to the times of events.
    pub fn time_policy(&self) -> TimePolicy {
        let order = match (self.sort, self.clamp_time) {
            (true, _) => Order::Sort,
            (_, true) => Order::Clamp,
            _ => Order::Keep,
        };
        TimePolicy { zero_time: self.zero_time, order, wrap: self.wrap }
    }

    fn limits(&self) -> Limits {
        let reorder_bytes = self.sort_memory.saturating_mul(1 << 20);
        let reorder_bytes = usize::try_from(reorder_bytes).unwrap_or(usize::MAX);
        Limits { frames: self.max_frames, reorder_bytes, ..Limits::default() }
    }
}
