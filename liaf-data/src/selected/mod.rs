//! The methods of [`Recording`] to start with: its events, a part of them, frames of them, or another
//! file.
//!
//! [`Recording`] has the methods of [`Selected`] as well; there they apply to all events.

mod batches;
mod frames;

use std::path::Path;
use std::time::Duration;

use crate::convert::{EventConversion, EventConvertOptions, convert_events};
use crate::error::{Error, Result};
use crate::filter::{FilterSpec, Polarity, Selection};
use crate::frames::FrameOptions;
use crate::model::{EventBatch, TimePoint};
use crate::read::Recording;
use crate::write;
pub use batches::{Batches, Events};
pub use frames::Frames;

/// A recording together with a selection of its events.
///
/// ```
/// # fn main() -> liaf_data::Result<()> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/good/aedat4/dv_lz4.aedat4");
/// # if !std::path::Path::new(path).exists() { return Ok(()) } // In a package.
/// use liaf_data::{Polarity, ReadOptions, Recording};
/// use std::time::Duration;
///
/// let mut recording = Recording::open(path, ReadOptions::default())?;
/// let part = recording
///     .between(Duration::ZERO, Duration::from_millis(50))
///     .crop(100, 100, 64, 64)
///     .polarity(Polarity::On)
///     .refractory(Duration::from_millis(1));
/// for event in part.events()? {
///     let event = event?;
///     assert!(event.x < 64 && event.y < 64 && event.p == 1);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a selection does nothing until its events are asked for"]
pub struct Selected<'a> {
    recording: &'a mut Recording,
    selection: Selection,
}

impl<'a> Selected<'a> {
    /// Keeps only events with `from <= t < to`. A [`Duration`](std::time::Duration) counts from the
    /// first event of the recording; a [`TimePoint::Absolute`] is a time in µs on the recording's own
    /// clock. If the format allows it, earlier parts of the file are not decoded.
    pub fn between(self, from: impl Into<TimePoint>, to: impl Into<TimePoint>) -> Self {
        Self { selection: self.selection.between(from, to), ..self }
    }

    /// Keeps only events in the rectangle of `w` columns and `h` rows whose upper left pixel is
    /// (`x`, `y`), which becomes (0, 0).
    pub fn crop(self, x: u16, y: u16, w: u16, h: u16) -> Self {
        Self { selection: self.selection.crop(x, y, w, h), ..self }
    }

    /// Keeps only events of this polarity.
    pub fn polarity(self, polarity: Polarity) -> Self {
        Self { selection: self.selection.polarity(polarity), ..self }
    }

    /// Applies this filter after the others, as in `"refractory:period=1ms".parse()?`.
    pub fn filter(self, filter: FilterSpec) -> Self {
        Self { selection: self.selection.filter(filter), ..self }
    }

    /// Drops the events of a pixel that follow a kept one within this period: the filter `refractory`.
    pub fn refractory(self, period: Duration) -> Self {
        Self { selection: self.selection.refractory(period), ..self }
    }

    /// Drops events without another event at one of the 8 neighbouring pixels within this period before:
    /// the filter `background-activity`.
    pub fn background_activity(self, period: Duration) -> Self {
        Self { selection: self.selection.background_activity(period), ..self }
    }

    /// The chosen events in batches, from the first one on.
    ///
    /// # Errors
    /// As [`Recording::reader`], and if the selection does not fit the sensor.
    pub fn batches(self) -> Result<Batches> {
        Batches::new(self.recording, &self.selection)
    }

    /// The chosen events one by one, from the first one on.
    ///
    /// # Errors
    /// As [`batches`](Self::batches).
    pub fn events(self) -> Result<Events> {
        self.batches().map(Events::new)
    }

    /// All chosen events in one batch.
    ///
    /// # Errors
    /// As [`batches`](Self::batches), and if the recording cannot be read.
    pub fn read_all(self) -> Result<EventBatch> {
        let mut all = EventBatch::new();
        for batch in self.batches()? {
            all.append(&mut batch?);
        }
        Ok(all)
    }

    /// Frames of the chosen events, in order. Each frame has its own memory.
    ///
    /// # Errors
    /// If the options do not fit the recording, if they contain a selection as well, or if the
    /// recording cannot be read.
    pub fn frames(self, mut options: FrameOptions) -> Result<Frames> {
        if self.selection != Selection::default() {
            if options.selection != Selection::default() {
                return Err(Error::caller("events are selected twice")
                    .expected("a selection either of the recording or in the frame options")
                    .found("both"));
            }
            options.selection = self.selection;
        }
        Frames::new(self.recording, &options)
    }

