//! Options that several commands share.

use clap::{Args, ValueEnum};
use liaf::data::io::MapChoice;
use liaf::data::options::{
    Aedat2Reading, AedatOptions, AtisOptions, AtisOverflow, ClockReset, ColumnMap, ColumnOptions,
    Coords, Evt21Order, EvtOptions, ImuRanges, PolarityValues, StreamChoice, TimeShift, TimeUnit,
};
use liaf::data::{Format, ReadOptions, SensorSize};

use crate::help::{INPUT, OTHER};
use crate::names::{Auto, named, named_or_auto};
use crate::{text, threads};

/// How recordings are read.
#[derive(Debug, Args)]
#[command(next_help_heading = INPUT)]
pub struct ReadArgs {
    /// Format of the input, for files that do not identify themselves: "ATIS bin", aedat1.0
    #[arg(long, value_name = "NAME")]
    format: Option<String>,

    /// Stream to read, by number or name: one of several event streams, or frames, imu, triggers
    #[arg(long, value_name = "NAME|ID")]
    stream: Option<StreamChoice>,

    /// Size of the sensor as WxH, for files that do not state it or state it wrongly
    #[arg(long, value_name = "WxH", allow_hyphen_values = true)]
    sensor: Option<SensorSize>,

    /// Stop at the first violation of the format instead of skipping what is damaged
    #[arg(long, hide_short_help = true)]
    strict: bool,

    /// Tool whose interpretation of AEDAT 1.0 and 2.0 addresses to follow
    #[arg(long, value_name = "TOOL", default_value_t, value_parser = named::<Aedat2Reading>())]
    #[arg(hide_short_help = true)]
    aedat2: Aedat2Reading,

    /// Order of the halves of a word in EVT 2.1 files: auto = as the header says
    #[arg(long, value_name = "ORDER", default_value = "auto",
          value_parser = named_or_auto::<Evt21Order>())]
    #[arg(hide_short_help = true)]
    evt21_order: Auto<Evt21Order>,

    /// Meaning of an event at y = 240 in ATIS .bin files: tonic = the clock overflows and 8192 µs are
    /// added to later times, ignore = an ordinary event
    #[arg(long, value_name = "HOW", default_value_t, value_parser = named::<AtisOverflow>())]
    #[arg(hide_short_help = true)]
    atis_overflow: AtisOverflow,

    /// Offset to subtract from the times of EVT files: none, or openeb = the first TIME_HIGH, as OpenEB
    /// does
    #[arg(long, value_name = "HOW", default_value_t, value_parser = named::<TimeShift>())]
    #[arg(hide_short_help = true)]
    time_shift: TimeShift,

    /// What to do where the clock of AEDAT 1.0 and 2.0 restarts: keep = times step back, rebase = time
    /// continues, error = stop with an error
    #[arg(long, value_name = "HOW", default_value_t, value_parser = named::<ClockReset>())]
    #[arg(hide_short_help = true)]
    clock_reset: ClockReset,

    /// Full-scale ranges of the inertial sensors of AEDAT 2.0 files, which do not state them: in g and
    /// °/s, as in 8,1000
    #[arg(long, value_name = "G,DPS", hide_short_help = true)]
    imu_ranges: Option<ImuRanges>,

    /// Keep the events that AEDAT 3 marks as invalid
    #[arg(long, hide_short_help = true)]
    keep_invalid: bool,

    /// Columns or arrays that hold the events, for files that leave it open: their order, with `_` for
    /// a column to skip (x,y,_,p,t), or their names (t=NAME,x=NAME,...)
    #[arg(long, visible_alias = "columns", value_name = "KEYS", hide_short_help = true)]
    keys: Option<ColumnMap>,

    /// Unit of times, for files that do not state it: s, ms, us or ns
    #[arg(long, value_name = "UNIT", hide_short_help = true)]
    time_unit: Option<TimeUnit>,

    /// Numbers that mean OFF and ON in a column of polarities, as in 1,2: for files whose numbers are no
    /// known pair
    #[arg(long, value_name = "OFF,ON", allow_hyphen_values = true, hide_short_help = true)]
    polarity_values: Option<PolarityValues>,

    /// Round pixels with a fraction, as rectified events have them, to the nearest pixel: in columns
    /// and arrays
    #[arg(long, hide_short_help = true)]
    round: bool,

    /// Multiply pixels by a factor before they are rounded to the nearest pixel: in columns and arrays
    #[arg(long, value_name = "FACTOR", value_parser = factor, hide_short_help = true)]
    #[arg(allow_negative_numbers = true)]
    scale: Option<f64>,

    /// Add the file's t_offset to all times, so that they are on the clock of DSEC's images
    #[arg(long, hide_short_help = true)]
    t_offset: bool,

    /// Byte offset at which the data begins, for files with a misleading or unknown header; with
    /// --format for files that do not identify themselves
    #[arg(long, value_name = "BYTES", hide_short_help = true)]
    data_offset: Option<u64>,

    /// When to map files into memory: auto = under a lease, so that a file that shrinks while it is
    /// read is an error; always = also without a lease, where such a file kills the program with a
    /// signal
    #[arg(long, value_name = "WHEN", default_value = "auto", hide_short_help = true)]
    mmap: Mmap,

    /// Number of threads, at most 8 for each processor; 0 = one for each processor
    #[arg(long, short = 'j', value_name = "N", default_value_t = 0)]
    #[arg(allow_negative_numbers = true, help_heading = OTHER)]
    pub threads: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mmap {
    Auto,
    Always,
    Never,
}

