//! Representations: what the cells of a frame hold.
//!
//! A representation is a row of [`REPRESENTATIONS`], a [`Representation`]: its name, the layout of its
//! frames, and an [`Accumulator`] for the events of one window. A representation of your own is used in
//! the same way as those of the table:
//!
//! ```
//! use liaf_data::frames::{
//!     Accumulator, CellValues, Cells, Closed, Dtype, Frame, FrameOptions, Layout, Placed,
//!     Representation, Window,
//! };
//!
//! /// The time of the latest event of each cell, in µs after the start of the window.
//! #[derive(Debug)]
//! struct Latest { frame: Frame, times: Vec<i64> }
//!
//! impl Accumulator for Latest {
//!     fn add(&mut self, events: Placed<'_>) {
//!         for (&t, &cell) in events.t.iter().zip(events.index) {
//!             self.times[cell as usize] = self.times[cell as usize].max(t);
//!         }
//!     }
//!
//!     fn close(&mut self, window: Window) -> Closed<'_> {
//!         let after = |&t: &i64| if t == i64::MIN { 0.0 } else { (t - window.start) as f32 };
//!         self.frame.window = window;
//!         self.frame.cells = Cells::Dense(CellValues::F32(self.times.iter().map(after).collect()));
//!         Closed::new(&self.frame)
//!     }
//!
//!     fn clear(&mut self, _touched: Option<&[u32]>) {
//!         self.times.fill(i64::MIN);
//!     }
//! }
//!
//! static LATEST: Representation = Representation {
//!     name: "latest",
//!     about: "time of the latest event, in µs after the start of the window",
//!     usual_dtype: Dtype::F32,
//!     parameters: &[],
//!     layout: |options| Ok(Layout {
//!         needs_times: true,
//!         ..Layout::of_polarity(options.polarity).with_dtypes("latest", options, &[Dtype::F32])?
//!     }),
//!     start: |_, canvas| Box::new(Latest {
//!         frame: Frame::zeros(canvas.shape, Dtype::F32),
//!         times: vec![i64::MIN; canvas.shape.cells()],
//!     }),
//! };
//!
//! let options = FrameOptions::window_ms(10).representation(&LATEST);
//! # use liaf_data::{Event, EventBatch, SensorSize, frames::Binner};
//! # let mut binner = Binner::new(&options, SensorSize::new(2, 1), None)?;
//! # let batch: EventBatch = [3, 8, 9].map(|t| Event { t, x: 1, y: 0, p: 1 }).into_iter().collect();
//! # let mut sums = Vec::new();
//! # let mut sink = |frame: &Frame| { sums.push(frame.to_f32()); Ok(()) };
//! # binner.push(&batch, &mut sink)?;
//! # binner.finish(&mut sink)?;
//! # assert_eq!(sums, [[0.0, 0.0, 0.0, 6.0]]);
//! # Ok::<(), liaf_data::Error>(())
//! ```

mod averaged_timestamps;
mod bilinear;
mod bina_rep;
mod binary;
mod cell;
mod count;
mod cumulative;
mod event_volume;
mod hats;
mod latest;
mod sae;
mod signed;
mod stacked_histogram;
mod stretch;
mod time_surface;
mod voxel_grid;

use std::fmt;

use super::{Dtype, Frame, FrameShape, Window};
use crate::error::{Error, Result};
use crate::model::Parameters;
use crate::names::one_of;

pub use averaged_timestamps::AVERAGED_TIMESTAMPS;
pub use bina_rep::BINA_REP;
pub use binary::BINARY;
pub use count::COUNT;
pub use cumulative::CUMULATIVE;
pub use event_volume::EVENT_VOLUME;
pub use hats::HATS;
pub use sae::SAE;
pub use signed::SIGNED;
pub use stacked_histogram::STACKED_HISTOGRAM;
pub use time_surface::TIME_SURFACE;
pub use voxel_grid::VOXEL_GRID;

/// All representations, by name.
pub static REPRESENTATIONS: &[&Representation] = &[
    &COUNT,
    &BINARY,
    &SIGNED,
    &CUMULATIVE,
    &VOXEL_GRID,
    &EVENT_VOLUME,
    &STACKED_HISTOGRAM,
    &TIME_SURFACE,
    &SAE,
    &AVERAGED_TIMESTAMPS,
    &HATS,
    &BINA_REP,
];

