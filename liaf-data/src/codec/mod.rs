//! The interfaces between bytes and events, and the machinery that the formats share.
//!
//! A [`Format`] describes how files of a format are recognised and opened. A [`Decoder`] or
//! [`BlockReader`] turns bytes into events and passes them to an [`EventSink`]; an
//! [`Encoder`] turns events into the bytes of a [`Target`].

mod block;
mod capabilities;
mod column_map;
pub(crate) mod columns;
mod decode;
mod encode;
mod format;
mod format_options;
pub(crate) mod packets;
pub(crate) mod per_stream;
mod polarity_values;
mod read_options;
pub(crate) mod record_buffer;
pub(crate) mod records;
pub(crate) mod seek;
pub(crate) mod side;
pub(crate) mod stride;
mod target;
mod write_options;

pub(crate) use block::{BlockReader, BoundsFinder};
pub use capabilities::{Capabilities, Violation};
pub use column_map::{ColumnMap, Field, TimeUnit};
pub use decode::{Checkpoint, Decoder, EventSink};
#[cfg(test)]
pub(crate) use encode::bytes_of;
pub(crate) use encode::check_size;
pub use encode::{Encoder, EventSpec, EventWriter, Output, Written};
pub use format::Format;
pub(crate) use format::{Body, Detection, FileHead, Opened, choose};
pub use format_options::{
    Aedat2Reading, AedatOptions, AtisOptions, AtisOverflow, ClockReset, ColumnOptions, Evt21Order,
    EvtOptions, ImuRanges, TimeShift,
};
pub use polarity_values::PolarityValues;
pub use read_options::{Coords, ReadOptions, StreamChoice};
pub(crate) use target::Make;
pub use target::Target;
pub use write_options::{Compression, WriteOptions};
