//! The formats of Prophesee's cameras: EVT 2.0, 2.1 and 3.0, DAT, and the ECF filter of their HDF5
//! files.
//!
//! This module also has what these formats share: the text header, the decoding of words whose meaning
//! depends on earlier words, on several threads, and the events of EVT 2.0 and 2.1.

mod cd;
pub mod dat;
mod device;
pub mod ecf;
pub mod evt2;
pub mod evt21;
pub mod evt3;
mod header;
mod met;
mod raw;
mod seek_scan;
mod set_bits;
#[cfg(test)]
pub(crate) mod testing;
mod triggers;
mod words;

pub(crate) use cd::{CAPABILITIES, Cd, LOW_BITS, ROUND, Time, is_wrap, kind, special};
pub(crate) use header::{Header, KEYS};
pub(crate) use met::{
    BASELESS, EARLY, Met, PADDED, RESERVED, ROWLESS, TRIGGER, VENDOR, WRAP, violation,
};
pub(crate) use raw::{detect, open, raw_header};
use seek_scan::WordScan;
pub(crate) use triggers::body;
pub(crate) use words::{TriggerWord, WordDecoder, WordRegisters, events_body};