/// What the cells of a frame hold: a row of [`REPRESENTATIONS`].
pub struct Representation {
    /// The name by which users choose it.
    pub name: &'static str,
    /// What a cell holds, in one line that can follow the words "a cell holds".
    pub about: &'static str,
    /// The type of the cells if no other is chosen.
    pub usual_dtype: Dtype,
    /// The names of its parameters.
    pub parameters: &'static [&'static str],
    /// Checks the options and returns the layout of the frames. The names of the parameters have
    /// already been checked.
    pub layout: fn(&CellOptions) -> Result<Layout>,
    /// Makes an accumulator for the frames of a recording. The options have passed `layout`.
    pub start: fn(&CellOptions, Canvas) -> Box<dyn Accumulator>,
}

impl Representation {
    /// The representation with this name in [`REPRESENTATIONS`].
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller), with all names, if there is none.
    pub fn named(name: &str) -> Result<&'static Self> {
        REPRESENTATIONS.iter().copied().find(|known| known.name == name).ok_or_else(|| {
            let names: Vec<_> = REPRESENTATIONS.iter().map(|known| known.name).collect();
            Error::caller("unknown representation")
                .expected(one_of(&names))
                .found(format!("{name:?}"))
        })
    }

    /// Checks the options, including the names of the parameters, and returns the layout of the frames.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if they are not valid.
    pub fn check(&self, options: &CellOptions) -> Result<Layout> {
        let of = format!("the representation {}", self.name);
        options.parameters.check_names(&of, self.parameters)?;
        (self.layout)(options)
    }
}

impl fmt::Debug for Representation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Display for Representation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Representation {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// Whether OFF and ON events have channels of their own.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum PolarityChannels {
    /// Two channels: 0 for OFF, 1 for ON.
    #[default]
    Split,
    /// One channel for both.
    Merged,
}

/// The options that a representation needs to lay out its cells.
#[derive(Debug, Clone, PartialEq)]
pub struct CellOptions {
    /// Whether OFF and ON have channels of their own, for representations that support both.
    pub polarity: PolarityChannels,
    /// The type of a cell.
    pub dtype: Dtype,
    /// The parameters of the representation.
    pub parameters: Parameters,
}

/// How the polarity of an event enters its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolarityIndex {
    /// Not at all: the index is that of the pixel, `y * W + x`.
    None,
    /// As a plane of its own: `(p * H + y) * W + x`.
    Plane,
    /// As the lowest bit: `2 * (y * W + x) + p`.
    LowestBit,
}

/// The layout of the frames of a representation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// C: number of channels.
    pub channels: usize,
    /// How the polarity of an event enters its index.
    pub polarity: PolarityIndex,
    /// Whether the accumulator needs the times of events; without them, windows with few events need
    /// less memory and time.
    pub needs_times: bool,
    /// Whether the accumulator needs the window before its events ([`Accumulator::begin`]). All events
    /// of a window are then held back until it is complete, in at most
    /// [`Limits::reorder_bytes`](crate::Limits::reorder_bytes) for all open windows.
    pub needs_window: bool,
    /// The tiles into which the pixels are divided, if the frame has another number of rows and columns
    /// than there are pixels.
    pub tiles: Option<Tiles>,
    /// Memory of an accumulator besides its cells, in bytes for each pixel of the frame. It counts
    /// against [`Limits::open_frames_bytes`](crate::Limits::open_frames_bytes).
    pub state_bytes: usize,
}

impl Layout {
    /// One or two channels with one cell for each pixel. Times are not needed.
    pub fn of_polarity(polarity: PolarityChannels) -> Self {
        let (channels, polarity) = match polarity {
            PolarityChannels::Split => (2, PolarityIndex::Plane),
            PolarityChannels::Merged => (1, PolarityIndex::None),
        };
        Self { channels, polarity, ..Self::signed() }
    }

    /// One channel in which OFF and ON have opposite effects, with one cell for each pixel. The polarity
    /// is the lowest bit of the index. Times are not needed.
    pub fn signed() -> Self {
        Self {
            channels: 1,
            polarity: PolarityIndex::LowestBit,
            needs_times: false,
            needs_window: false,
            tiles: None,
            state_bytes: 0,
        }
    }

