//! What the formats of Prophesee's cameras share: the text header, the way from words with state to
//! events, cut for several threads, and the events of EVT 2.0 and 2.1.

mod cd;
mod device;
mod header;
mod met;
mod raw;
mod scout;
#[cfg(test)]
pub(super) mod testing;
mod triggers;
mod words;

pub(super) use cd::{Cd, HOLDS, LOW_BITS, ROUND, Time, is_wrap, kind, special};
pub(super) use header::{Header, KEYS};
pub(super) use met::{BASELESS, EARLY, Met, PADDED, RESERVED, ROWLESS, TRIGGER, VENDOR, WRAP};
pub(super) use raw::{is_encoded, open, raw_header};
use scout::WordScout;
pub(super) use triggers::body;
pub(super) use words::{Registers, TriggerWord, WordDecoder};
