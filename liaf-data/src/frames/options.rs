//! What frames to make: window rule, edge rule, cells, crop and size.

use serde::{Deserialize, Serialize};

use super::Dtype;
use crate::limits::Limits;
use crate::model::{Crop, SensorSize, TimePoint};

/// How a recording is cut into windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edge {
    /// Every event is in a frame: the last window is written even if the recording ends within it.
    /// With overlap, a window is written if it begins at or before the last event.
    #[default]
    All,
    /// tonic's `ToFrame`, without `include_incomplete`: windows that are not full are not written,
    /// and bins end half-open at the last event, so that the last events are in no frame. `from` is
    /// its `start_time`.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Representation {
    /// The number of its events.
    #[default]
    Count,
    /// 1 if it had an event, else 0.
    Binary,
}

/// What becomes of the polarity of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
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
