//! Filters: the stages between a reader of events and whoever takes them.
//!
//! A [`Selection`] says which events are wanted: an interval of time, a rectangle of the sensor, a
//! polarity, and then any number of filters. Everything that takes events takes them through the
//! same [`Chain`], which is made from a selection: frames, event files, and the iterators of
//! [`Recording`](crate::Recording). The chain counts what each of its stages removed.
//!
//! A filter is a row of [`FILTERS`], a [`FilterKind`]: its name, its parameters, and a function that
//! makes it. A filter of your own is used in the same way:
//!
//! ```
//! use liaf_data::filter::{Chain, Filter, FilterKind, FilterSpec, Parameters, Selection};
//! use liaf_data::{Event, EventBatch, SensorSize};
//!
//! /// Keeps every n-th event.
//! #[derive(Debug)]
//! struct EveryNth { n: u64, seen: u64 }
//!
//! impl Filter for EveryNth {
//!     fn apply(&mut self, events: &mut EventBatch) {
//!         events.retain(|_| {
//!             self.seen += 1;
//!             self.seen % self.n == 0
//!         });
//!     }
//! }
//!
//! static EVERY_NTH: FilterKind = FilterKind {
//!     name: "every-nth",
//!     moves: false,
//!     about: "keeps every n-th event",
//!     parameters: &["n"],
//!     make: |parameters, _| {
//!         Ok(Box::new(EveryNth { n: parameters.number("n")?.unwrap_or(2), seen: 0 }))
//!     },
//! };
//!
//! # fn main() -> liaf_data::Result<()> {
//! let mut selection = Selection::default();
//! selection.filters.push(FilterSpec::new(&EVERY_NTH, Parameters::new().with("n", 5)));
//! let mut chain = Chain::new(&selection, SensorSize::new(4, 4))?;
//! let mut batch: EventBatch = (0..20).map(|t| Event { t, x: 1, y: 2, p: 1 }).collect();
//! chain.apply(&mut batch);
//! assert_eq!(batch.iter().map(|event| event.t).collect::<Vec<_>>(), [4, 9, 14, 19]);
//! assert_eq!(chain.removed().filtered[0].events, 16);
//! # Ok(())
//! # }
//! ```

mod background_activity;
mod chain;
mod decimate;
mod drop;
mod geometry;
mod jitter;
mod mask;
mod ordered;
mod pixels;
mod polarity;
pub(crate) mod random;
mod refractory;
mod reorder;
mod selection;
mod spec;
mod time_reversal;
mod undistort;

pub use crate::model::{Crop, Parameters, Polarity, TimePoint};
pub use chain::{Chain, Filtered, Removed};
pub(crate) use ordered::{Lateness, OrderedChain, Sorting};
pub use pixels::{HotPixels, Pixels};
pub use selection::Selection;
pub use spec::{FILTERS, Filter, FilterKind, FilterSpec};
