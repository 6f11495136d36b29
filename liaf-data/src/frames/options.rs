//! The description of frames: windows, edges, cells, crop and size.

use serde::{Deserialize, Serialize};

use super::Dtype;
use crate::limits::Limits;
use crate::model::{Crop, SensorSize, TimePoint};

/// How a recording is divided into windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowRule {
    /// Windows of `us` µs. Each starts `us - overlap` µs after the start of the one before it.
    Time {
        /// Length of a window in µs, more than 0.
        us: i64,
        /// Overlap of consecutive windows in µs, less than `us`.
        overlap: i64,
    },
    /// Windows of `events` kept events. Each starts `events - overlap` events after the start of
    /// the one before it.
    Count {
        /// Number of events of a window, more than 0.
        events: u64,
        /// Number of events that consecutive windows share, less than `events`.
        overlap: u64,
    },
    /// `n` windows of equal length in time over the whole recording.
    Bins {
        /// Number of windows, more than 0.
        n: u64,
    },
    /// `n` windows with equal numbers of events over the whole recording.
    EventBins {
        /// Number of windows, more than 0.
        n: u64,
    },
}

/// What happens at the ends of windows and of the recording.
///
/// The rules that are named after other tools do what those tools do if the events are in order of
/// time. Where the code of those tools stops with an error (no events, an empty bin), these rules
/// give empty frames or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edge {
    /// Every event is in a frame: the last window is written even if the recording ends within it.
    /// With overlap, a window is written if it starts at or before the last event.
    #[default]
    All,
    /// As tonic's `ToFrame` without `include_incomplete`: windows that are not full are not
    /// written, and bins end at the last event, exclusively, so that the last events are in no
    /// frame. `from` corresponds to its `start_time`.
    Tonic,
    /// As SpikingJelly up to 0.0.0.0.14. A window of time starts at an event and contains all
    /// events up to and including `us` µs later. The next window starts at the next event, so that
    /// no window is empty. Of bins, the last one also contains the rest. Windows of a fixed number
    /// of events and overlap are not available.
    SpikingJelly,
    /// As SpikingJelly 2: like [`SpikingJelly`](Self::SpikingJelly), but windows of time are on a
    /// grid that starts at the first event, and an event exactly at the end of the last window
    /// belongs to it.
    SpikingJelly2,
}

/// What a cell contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Representation {
    /// The number of its events.
    #[default]
    Count,
    /// 1 if the cell had an event, otherwise 0.
    Binary,
}

/// What is done with the polarity of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Polarity {
    /// Two channels: 0 for OFF, 1 for ON.
    #[default]
    Split,
    /// One channel for both.
    Merged,
    /// One channel, with ON counted positive and OFF negative.
    Signed,
}

/// The description of the frames to make from the events of a recording.
///
/// Events are kept if they are in `from <= t < to` and in `crop`. Their coordinates are then scaled
/// to `size`, and the kept events are divided into windows. The windows start at `from` if it is
/// given, otherwise at the first kept event, and they continue to the last kept event, not to `to`.
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
    /// The windows. Default: 10 ms without overlap.
    pub windows: WindowRule,
    /// The rule for the edges. Default: [`Edge::All`].
    pub edge: Edge,
    /// The type of a cell; counts stop at its largest value (for f32 at 2²⁴). Default: u16.
    pub dtype: Dtype,
    /// What a cell contains. Default: the number of its events.
    pub cells: Representation,
    /// What is done with polarity. Default: two channels.
    pub polarity: Polarity,
    /// Keep only the events in this rectangle.
    pub crop: Option<Crop>,
    /// Scale frames down to this size: x' = ⌊x·W'/W⌋ and y likewise, where W is the width of the
    /// sensor or of the crop. It must not be larger than that.
    pub size: Option<SensorSize>,
    /// Keep only events at this time or later.
    pub from: Option<TimePoint>,
    /// Keep only events before this time.
    pub to: Option<TimePoint>,
    /// How long a window of time stays open after its end, in µs of the latest time seen, to
    /// receive events that are out of order. Default: 100 ms.
    pub slack: i64,
    /// Limits on the memory and output that a recording may need.
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
    /// Whether the windows depend on a first pass over the events
    /// ([`SpanFinder`](super::SpanFinder)).
    pub fn needs_span(&self) -> bool {
        match self.windows {
            WindowRule::Bins { .. } | WindowRule::EventBins { .. } => true,
            WindowRule::Time { .. } => self.edge == Edge::SpikingJelly2,
            WindowRule::Count { .. } => false,
        }
    }

    /// The part of the sensor that the frames show.
    pub(super) fn source(&self, sensor: SensorSize) -> Crop {
        self.crop.unwrap_or(Crop { x: 0, y: 0, w: sensor.width, h: sensor.height })
    }
}
