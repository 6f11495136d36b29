//! Code shared by the formats that store events as columns of numbers: CSV, numpy, MATLAB and HDF5.

mod feed;
mod inflate;
mod names;
mod number;
mod other_table;
mod reader;
mod time;

pub(crate) use feed::{Feed, Storage};
pub(crate) use names::Name;
#[cfg(feature = "hdf5")]
pub(crate) use number::Unusable;
pub(crate) use number::{Kind, Number, Rows, View, guess_order, guess_unit};
pub(crate) use other_table::surely_no_events;
pub(crate) use reader::{Array, Checksum, ColumnReader, Parts, Source};
pub(crate) use time::{guess, scaled};
