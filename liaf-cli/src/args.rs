//! Options that several commands share.

use clap::{Args, ValueEnum};
use liaf_data::source::MapChoice;
use liaf_data::{Aedat2Reading, Coords, ReadOptions, SensorSize, StreamChoice};

/// How recordings are read.
#[derive(Debug, Args)]
pub struct ReadArgs {
    /// The event stream to read, by number or name, where there are several
    #[arg(long, value_name = "NAME|ID")]
    stream: Option<StreamChoice>,

    /// Size of the sensor, where the file does not say or says it wrongly
    #[arg(long, value_name = "WxH")]
    sensor: Option<SensorSize>,

    /// Stop at the first violation of the format instead of keeping what is whole
    #[arg(long)]
    strict: bool,

    /// Whose reading of AEDAT 2.0 addresses to follow
    #[arg(long, value_name = "TOOL", default_value = "jaer",
          value_parser = ["jaer", "tonic", "spikingjelly"])]
    aedat2: String,

    /// Where the data begins, in bytes, if a header misleads
    #[arg(long, value_name = "BYTES")]
    data_offset: Option<u64>,

    /// Map files into memory: auto = under a lease, so that a file that shrinks is an error;
    /// always = also without one, which a file that shrinks ends with a signal
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    mmap: Mmap,

    /// Threads to use; 0 = one for each processor
    #[arg(long, short = 'j', value_name = "N", default_value_t = 0)]
    pub threads: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mmap {
    Auto,
    Always,
    Never,
}

impl ReadArgs {
    /// The options of the library.
    pub fn options(&self, coords: Coords) -> liaf_data::Result<ReadOptions> {
        Ok(ReadOptions {
            stream: self.stream.clone(),
            coords,
            strict: self.strict,
            sensor: self.sensor,
            parallel: self.threads() > 1,
            map: self.map(),
            data_offset: self.data_offset,
            aedat2: self.aedat2.parse::<Aedat2Reading>()?,
            ..ReadOptions::default()
        })
    }

    /// Number of threads to use.
    pub fn threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n,
        }
    }

    /// Runs `work` on a pool of as many threads as asked for.
    pub fn on_threads<R: Send>(&self, work: impl FnOnce() -> R + Send) -> anyhow::Result<R> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads()).build()?;
        Ok(pool.install(work))
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
