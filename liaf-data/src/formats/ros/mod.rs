//! What recordings of ROS 1 (`rosbag`) and ROS 2 (`mcap`) share: channels, messages and their decoding.
//!
//! Both containers are a list of records: definitions of channels, messages, chunks of such records that
//! are compressed together, and an index. A [`Layout`] says what the records of a container look like;
//! everything else is the same for both.

mod array;
mod channels;
mod decode;
mod discover;
mod job;
mod layout;
mod message;
mod open;
mod packet;
mod serial;
mod unpack;
mod words;

pub(crate) use channels::{Channels, Definition, Schema};
pub(crate) use layout::{Head, Kind, Layout, Packing, RecordHead};
pub(crate) use open::{Container, open};
pub(crate) use serial::Serialisation;
