//! What frames to make: window rule, edge rule, cells, crop and size, and the check of all of it.

use serde::Serialize;

use super::{Dtype, FrameShape};
use crate::{Error, Limits, Result, SensorSize};

/// How a recording is cut into windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowRule {
    /// Windows of `us` µs; each begins `us - overlap` µs after the one before it.
    Time {
        /// Length of a window in µs, more than 0.
        us: i64,
        /// µs that two neighbours share, less than `us`.
        overlap: i64,
    },
    /// Windows of `events` kept events; each begins `events - overlap` events after the one before.
    Count {
        /// Events of a window, more than 0.
        events: u64,
        /// Events that two neighbours share, less than `events`.
        overlap: u64,
    },
    /// `n` windows of equal time over the recording.
    Bins {
        /// Number of windows, more than 0.
        n: u64,
    },
    /// `n` windows of equal event count over the recording.
    EventBins {
        /// Number of windows, more than 0.
        n: u64,
    },
}

/// What happens at the ends of windows and of the recording.
///
/// The rules of other tools are those tools' rules for events in order of time. Where their code
/// stops with an error (no events, an empty bin), these give empty frames or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Edge {
    /// Every event is in a frame: the last window is written even if the recording ends within it.
    /// With overlap, a window is written if it begins at or before the last event.
    #[default]
    All,
    /// tonic's `ToFrame`, without `include_incomplete`: windows that are not full are not written,
    /// and bins end half-open at the last event, so that the last events are in no frame.
    Tonic,
    /// SpikingJelly up to 0.0.0.0.14. By time, a window opens at an event and holds what comes up
    /// to and with `us` µs after it; the next one opens at the next event, so none is empty. Of
    /// bins, the last takes the rest. It has no windows of a fixed count and no overlap.
    SpikingJelly,
    /// SpikingJelly 2: as [`SpikingJelly`](Self::SpikingJelly), but windows by time lie on a grid
    /// from the first event, and an event just at the end of the last one belongs to it.
    SpikingJelly2,
}

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Representation {
    /// The number of its events.
    #[default]
    Count,
    /// 1 if it had an event, else 0.
    Binary,
}

/// What becomes of the polarity of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Polarity {
    /// Two channels: 0 is OFF, 1 is ON.
    #[default]
    Split,
    /// One channel for both.
    Merged,
    /// One channel, ON minus OFF.
    Signed,
}

/// A rectangle of the sensor, in canonical coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Crop {
    /// First column.
    pub x: u16,
    /// First row, from the top.
    pub y: u16,
    /// Columns.
    pub w: u16,
    /// Rows.
    pub h: u16,
}

/// A point in the time of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TimePoint {
    /// µs after the first event of the recording, whether that event is kept or not.
    Relative(i64),
    /// µs on the recording's own clock.
    Absolute(i64),
}

/// What frames to make of the events of one recording.
///
/// Events are kept if they lie in `from <= t < to` and in `crop`; then they are moved to `size`,
/// and windows are cut from the kept ones. Windows begin at `from` where it is given, else at the
/// first kept event, and they go on to the last kept event, not to `to`.
///
/// ```
/// use liaf_data::SensorSize;
/// use liaf_data::frames::{FrameOptions, WindowRule};
/// let options = FrameOptions {
///     windows: WindowRule::Time { us: 5_000, overlap: 0 },
///     size: Some(SensorSize::new(64, 48)),
///     ..FrameOptions::default()
/// };
/// let shape = options.check(SensorSize::new(346, 260))?;
/// assert_eq!((shape.channels, shape.height, shape.width), (2, 48, 64));
/// # Ok::<(), liaf_data::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameOptions {
    /// Window rule. Default 10 ms without overlap.
    pub windows: WindowRule,
    /// Edge rule. Default [`Edge::All`].
    pub edge: Edge,
    /// Type of a cell; counts stop at its largest value (f32: at 2²⁴). Default u16.
    pub dtype: Dtype,
    /// What a cell holds. Default counts.
    pub cells: Representation,
    /// What becomes of polarity. Default two channels.
    pub polarity: Polarity,
    /// Only the events in this rectangle.
    pub crop: Option<Crop>,
    /// Frames of this size: x' = ⌊x·W'/W⌋ and y likewise, where W is the sensor's width or the
    /// crop's. Not larger than that.
    pub size: Option<SensorSize>,
    /// Only events at this time or later.
    pub from: Option<TimePoint>,
    /// Only events before this time.
    pub to: Option<TimePoint>,
    /// µs that a window by time stays open behind the latest time seen, for events out of order.
    /// Default 100 ms.
    pub slack: i64,
    /// How much a recording may ask for.
    pub limits: Limits,
}

