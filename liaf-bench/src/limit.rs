//! The lower bound of the time of any reader: inflating the packets, or reading the file's pages, and
//! one write of 13 bytes per event into new columns, on one thread.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use liaf_data::EventBatch;
use liaf_data::model::EventColumns;

/// The work that no reader can avoid for a file.
pub enum Limit {
    /// Inflate these packets, which are in memory.
    Inflate(Codec, Packets),
    /// Read this file.
    Read(PathBuf),
}

impl Limit {
    /// The packets of a compressed AEDAT 4.0 file, or the pages of any other.
    pub fn of(file: &Path) -> Result<Self> {
        Ok(match packets(file)? {
            Some((codec, packets)) => Self::Inflate(codec, packets),
            None => Self::Read(file.into()),
        })
    }

    /// Does the work once, and writes columns of this many events.
    pub fn reach(&self, events: usize) -> Result<EventBatch> {
        match self {
            Self::Inflate(codec, packets) => inflate(*codec, packets)?,
            Self::Read(file) => read_pages(file)?,
        }
        let columns = EventBatch::with_capacity(events).into_columns();
        let EventColumns { mut t, mut x, mut y, mut p } = columns;
        t.resize(events, 1);
        x.resize(events, 1);
        y.resize(events, 1);
        p.resize(events, 1);
        Ok(EventBatch::from_columns(t, x, y, p)?)
    }
}

/// A codec of packets.
#[derive(Debug, Clone, Copy)]
pub enum Codec {
    Lz4,
    Zstd,
}

/// The bytes of a file whose packets are compressed, and where each body is.
pub struct Packets {
    bytes: Vec<u8>,
    bodies: Vec<std::ops::Range<usize>>,
}

/// The packets of a compressed AEDAT 4.0 file; `None` for other files.
fn packets(file: &Path) -> Result<Option<(Codec, Packets)>> {
    if file.extension().is_none_or(|extension| extension != "aedat4") {
        return Ok(None);
    }
    let bytes = std::fs::read(file)?;
    let number = |at: usize| -> Result<usize> {
        let field = bytes.get(at..at + 4).and_then(|bytes| bytes.first_chunk());
        Ok(u32::from_le_bytes(*field.context("the file is cut short")?) as usize)
    };
    let mut at = 18 + number(14)?;
    let codec = match bytes.get(at + 8..at + 12) {
        Some([0x04, 0x22, 0x4d, 0x18]) => Codec::Lz4,
        Some([0x28, 0xb5, 0x2f, 0xfd]) => Codec::Zstd,
        _ => return Ok(None),
    };
    let magic = bytes[at + 8..at + 12].to_vec();
    let mut bodies = Vec::new();
    // The table after the packets begins with the magic where a packet has its stream.
    while bytes.get(at..at + 4).is_some_and(|start| start != magic) {
        let size = number(at + 4)?;
        bodies.push(at + 8..at + 8 + size);
        at += 8 + size;
    }
    Ok(Some((codec, Packets { bytes, bodies })))
}

/// Inflates every body once, with the C libraries, into one buffer.
fn inflate(codec: Codec, packets: &Packets) -> Result<()> {
    let mut buffer = vec![0; 64 << 20];
    let mut zstd = zstd::bulk::Decompressor::new()?;
    for body in &packets.bodies {
        let body = packets.bytes.get(body.clone()).context("a packet is cut short")?;
        let inflated = match codec {
            Codec::Zstd => zstd.decompress_to_buffer(body, &mut buffer)?,
            Codec::Lz4 => read_all(&mut lz4::Decoder::new(Cursor::new(body))?, &mut buffer)?,
        };
        if inflated == 0 {
            bail!("a packet is empty");
        }
    }
    Ok(())
}

/// Reads the file's bytes through a buffer that stays in the cache.
fn read_pages(file: &Path) -> Result<()> {
    let mut file = File::open(file)?;
    let mut buffer = vec![0; 256 << 10];
    while read_all(&mut file, &mut buffer)? == buffer.len() {}
    Ok(())
}

fn read_all(from: &mut impl Read, buffer: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}
