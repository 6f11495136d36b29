//! An opened recording.

use std::io::Read;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::probe::probe;
use super::slices::SeekState;
use super::stream::{Check, EventReader, StreamReader};
use crate::codec::{Coords, Format, Opened, ReadOptions};
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::model::{EventBatch, EventStats, RecordingInfo, Report, SensorSize, SensorSource};

/// A recording of any format that is read, opened by what is in it.
///
/// ```
/// # fn main() -> liaf_data::Result<()> {
/// # let two_events = b"#!AER-DAT2.0\r\n# AEChip: DVS128\r\n\0\0\x01\x02\0\0\0\x0a\0\0\x01\x02\0\0\0\x0b";
/// use liaf_data::{EventBatch, ReadOptions, Recording};
///
/// let mut recording = Recording::from_bytes(&two_events[..], ReadOptions::default())?;
/// let mut reader = recording.reader()?;
/// let mut batch = EventBatch::new();
/// while reader.read_into(&mut batch, 65_536)? > 0 {
///     println!("{} events from {} µs on", batch.len(), batch.t[0]);
/// }
/// assert_eq!(reader.report().events, 2);
/// # Ok(())
/// # }
/// ```
pub struct Recording {
    origin: Origin,
    path: Option<PathBuf>,
    options: ReadOptions,
    format: &'static Format,
    info: RecordingInfo,
    fit_sensor: fn(SensorSize) -> SensorSize,
    pub(super) needs_sensor: bool,
    /// Opened and not read yet.
    fresh: Option<(ByteSource, Opened)>,
    /// What is known of where in the file which time is.
    pub(super) points: SeekState,
}

/// Where the bytes can be had again.
enum Origin {
    File(PathBuf),
    Memory(Arc<[u8]>),
    Stream,
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("info", &self.info).finish_non_exhaustive()
    }
}

impl Recording {
    /// Opens a file, or standard input if `path` is `-`, and reads its header.
    ///
    /// # Errors
    /// If it cannot be opened, is of no format that is read, or its header is damaged.
    pub fn open(path: impl AsRef<Path>, options: ReadOptions) -> Result<Self> {
        let path = path.as_ref();
        let source = ByteSource::open(path, options.map)?;
        let origin = if source.is_seekable() { Origin::File(path.into()) } else { Origin::Stream };
        Self::new(source, origin, options).map_err(|error| error.in_file(path))
    }