impl Default for FrameOptions {
    fn default() -> Self {
        Self {
            windows: WindowRule::Time { us: 10_000, overlap: 0 },
            edge: Edge::All,
            dtype: Dtype::U16,
            cells: Representation::Count,
            polarity: Polarity::Split,
            crop: None,
            size: None,
            from: None,
            to: None,
            slack: 100_000,
            limits: Limits::default(),
        }
    }
}

impl FrameOptions {
    /// Whether the windows can be cut only after a first pass over the events
    /// ([`SpanFinder`](super::SpanFinder)).
    pub fn needs_span(&self) -> bool {
        match self.windows {
            WindowRule::Bins { .. } | WindowRule::EventBins { .. } => true,
            WindowRule::Time { .. } => self.edge == Edge::SpikingJelly2,
            WindowRule::Count { .. } => false,
        }
    }

    /// The part of the sensor that is looked at.
    pub(super) fn source(&self, sensor: SensorSize) -> Crop {
        self.crop.unwrap_or(Crop { x: 0, y: 0, w: sensor.width, h: sensor.height })
    }
}

impl FrameOptions {
    /// Checks everything that can be checked before any work, and says what frames come of it.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the options do not fit each other or the
    /// sensor, [`ErrorKind::Limit`](crate::ErrorKind::Limit) if they ask for more than `limits`.
    pub fn check(&self, sensor: SensorSize) -> Result<FrameShape> {
        self.check_windows()?;
        self.check_cells()?;
        self.check_times()?;
        let shape = self.shape(sensor)?;
        self.check_limits(shape)?;
        Ok(shape)
    }

    fn check_windows(&self) -> Result<()> {
        let foreign = matches!(self.edge, Edge::SpikingJelly | Edge::SpikingJelly2);
        let overlaps = match self.windows {
            WindowRule::Time { us, overlap } => {
                positive("length of a window in µs", us)?;
                if overlap < 0 || overlap >= us {
                    return Err(Error::caller("the overlap of windows does not fit their length")
                        .expected(format!("0 to {} µs", us - 1))
                        .found(format!("{overlap} µs")));
                }
                overlap > 0
            }
            WindowRule::Count { events, overlap } => {
                positive("number of events of a window", events)?;
                if overlap >= events {
                    return Err(Error::caller("the overlap of windows does not fit their length")
                        .expected(format!("0 to {} events", events - 1))
                        .found(format!("{overlap} events")));
                }
                if foreign {
                    return Err(Error::caller("SpikingJelly has no windows of a fixed count")
                        .expected("windows by time, bins or event bins")
                        .found(format!("windows of {events} events")));
                }
                overlap > 0
            }
            WindowRule::Bins { n } | WindowRule::EventBins { n } => {
                positive("number of bins", n)?;
                false
            }
        };
        if foreign && overlaps {
            return Err(Error::caller("SpikingJelly has no windows that overlap")
                .expected("an overlap of 0")
                .found("an overlap"));
        }
        Ok(())
    }

    fn check_cells(&self) -> Result<()> {
        if self.polarity != Polarity::Signed {
            return Ok(());
        }
        if !matches!(self.dtype, Dtype::I16 | Dtype::F32) {
            return Err(Error::caller("signed polarity needs signed cells")
                .expected("cells of i16 or f32")
                .found(self.dtype));
        }
        if self.cells == Representation::Binary {
            return Err(Error::caller("a signed difference is not binary")
                .expected("counts, or polarity split or merged")
                .found("binary cells with signed polarity"));
        }
        Ok(())
    }

