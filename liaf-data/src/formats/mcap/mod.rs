//! MCAP, the recordings of ROS 2: messages of several topics, in chunks.
//!
#![doc = include_str!("../../../docs/formats/mcap.md")]

mod layout;

use super::ros::{self, Container};
use crate::codec::{Detection, Format, Opened, ReadOptions};
use crate::error::Result;
use crate::io::ByteSource;
use layout::{FOOTER, MAGIC, McapLayout, summary};

pub(crate) static FORMAT: Format = Format {
    name: "MCAP",
    extensions: &["mcap"],
    detect: |head| Detection::magic(head.starts_with(MAGIC)),
    open,
    write: &[],
};

fn open(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    let index = match source.len() {
        Some(len) if len >= FOOTER as u64 => {
            summary(&source.read_at(len - FOOTER as u64, FOOTER)?).filter(|&index| index < len)
        }
        _ => None,
    };
    let container =
        Container { format: FORMAT.name, layout: McapLayout, start: MAGIC.len() as u64, index };
    ros::open(source, container, options)
}
