//! Code shared by the formats that store events as columns of numbers: CSV, numpy, MATLAB and HDF5.

mod decide;
mod feed;
mod guess;
mod halves;
mod inflate;
mod names;
mod number;
mod other_table;
mod pixel;
mod polarity;
mod reader;
mod rows;
mod sensor;
mod time;
mod wraps;

pub(crate) use decide::{Decided, Said, decide, slow};
pub(crate) use feed::{Feed, Storage};
pub(crate) use guess::{guess_order, guess_three};
pub(crate) use halves::{Halves, half_of};
pub(crate) use names::Name;
#[cfg(feature = "hdf5")]
pub(crate) use names::unit_of;
#[cfg(feature = "hdf5")]
pub(crate) use number::constant;
pub(crate) use number::{Kind, Number, View};
pub(crate) use other_table::surely_no_events;
pub(crate) use pixel::{Pixel, Pixels};
#[cfg(feature = "hdf5")]
pub(crate) use polarity::DECIDING_ROWS;
pub(crate) use polarity::{Meaning, PolarityReading, PolaritySet};
pub(crate) use reader::{Array, Checksum, ColumnReader, Parts, Source};
#[cfg(feature = "hdf5")]
pub(crate) use rows::{Rows, Unusable};
#[cfg(feature = "hdf5")]
pub(crate) use sensor::is_contradicted;
pub(crate) use sensor::turned_if_needed;
pub(crate) use time::{guess, scaled};
pub(crate) use wraps::{Wraps, rises};