    fn check_times(&self) -> Result<()> {
        let ordered = match (self.from, self.to) {
            (Some(TimePoint::Relative(from)), Some(TimePoint::Relative(to)))
            | (Some(TimePoint::Absolute(from)), Some(TimePoint::Absolute(to))) => from < to,
            _ => true,
        };
        if !ordered {
            return Err(Error::caller("the stretch of time ends before it begins")
                .expected("from < to")
                .found(format!("from {:?} to {:?}", self.from, self.to)));
        }
        if self.slack < 0 {
            return Err(Error::caller("slack is negative")
                .expected("0 µs or more")
                .found(format!("{} µs", self.slack)));
        }
        Ok(())
    }

    fn shape(&self, sensor: SensorSize) -> Result<FrameShape> {
        if sensor.pixels() == 0 {
            return Err(Error::caller("the sensor has no pixels")
                .expected("a width and height above 0")
                .found(sensor));
        }
        let source = self.source(sensor);
        let inside =
            |first: u16, n: u16, of: u16| n > 0 && u32::from(first) + u32::from(n) <= of.into();
        if !inside(source.x, source.w, sensor.width) || !inside(source.y, source.h, sensor.height) {
            return Err(Error::caller("the crop does not lie on the sensor")
                .expected(format!("a rectangle within {sensor}"))
                .found(source));
        }
        let size = self.size.unwrap_or(SensorSize::new(source.w, source.h));
        if size.pixels() == 0 || size.width > source.w || size.height > source.h {
            return Err(Error::caller("frames cannot be of this size")
                .expected(format!("1x1 to {}x{}", source.w, source.h))
                .found(size));
        }
        let channels = if self.polarity == Polarity::Split { 2 } else { 1 };
        Ok(FrameShape { channels, height: size.height.into(), width: size.width.into() })
    }

    fn check_limits(&self, shape: FrameShape) -> Result<()> {
        let bytes = self.frame_bytes(shape);
        if shape.cells() > super::select::MAX_CELLS || bytes > self.limits.open_frames_bytes as u64
        {
            return Err(Error::limit("one frame is too large")
                .expected(format!("at most {} bytes", self.limits.open_frames_bytes))
                .found(format!("{bytes} bytes"))
                .advice("choose a smaller size, a crop or a smaller cell type"));
        }
        if let WindowRule::Bins { n } | WindowRule::EventBins { n } = self.windows
            && n > self.max_frames(shape)
        {
            return Err(Error::limit("too many bins")
                .expected(format!("at most {} frames of {bytes} bytes", self.max_frames(shape)))
                .found(format!("{n} bins")));
        }
        if self.max_frames(shape) == 0 {
            return Err(Error::limit("not one frame may be written")
                .expected(format!("at most {} bytes in all", self.limits.output_bytes))
                .found(format!("frames of {bytes} bytes")));
        }
        let (length, stride) = match self.windows {
            WindowRule::Time { us, overlap } => (us as u64, (us - overlap) as u64),
            WindowRule::Count { events, overlap } => (events, events - overlap),
            WindowRule::Bins { .. } | WindowRule::EventBins { .. } => (1, 1),
        };
        if length.div_ceil(stride) > self.max_open(shape) {
            return Err(Error::limit("the overlap keeps too many frames open at one time")
                .expected(format!("at most {} frames of {bytes} bytes", self.max_open(shape)))
                .found(format!("{} frames", length.div_ceil(stride)))
                .advice("choose a smaller overlap"));
        }
        Ok(())
    }

    pub(super) fn frame_bytes(&self, shape: FrameShape) -> u64 {
        shape.cells() as u64 * self.dtype.bytes() as u64
    }

    /// How many frames `limits` allow in all.
    pub(super) fn max_frames(&self, shape: FrameShape) -> u64 {
        self.limits.frames.min(self.limits.output_bytes / self.frame_bytes(shape).max(1))
    }

    /// How many frames `limits` allow to be open at one time.
    pub(super) fn max_open(&self, shape: FrameShape) -> u64 {
        (self.limits.open_frames_bytes as u64 / self.frame_bytes(shape).max(1)).max(1)
    }
}

fn positive<N: Default + PartialOrd + std::fmt::Display>(what: &str, n: N) -> Result<()> {
    if n > N::default() {
        return Ok(());
    }
    Err(Error::caller(format!("the {what} is not positive")).expected("more than 0").found(n))
}