    /// Opens a recording that is in memory.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>, options: ReadOptions) -> Result<Self> {
        let bytes = bytes.into();
        Self::new(ByteSource::from_bytes(bytes.clone()), Origin::Memory(bytes), options)
    }

    /// Opens a recording that comes from a pipe or socket. It can be read once.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_reader(reader: impl Read + Send + 'static, options: ReadOptions) -> Result<Self> {
        Self::new(ByteSource::from_reader(reader), Origin::Stream, options)
    }

    fn new(mut source: ByteSource, origin: Origin, options: ReadOptions) -> Result<Self> {
        let format = probe(&mut source, options.format)?;
        let opened = (format.open)(&mut source, &options)?;
        Ok(Self {
            origin,
            path: source.path().map(PathBuf::from),
            format,
            info: opened.info.clone(),
            fit_sensor: opened.fit_sensor,
            needs_sensor: opened.needs_sensor,
            options,
            fresh: Some((source, opened)),
            points: SeekState::default(),
        })
    }

    /// What the recording says of itself.
    pub fn info(&self) -> &RecordingInfo {
        &self.info
    }

    /// How it is read.
    pub fn options(&self) -> &ReadOptions {
        &self.options
    }

    /// Its file, or `-` for standard input; `None` for memory and other streams.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Whether it can be read more than once.
    pub fn is_seekable(&self) -> bool {
        !matches!(self.origin, Origin::Stream)
    }

    /// Counts and extents of all events as stored, by one pass over the file.
    ///
    /// # Errors
    /// If it is not said which of several event streams is meant, the recording is a pipe, or it
    /// cannot be read.
    pub fn survey(&self) -> Result<EventStats> {
        self.check_choice(self.info.stream.is_some())?;
        let mut reader = self.reopen(self.as_stored())?;
        let mut summary = EventStats::default();
        while reader.pump(&mut summary)? {}
        Ok(summary)
    }

    /// The sensor's size: as stated or in the header, else by one pass over the file the smallest
    /// sensor around all events, which [`info`](Self::info) then notes.
    ///
    /// # Errors
    /// If the size is not known and it is not said which of several event streams is meant, or the
    /// recording is a pipe, or it cannot be read.
    pub fn find_sensor(&mut self) -> Result<SensorSize> {
        if let Some(sensor) = self.info.sensor {
            return Ok(sensor);
        }
        self.check_choice(self.info.stream.is_some())?;
        if !self.is_seekable() {
            return Err(Error::caller("the recording does not say how large its sensor is")
                .advice("state it with --sensor WxH; a pipe cannot be read twice to find out"));
        }
        let bounds = self.find_bounds()?.unwrap_or(SensorSize::new(1, 1));
        let sensor = (self.fit_sensor)(bounds);
        self.info.sensor = Some(sensor);
        self.info.sensor_source = SensorSource::BoundingBox;
        self.info.notes.push(format!(
            "the file does not say how large its sensor is: took {sensor}, around the events' \
             {bounds}; state it with --sensor WxH"
        ));
        self.options.sensor = Some(sensor);
        self.fresh = None;
        Ok(sensor)
    }

    /// How its events are read as they are stored.
    fn as_stored(&self) -> ReadOptions {
        let stream = self.options.stream.clone().filter(|_| self.info.reads_events());
        ReadOptions { coords: Coords::Raw, strict: false, stream, ..self.options.clone() }
    }

    /// The box around all events as stored, by the fastest way there is.
    fn find_bounds(&self) -> Result<Option<SensorSize>> {
        let (mut source, opened) = self.open_again(&self.as_stored())?;
        let Some(mut finder) = opened.bounds else { return Ok(self.survey()?.bounds()) };
        source.seek(opened.data_offset)?;
        let step = opened.step;
        let mut look = |bytes: &[u8], _| {
            finder.push(bytes);
            Ok(())
        };
        while source.visit(step, &mut look)?.is_some() {}
        Ok(finder.bounds())
    }

    /// A reader from the first event on.
    ///
    /// # Errors
    /// If there are several event streams and none was chosen, or none at all; if the chosen stream is
    /// not of events; if the recording is a pipe that was read already.
    pub fn reader(&mut self) -> Result<Box<dyn EventReader>> {
        self.check_choice(self.info.reads_events())?;
        if self.needs_sensor {
            self.find_sensor()?;
        }
        Ok(Box::new(self.begin()?))
    }

    /// A reader from the beginning on, whatever the chosen stream holds.
    pub(super) fn begin(&mut self) -> Result<StreamReader> {
        let (source, opened) = match self.fresh.take() {
            Some(fresh) => fresh,
            None => self.open_again(&self.options)?,
        };
        self.stream(source, opened, &self.options)
    }

    /// All events in newly made columns.
    ///
    /// # Errors
    /// As [`reader`](Self::reader), and if the recording cannot be read.
    pub fn read_all(&mut self) -> Result<EventBatch> {
        let mut batch = EventBatch::new();
        self.reader()?.read_to_end(&mut batch)?;
        Ok(batch)
    }

    /// What a recording holds beside events, by one pass over it: for one that has no event stream.
    ///
    /// # Errors
    /// If it is a pipe that was read already, or cannot be read.
    pub fn account(&mut self) -> Result<Report> {
        let mut reader = self.begin()?;
        while reader.pump(&mut EventStats::default())? {}
        Ok(reader.report())
    }

    fn reopen(&self, options: ReadOptions) -> Result<Box<dyn EventReader>> {
        let (source, opened) = self.open_again(&options)?;
        self.start(source, opened, &options)
    }

    pub(super) fn open_again(&self, options: &ReadOptions) -> Result<(ByteSource, Opened)> {
        let mut source = match &self.origin {
            Origin::File(path) => ByteSource::open(path, options.map)?,
            Origin::Memory(bytes) => ByteSource::from_bytes(bytes.clone()),
            Origin::Stream => {
                return Err(Error::caller("a pipe cannot be read twice").advice("name a file"));
            }
        };
        let opened = (self.format.open)(&mut source, options)?;
        Ok((source, opened))
    }

    fn start(
        &self,
        source: ByteSource,
        opened: Opened,
        options: &ReadOptions,
    ) -> Result<Box<dyn EventReader>> {
        Ok(Box::new(self.stream(source, opened, options)?))
    }

    pub(super) fn stream(
        &self,
        mut source: ByteSource,
        opened: Opened,
        options: &ReadOptions,
    ) -> Result<StreamReader> {
        source.seek(opened.data_offset)?;
        let canonical = options.coords == Coords::Canonical;
        let sensor = self.info.sensor.filter(|_| canonical);
        Ok(StreamReader {
            source,
            body: opened.body,
            step: options.step.map_or(opened.step, NonZeroUsize::get),
            bytes_per_event: opened.bytes_per_event,
            info: self.info.clone(),
            check: Check::new(sensor, options.strict),
            pending: EventBatch::new(),
            taken: 0,
            failed: None,
            finished: false,
            end: None,
            is_cut: false,
            is_indexed: false,
        })
    }

    /// Refuses a recording of which no stream is chosen that will do.
    pub(super) fn check_choice(&self, will_do: bool) -> Result<()> {
        if will_do {
            return Ok(());
        }
        let error = self.no_stream();
        Err(match &self.path {
            Some(path) => error.in_file(path),
            None => error,
        })
    }

    fn no_stream(&self) -> Error {
        if let Some(chosen) = self.info.chosen() {
            return Error::caller(format!("the stream {} is not one of events", chosen.name))
                .advice(
                    "write it as .csv, or frames as a folder or .h5; or choose another stream",
                );
        }
        let streams: Vec<_> = self
            .info
            .event_streams()
            .map(|stream| format!("{} ({})", stream.id, stream.name))
            .collect();
        if streams.is_empty() {
            let others: Vec<_> = self.info.streams.iter().map(|stream| &*stream.name).collect();
            let error = Error::unsupported("the recording has no event stream");
            return match others.first() {
                None => error,
                Some(first) => error
                    .found(others.join(", "))
                    .advice(format!("--stream {first} reads what is there")),
            };
        }
        Error::caller("the recording has several event streams")
            .found(streams.join(", "))
            .advice("choose one with --stream")
    }
}
