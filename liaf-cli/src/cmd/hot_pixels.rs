//! `liaf info --hot-pixels`: the list of hot pixels of a recording, as a file for the filter `mask`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use liaf::data::filter::{HotPixels, Pixels};
use liaf::data::io::AtomicFile;
use liaf::data::model::{Fingerprint, RecordingInfo};
use liaf::data::options::Coords;
use liaf::data::recording::files_of;
use liaf::data::{EventBatch, EventSink, Recording};

use crate::help::OUTPUT;
use crate::outputs::{Usage, check_none_read};

#[derive(Debug, clap::Args)]
pub struct HotPixelArgs {
    /// Write the hot pixels of the recording to FILE, for 'liaf convert --filter mask:file=FILE'
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    hot_pixels: Option<PathBuf>,

    /// A pixel is hot with more than FACTOR times the events of its neighbours' median, plus 1
    #[arg(long, value_name = "FACTOR", default_value_t = 10.0, requires = "hot_pixels", help_heading = OUTPUT)]
    hot_factor: f64,

    /// A pixel is hot with at least N events
    #[arg(long, value_name = "N", default_value_t = 100, requires = "hot_pixels", help_heading = OUTPUT)]
    hot_events: u64,

    /// Overwrite the file of hot pixels
    #[arg(long, requires = "hot_pixels", help_heading = OUTPUT)]
    force: bool,
}

impl HotPixelArgs {
    /// Checks the options before anything is read.
    ///
    /// # Errors
    /// If there are several recordings, the coordinates are not those that a mask has, a number is not
    /// valid, standard output or one of the `inputs` is named, or the file is there already.
    pub fn check(&self, recordings: usize, inputs: &[PathBuf], coords: Coords) -> Result<()> {
        let Some(path) = &self.hot_pixels else { return Ok(()) };
        if recordings > 1 {
            bail!(Usage(
                "--hot-pixels looks at one recording, and there are several: name one, or add --join"
                    .into()
            ));
        }
        if path.as_os_str() == "-" {
            bail!(Usage("--hot-pixels writes a file: name one in place of -".into()));
        }
        if coords != Coords::Canonical {
            bail!(Usage("--hot-pixels lists canonical coordinates: leave out --coords".into()));
        }
        if !(self.hot_factor.is_finite() && self.hot_factor > 0.0) {
            bail!(Usage(format!("--hot-factor is a number above 0, and not {}", self.hot_factor)));
        }
        let read: Vec<PathBuf> = inputs.iter().flat_map(files_of).collect();
        check_none_read([path.as_path()], &read)?;
        Ok(AtomicFile::check(path, self.force)?)
    }

    /// Checks what is chosen of a recording before its events are read.
    ///
    /// # Errors
    /// If that is not a single stream of events.
    pub fn check_stream(&self, info: &RecordingInfo) -> Result<()> {
        let is_one = match info.stream {
            Some(_) => info.reads_events(),
            None => info.event_streams().count() == 1,
        };
        if self.hot_pixels.is_some() && !is_one {
            bail!(Usage("--hot-pixels needs one stream of events: choose it with --stream".into()));
        }
        Ok(())
    }

    /// A finder for the events of the chosen stream, if hot pixels are looked for.
    ///
    /// # Errors
    /// If the size of the sensor cannot be found.
    pub fn finder(&self, recording: &mut Recording) -> liaf::data::Result<Option<HotPixels>> {
        let sensor = self.hot_pixels.as_ref().map(|_| recording.find_sensor()).transpose()?;
        Ok(sensor.map(HotPixels::new))
    }

    /// Finds the hot pixels among those counted.
    pub fn find(&self, counted: &HotPixels) -> Pixels {
        counted.find(self.hot_factor, self.hot_events)
    }

    /// Writes the file, if hot pixels were looked for.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, pixels: &Pixels) -> Result<()> {
        let Some(path) = &self.hot_pixels else { return Ok(()) };
        let mut file = AtomicFile::create(path, self.force, true)?;
        file.append(pixels.to_text().as_bytes())?;
        file.finish()?;
        Ok(())
    }
}

/// Counts the events of pixels, beside what is always looked at.
pub struct Counting<'a> {
    pub fingerprint: &'a mut Fingerprint,
    pub pixels: Option<&'a mut HotPixels>,
}

impl EventSink for Counting<'_> {
    fn events(&mut self, events: &mut EventBatch, offset: u64) -> liaf::data::Result<()> {
        if let Some(pixels) = &mut self.pixels {
            pixels.push(events);
        }
        self.fingerprint.events(events, offset)
    }
}