/// Parses a factor by which pixels are multiplied.
fn factor(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok().filter(|factor: &f64| factor.is_finite() && *factor > 0.0);
    factor.ok_or_else(|| "a factor is a number above 0, such as 0.5".to_owned())
}

impl ReadArgs {
    /// The format that `--format` states.
    pub fn format(&self) -> Option<&str> {
        self.format.as_deref()
    }

    /// The read options of the library.
    pub fn options(&self, coords: Coords) -> liaf::data::Result<ReadOptions> {
        Ok(ReadOptions {
            format: self.format.as_deref().map(Format::named).transpose()?,
            stream: self.stream.clone(),
            coords,
            strict: self.strict,
            sensor: self.sensor,
            parallel: self.threads() > 1,
            map: self.map(),
            data_offset: self.data_offset,
            aedat: AedatOptions {
                reading: self.aedat2,
                clock_reset: self.clock_reset,
                imu_ranges: self.imu_ranges,
                keep_invalid: self.keep_invalid,
            },
            evt: EvtOptions { order: self.evt21_order, time_shift: self.time_shift },
            atis: AtisOptions { overflow: self.atis_overflow },
            columns: ColumnOptions {
                map: self.keys.clone(),
                time_unit: self.time_unit,
                t_offset: self.t_offset,
                polarity: self.polarity_values,
                round: self.round,
                scale: self.scale,
            },
            ..ReadOptions::default()
        })
    }

    /// Number of threads to use: as many as asked for, up to a multiple of the processors.
    pub fn threads(&self) -> usize {
        threads::used(self.threads)
    }

    /// Says so if there are fewer threads than asked for.
    pub fn say_fewer_threads(&self) {
        let used = self.threads();
        if self.threads > used {
            text::say(format_args!(
                "liaf: warning: --threads {}: {used} threads are used, which is {} for each processor",
                self.threads,
                threads::MOST_PER_PROCESSOR
            ));
        }
    }

    /// Runs `work` on a pool of as many threads as asked for.
    pub fn on_threads<R: Send>(&self, work: impl FnOnce() -> R + Send) -> anyhow::Result<R> {
        Ok(threads::pool(self.threads(), rayon::ThreadPoolBuilder::new())?.install(work))
    }

    #[expect(unsafe_code, reason = "the user vouches for the file")]
    fn map(&self) -> MapChoice {
        match self.mmap {
            Mmap::Auto => MapChoice::LEASED,
            Mmap::Never => MapChoice::NEVER,
            // SAFETY: `--mmap always` is the user's word that nobody changes the file; its help
            // says what happens otherwise.
            Mmap::Always => unsafe { MapChoice::always() },
        }
    }
}
