//! The description of frames: windows, edges, cells, selection and size.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{COUNT, CellOptions, Dtype, PolarityChannels, Representation};
use crate::filter::Selection;
use crate::limits::Limits;
use crate::model::{Parameters, SensorSize};

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
    /// With overlap, a window is written if it starts at or before the last event. If the end of the
    /// interval of time is chosen, windows of time continue to it, even without events.
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

/// The description of the frames to make from the events of a recording.
///
/// The events that `selection` keeps are scaled to `size` and divided into windows. The windows start
/// at `selection.from` if it is given, otherwise at the first kept event, and they continue to the
/// last kept event. With [`WindowRule::Time`] and [`Edge::All`] they continue to `selection.to` if it
/// is given, so that 1 s in windows of 100 ms is always 10 frames, the last of which may be empty. A
/// selection that keeps no event has no frames.
///
/// ```
/// use liaf_data::SensorSize;
/// use liaf_data::frames::{Dtype, FrameOptions};
/// use std::time::Duration;
///
/// let options = FrameOptions::every(Duration::from_millis(5)).size(64, 48).dtype(Dtype::U8);
/// let shape = options.check(SensorSize::new(346, 260))?;
/// assert_eq!((shape.channels, shape.height, shape.width), (2, 48, 64));
/// # Ok::<(), liaf_data::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FrameOptions {
    /// The windows. Default: 10 ms without overlap.
    pub windows: WindowRule,
    /// The rule for the edges. Default: [`Edge::All`].
    pub edge: Edge,
    /// What a cell holds. Default: the number of its events.
    pub representation: &'static Representation,
    /// Whether OFF and ON have channels of their own. Default: two channels.
    pub polarity: PolarityChannels,
    /// The type of a cell; counts stop at its largest value (for f32 at 2²⁴). Default: u16.
    pub dtype: Dtype,
    /// The parameters of the representation. Default: none, so that each has its default.
    pub parameters: Parameters,
    /// Which events are kept, and the filters that are applied to them. Default: all events, no
    /// filters.
    pub selection: Selection,
    /// Scale frames down to this size: x' = ⌊x·W'/W⌋ and y likewise, where W is the width of the
    /// sensor or of the crop. It must not be larger than that.
    pub size: Option<SensorSize>,
    /// How long a window of time stays open after its end, in µs of the latest time seen, to
    /// receive events that are out of order. Default: 100 ms.
    pub slack: i64,
    /// Whether all kept events are sorted by time first, before they pass the filters; those with
    /// equal times keep their order. The recording is then read twice, and as many events are held
    /// back as come within the longest time that one is late, in at most
    /// [`Limits::reorder_bytes`]. Default: no.
    pub sort: bool,
    /// Sets the limits on the memory and output that a recording may need.
    pub limits: Limits,
}

impl Default for FrameOptions {
    fn default() -> Self {
        Self {
            windows: WindowRule::Time { us: 10_000, overlap: 0 },
            edge: Edge::All,
            representation: &COUNT,
            polarity: PolarityChannels::Split,
            dtype: Dtype::U16,
            parameters: Parameters::new(),
            selection: Selection::default(),
            size: None,
            slack: 100_000,
            sort: false,
            limits: Limits::default(),
        }
    }
}

/// Builders. Invalid values are refused when frames are made ([`check`](Self::check)).
impl FrameOptions {
    fn of(windows: WindowRule) -> Self {
        Self { windows, ..Self::default() }
    }

    /// Windows of this length in time, without overlap, rounded down to whole µs.
    pub fn every(window: Duration) -> Self {
        Self::of(WindowRule::Time { us: micros(window), overlap: 0 })
    }

    /// Windows of this many milliseconds, without overlap.
    pub fn window_ms(ms: u32) -> Self {
        Self::every(Duration::from_millis(ms.into()))
    }

    /// Windows of this number of events, without overlap.
    pub fn count(events: u64) -> Self {
        Self::of(WindowRule::Count { events, overlap: 0 })
    }

