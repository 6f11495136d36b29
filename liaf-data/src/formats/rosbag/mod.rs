//! ROS 1 bags, version 2.0: messages of several topics, in chunks.
//!
#![doc = include_str!("../../../docs/formats/rosbag.md")]

mod layout;

use super::ros::{self, Container};
use crate::codec::{Detection, Format, Opened, ReadOptions};
use crate::error::{Error, Result};
use crate::io::ByteSource;
use layout::{BagLayout, fields};

/// The first line of a file.
const MAGIC: &[u8] = b"#ROSBAG V2.0\n";

pub(crate) static FORMAT: Format = Format {
    name: "ROS 1 bag",
    extensions: &["bag"],
    detect: |head| Detection::magic(head.starts_with(MAGIC)),
    open,
    write: &[],
};

/// Number of bytes in which the header of a bag is.
const HEADER: usize = 4096;

fn open(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    let start = MAGIC.len() as u64;
    let head = source.head(MAGIC.len() + HEADER)?;
    let first = fields(head.get(MAGIC.len()..).unwrap_or_default());
    let text = |name: &[u8]| first.iter().find(|(key, _)| *key == name).map(|&(_, value)| value);
    if let Some(encryptor) = text(b"encryptor").filter(|value| !value.is_empty()) {
        return Err(Error::unsupported("this ROS 1 bag is encrypted")
            .at(start)
            .found(String::from_utf8_lossy(encryptor)));
    }
    let index = text(b"index_pos").and_then(|value| value.try_into().ok()).map(u64::from_le_bytes);
    let index = index.filter(|&index| index > start);
    let container = Container { format: FORMAT.name, layout: BagLayout { index }, start, index };
    ros::open(source, container, options)
}