    /// Number of rows or columns of the frame for this number of rows or columns of pixels.
    pub(in crate::frames) fn length(&self, pixels: usize) -> usize {
        match self.tiles {
            Some(Tiles { pixels: side, cells }) => {
                pixels.div_ceil(side.max(1)).saturating_mul(cells)
            }
            None => pixels,
        }
    }

    /// This layout, provided that the type of the cells is one of `dtypes`.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if it is another type.
    pub fn with_dtypes(self, of: &str, options: &CellOptions, dtypes: &[Dtype]) -> Result<Self> {
        if dtypes.contains(&options.dtype) {
            return Ok(self);
        }
        let names: Vec<_> = dtypes.iter().map(|dtype| dtype.name()).collect();
        Err(Error::caller(format!("the representation {of} does not support cells of this type"))
            .expected(format!("cells of {}", one_of(&names)))
            .found(options.dtype))
    }
}

/// Square tiles of pixels, from the upper left corner of the pixels on. Those at the right and lower
/// border may be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tiles {
    /// Number of pixels along the side of a tile.
    pub pixels: usize,
    /// Number of rows and of columns of the frame for each tile.
    pub cells: usize,
}

/// What an accumulator is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canvas {
    /// The shape of the frames.
    pub shape: FrameShape,
    /// Number of columns of pixels, by which events are indexed.
    pub width: usize,
    /// Number of rows of pixels.
    pub height: usize,
}

impl Canvas {
    /// Number of pixels.
    pub fn pixels(self) -> usize {
        self.width * self.height
    }
}

/// Some events of one window, in file order.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// Their times in µs; empty unless [`Layout::needs_times`].
    pub t: &'a [i64],
    /// Their indices by pixel and polarity, as [`Layout::polarity`] says. Every pixel is in the frame.
    pub index: &'a [u32],
}

/// Makes the cells of one window from its events. Accumulators are reused for later windows.
pub trait Accumulator: fmt::Debug + Send {
    /// Says which window the next events belong to, if [`Layout::needs_window`]. All of them then come
    /// in one call of [`add`](Self::add).
    fn begin(&mut self, _window: Window) {}

    /// Adds events of the window, in file order.
    fn add(&mut self, events: Placed<'_>);

    /// The frame of the window, which now has all its events. The frame must have this `window`,
    /// and the shape that the accumulator was made for.
    fn close(&mut self, window: Window) -> Closed<'_>;

    /// Makes this ready for another window. `touched` are the indices of all events since the last
    /// call, if there are few of them: only those cells need to be cleared.
    fn clear(&mut self, touched: Option<&[u32]>);

    /// Another accumulator, for a window that is open at the same time. Both share what lasts longer than
    /// a window; windows are closed in order. `None` if nothing does.
    fn another(&self) -> Option<Box<dyn Accumulator>> {
        None
    }
}

/// A frame that is complete.
#[derive(Debug)]
pub struct Closed<'a> {
    /// The frame.
    pub frame: &'a Frame,
    /// Number of cells that could not count all their events because they reached the largest value of
    /// their type.
    pub saturated_cells: u64,
}

impl<'a> Closed<'a> {
    /// A frame whose cells counted all their events.
    pub fn new(frame: &'a Frame) -> Self {
        Self { frame, saturated_cells: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn representations_are_found_by_name() {
        for known in REPRESENTATIONS {
            assert_eq!(Representation::named(known.name).unwrap(), *known);
            assert_eq!(known.to_string(), known.name);
        }
        let error = Representation::named("Count").unwrap_err().to_string();
        assert!(error.starts_with("unknown representation: expected count, binary"), "{error}");
        assert!(error.ends_with("found \"Count\""), "{error}");
    }

    #[test]
    fn unknown_parameters_are_refused() {
        let options = CellOptions {
            polarity: PolarityChannels::Split,
            dtype: Dtype::U16,
            parameters: Parameters::new().with("bins", 5),
        };
        let error = COUNT.check(&options).unwrap_err().to_string();
        assert_eq!(
            error,
            "the representation count has no parameter with this name: expected none, found bins"
        );
    }
}