    /// `n` windows of equal length in time over the whole recording, which is read twice.
    pub fn bins(n: u64) -> Self {
        Self::of(WindowRule::Bins { n })
    }

    /// `n` windows with equal numbers of events over the whole recording, which is read twice.
    pub fn event_bins(n: u64) -> Self {
        Self::of(WindowRule::EventBins { n })
    }

    /// Scales the frames down to `width` columns and `height` rows.
    #[must_use]
    pub fn size(self, width: u16, height: u16) -> Self {
        Self { size: Some(SensorSize::new(width, height)), ..self }
    }

    /// Sets what cells hold, and selects the usual type of cells for it. To choose another type, call
    /// [`dtype`](Self::dtype) afterwards.
    #[must_use]
    pub fn representation(self, representation: &'static Representation) -> Self {
        Self { representation, dtype: representation.usual_dtype, ..self }
    }

    /// Sets the type of the cells.
    #[must_use]
    pub fn dtype(self, dtype: Dtype) -> Self {
        Self { dtype, ..self }
    }

    /// Chooses whether OFF and ON have channels of their own.
    #[must_use]
    pub fn polarity(self, polarity: PolarityChannels) -> Self {
        Self { polarity, ..self }
    }

    /// Sets the rule for the edges.
    #[must_use]
    pub fn edge(self, edge: Edge) -> Self {
        Self { edge, ..self }
    }

    /// Which events are kept, and the filters that are applied to them.
    #[must_use]
    pub fn selection(self, selection: Selection) -> Self {
        Self { selection, ..self }
    }

    /// Sets whether all selected events are sorted by time first, so that the frames are those of a
    /// recording in order. The recording is then read twice.
    ///
    /// ```
    /// use liaf_data::frames::FrameOptions;
    /// use liaf_data::{ReadOptions, Recording};
    /// // The event at 5 µs comes last, and two windows too late.
    /// let bytes = b"t,x,y,p\n0,1,1,1\n10,1,1,1\n20,1,1,1\n5,1,1,1\n";
    /// let read = ReadOptions::new().sensor(2, 2);
    /// let mut recording = Recording::from_bytes(&bytes[..], read)?;
    /// let options = FrameOptions { slack: 0, ..FrameOptions::every(std::time::Duration::from_micros(10)) };
    /// let mut sums = |options| -> liaf_data::Result<Vec<f32>> {
    ///     let frames = recording.frames(options)?;
    ///     frames.map(|frame| Ok(frame?.to_f32().iter().sum())).collect()
    /// };
    /// assert_eq!(sums(options.clone())?, [1.0, 1.0, 2.0]);
    /// assert_eq!(sums(options.sort(true))?, [2.0, 1.0, 1.0]);
    /// # Ok::<(), liaf_data::Error>(())
    /// ```
    #[must_use]
    pub fn sort(self, sort: bool) -> Self {
        Self { sort, ..self }
    }

    /// Limits on the memory and output that a recording may need.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }
}

impl FrameOptions {
    /// Whether the frames depend on a first pass over the events
    /// ([`SpanFinder`](super::SpanFinder)): because of their windows, or to sort the events.
    pub fn needs_span(&self) -> bool {
        self.sort || self.windows_need_span()
    }

    /// Whether the windows depend on all events.
    pub(crate) fn windows_need_span(&self) -> bool {
        match self.windows {
            WindowRule::Bins { .. } | WindowRule::EventBins { .. } => true,
            WindowRule::Time { .. } => self.edge == Edge::SpikingJelly2,
            WindowRule::Count { .. } => false,
        }
    }

    /// The options that a representation needs to lay out its cells.
    pub(super) fn cell_options(&self) -> CellOptions {
        let Self { polarity, dtype, ref parameters, .. } = *self;
        CellOptions { polarity, dtype, parameters: parameters.clone() }
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