    /// Writes the chosen events into an event file with the default options. The extension selects the
    /// kind of file: `.aedat4`, `.raw`, `.csv` and so on. An existing file is not replaced.
    ///
    /// [`convert_events`] takes all options, and reports its progress.
    ///
    /// # Errors
    /// As [`convert_events`], and if the extension is not that of an event file.
    pub fn write(self, path: impl AsRef<Path>) -> Result<EventConversion> {
        let path = path.as_ref();
        let target = write::target_of_path(path).ok_or_else(|| {
            let extensions = write::targets().flat_map(|target| target.claims);
            let extensions: Vec<_> = extensions.map(|claim| format!(".{claim}")).collect();
            Error::caller("the extension is not that of an event file")
                .expected(extensions.join(", "))
                .in_file(path)
        })?;
        let options = EventConvertOptions { selection: self.selection, ..target.into() };
        convert_events(self.recording, Some(path), &options, &mut |_| {
            std::ops::ControlFlow::Continue(())
        })
    }
}

/// The methods of a recording to start with.
impl Recording {
    /// The events that this selection keeps.
    pub fn select(&mut self, selection: Selection) -> Selected<'_> {
        Selected { recording: self, selection }
    }

    fn all(&mut self) -> Selected<'_> {
        self.select(Selection::default())
    }

    /// The events with `from <= t < to`: see [`Selected::between`].
    pub fn between(
        &mut self,
        from: impl Into<TimePoint>,
        to: impl Into<TimePoint>,
    ) -> Selected<'_> {
        self.all().between(from, to)
    }

    /// The events in a rectangle of the sensor: see [`Selected::crop`].
    pub fn crop(&mut self, x: u16, y: u16, w: u16, h: u16) -> Selected<'_> {
        self.all().crop(x, y, w, h)
    }

    /// The events of one polarity: see [`Selected::polarity`].
    pub fn polarity(&mut self, polarity: Polarity) -> Selected<'_> {
        self.all().polarity(polarity)
    }

    /// The events that pass a filter: see [`Selected::filter`].
    pub fn filter(&mut self, filter: FilterSpec) -> Selected<'_> {
        self.all().filter(filter)
    }

    /// The events that are not within a period after another one of their pixel: see
    /// [`Selected::refractory`].
    pub fn refractory(&mut self, period: Duration) -> Selected<'_> {
        self.all().refractory(period)
    }

    /// The events that neighbouring pixels support: see [`Selected::background_activity`].
    pub fn background_activity(&mut self, period: Duration) -> Selected<'_> {
        self.all().background_activity(period)
    }

    /// The events in batches, from the first one on.
    ///
    /// ```
    /// # fn main() -> liaf_data::Result<()> {
    /// # let two = b"#!AER-DAT2.0\r\n# AEChip: DVS128\r\n\0\0\x01\x02\0\0\0\x0a\0\0\x01\x02\0\0\0\x0b";
    /// use liaf_data::{ReadOptions, Recording};
    ///
    /// let mut recording = Recording::from_bytes(&two[..], ReadOptions::default())?;
    /// let mut latest = 0;
    /// for batch in recording.batches()? {
    ///     for event in &batch? {
    ///         latest = latest.max(event.t);
    ///     }
    /// }
    /// assert_eq!(latest, 11);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`reader`](Self::reader).
    pub fn batches(&mut self) -> Result<Batches> {
        self.all().batches()
    }

    /// The events one by one, from the first one on.
    ///
    /// ```
    /// # fn main() -> liaf_data::Result<()> {
    /// # let two = b"#!AER-DAT2.0\r\n# AEChip: DVS128\r\n\0\0\x01\x02\0\0\0\x0a\0\0\x01\x02\0\0\0\x0b";
    /// use liaf_data::{ReadOptions, Recording};
    ///
    /// let mut recording = Recording::from_bytes(&two[..], ReadOptions::default())?;
    /// let times: Vec<i64> =
    ///     recording.events()?.map(|event| Ok(event?.t)).collect::<liaf_data::Result<_>>()?;
    /// assert_eq!(times, [10, 11]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`reader`](Self::reader).
    pub fn events(&mut self) -> Result<Events> {
        self.all().events()
    }

    /// Frames of all events, in order. Each frame has its own memory.
    ///
    /// A recording can be read any number of times, unless it is a pipe. Cells are u16 unless the
    /// options say otherwise: [`Frame::to_f32`](crate::frames::Frame::to_f32) returns them as a `Vec`
    /// of f32, and with the feature `ndarray` (on by default) `Frame::view`, `Frame::into_array` and
    /// `Frame::to_array` return arrays of shape `[C, H, W]`.
    ///
    /// ```
    /// # fn main() -> liaf_data::Result<()> {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/good/aedat4/dv_lz4.aedat4");
    /// # if !std::path::Path::new(path).exists() { return Ok(()) } // In a package.
    /// use liaf_data::frames::FrameOptions;
    /// use liaf_data::{ReadOptions, Recording};
    /// use std::time::Duration;
    ///
    /// let mut recording = Recording::open(path, ReadOptions::default())?;
    /// let options = FrameOptions::every(Duration::from_millis(20)).size(32, 32);
    /// for frame in recording.frames(options)? {
    ///     let frame = frame?;
    ///     assert_eq!(frame.shape(), [2, 32, 32]);
    ///     println!("{} events until {} µs", frame.to_f32().iter().sum::<f32>(), frame.window.end);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the options do not fit the recording, or if it cannot be read.
    pub fn frames(&mut self, options: FrameOptions) -> Result<Frames> {
        self.all().frames(options)
    }

    /// Writes all events into an event file, whose kind the extension selects. An existing file is not
    /// replaced. See [`Selected::write`].
    ///
    /// # Errors
    /// As [`Selected::write`].
    pub fn write(&mut self, path: impl AsRef<Path>) -> Result<EventConversion> {
        self.all().write(path)
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::codec::ReadOptions;
    use crate::error::ErrorKind;

    fn recording() -> Option<Recording> {
        let path = crate::fixtures::fixture("good/aedat4/dv_lz4.aedat4")?;
        Some(Recording::open(path, ReadOptions::default()).unwrap())
    }

    #[cfg_attr(not(feature = "xml"), ignore = "reads AEDAT 4.0")]
    #[test]
    fn a_selection_gives_what_the_definition_says() {
        let Some(mut recording) = recording() else { return };
        let all = recording.read_all().unwrap();
        let first = all.t[0];
        let wanted: Vec<_> = all
            .iter()
            .filter(|e| (first + 10_000..first + 60_000).contains(&e.t))
            .filter(|e| (20..220).contains(&e.x) && (30..180).contains(&e.y) && e.p == 1)
            .map(|e| crate::model::Event { x: e.x - 20, y: e.y - 30, ..e })
            .collect();
        assert!(wanted.len() > 100 && wanted.len() < all.len());
        fn select(recording: &mut Recording) -> Selected<'_> {
            recording
                .between(Duration::from_millis(10), Duration::from_millis(60))
                .crop(20, 30, 200, 150)
                .polarity(Polarity::On)
        }
        assert!(select(&mut recording).read_all().unwrap().iter().eq(wanted.iter().copied()));
        let mut events = select(&mut recording).events().unwrap();
        let found: Vec<_> = events.by_ref().map(Result::unwrap).collect();
        assert_eq!(found, wanted);
        let removed = events.removed().total();
        assert_eq!(events.report().events, removed + wanted.len() as u64);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part.csv");
        let written = select(&mut recording).write(&path).unwrap();
        assert_eq!(written.events.kept, wanted.len() as u64);
        let mut again = Recording::open(&path, ReadOptions::default()).unwrap();
        assert!(again.read_all().unwrap().iter().eq(wanted));
    }

    #[cfg_attr(not(feature = "xml"), ignore = "reads AEDAT 4.0")]
    #[test]
    fn what_cannot_be_is_refused() {
        let Some(mut recording) = recording() else { return };
        let error = recording.write("x.bmp").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Caller);
        assert!(error.to_string().contains(".aedat4"), "{error}");
        let twice = FrameOptions::default().selection(Selection::default().crop(0, 0, 9, 9));
        assert!(recording.polarity(Polarity::Off).frames(twice.clone()).is_err());
        assert!(recording.frames(twice).is_ok());
        assert!(recording.crop(1000, 1000, 1, 1).batches().is_err());
    }
}
