//! What the formats share whose events are columns of numbers: CSV, numpy, MATLAB and HDF5.

mod feed;
mod names;
mod number;
mod reader;
mod time;

pub(super) use feed::{Feed, Packing};
pub(super) use names::Name;
pub(super) use number::{Kind, Number, Rows, View, guess_order, guess_unit};
pub(super) use reader::{Array, Checksum, ColumnReader, Parts, Source};
pub(super) use time::{guess, scaled};
