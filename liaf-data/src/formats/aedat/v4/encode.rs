//! Encoding of events as AEDAT 4.0: one stream of packets that are compressed on many threads.

use std::ops::Range;

use multiversion::multiversion;

use super::build::{self, EVENT, EVENTS_AT, Entry};
use super::header::MAGIC;
use super::inflate::Compression;
use super::pack::{Body, Packer, compression};
use super::packet::HEADER;
use crate::codec::EventSpec;
use crate::codec::{self, Capabilities, Encoder, Make, Output, Target, WriteOptions};
use crate::error::Result;
use crate::io::{in_order, places_per_pool};
use crate::model::EventBatch;

pub(crate) const TARGET: Target = Target {
    name: "aedat4",
    title: "AEDAT 4.0",
    extension: "aedat4",
    claims: &["aedat4"],
    compressions: &[codec::Compression::Lz4, codec::Compression::Zstd, codec::Compression::None],
    capabilities: Capabilities {
        x_max: i16::MAX as u16,
        y_max: i16::MAX as u16,
        ..Capabilities::ANYTHING
    },
    make: Make::Encoder(|spec, options| Ok(Box::new(Aedat4Encoder::new(spec, options)?))),
};

/// The number of the only stream.
const STREAM: i32 = 0;
/// A packet ends before it would have more events, or span more µs, than this.
const PACKET_EVENTS: usize = 8192;
const PACKET_US: u64 = 10_000;

/// A packet that is being filled: a flatbuffer whose header is not filled in yet.
#[derive(Default)]
struct Packet {
    plain: Vec<u8>,
    /// Time of its first event.
    start: i64,
    t_min: i64,
    t_max: i64,
}

impl Packet {
    fn events(&self) -> usize {
        self.plain.len().saturating_sub(EVENTS_AT) / EVENT
    }

    /// How many of the next events belong to this packet.
    fn takes(&mut self, times: &[i64]) -> usize {
        if self.plain.is_empty() {
            let Some(&first) = times.first() else { return 0 };
            self.plain.resize(EVENTS_AT, 0);
            (self.start, self.t_min, self.t_max) = (first, first, first);
        }
        let room = PACKET_EVENTS - self.events();
        let times = times.get(..room).unwrap_or(times);
        let start = self.start;
        times.iter().position(|t| t.abs_diff(start) >= PACKET_US).unwrap_or(times.len())
    }

    /// Adds the events `range` of a batch.
    fn add(&mut self, events: &EventBatch, range: Range<usize>) {
        let at = self.plain.len();
        self.plain.resize(at + range.len() * EVENT, 0);
        let records = self.plain[at..].as_chunks_mut::<EVENT>().0;
        let t = &events.t[range.clone()];
        let (x, y, p) = (&events.x[range.clone()], &events.y[range.clone()], &events.p[range]);
        let (t_min, t_max) = fill(records, t, x, y, p);
        self.t_min = self.t_min.min(t_min);
        self.t_max = self.t_max.max(t_max);
    }

    fn close(&mut self) {
        let head = build::packet_head(self.events() as u32);
        self.plain[..EVENTS_AT].copy_from_slice(&head);
    }
}

/// Writes a record for each event; returns the earliest and the latest time.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn fill(records: &mut [[u8; EVENT]], t: &[i64], x: &[u16], y: &[u16], p: &[u8]) -> (i64, i64) {
    let columns = t.iter().zip(x).zip(y.iter().zip(p));
    for (record, ((&t, &x), (&y, &p))) in records.iter_mut().zip(columns) {
        let pixel = u64::from(x) | u64::from(y) << 16 | u64::from(p != 0) << 32;
        *record = (u128::from(t as u64) | u128::from(pixel) << 64).to_le_bytes();
    }
    // `fold` is not used here, because the functions it calls would not be compiled for each
    // target.
    let (mut t_min, mut t_max) = (i64::MAX, i64::MIN);
    for &t in t {
        t_min = t_min.min(t);
        t_max = t_max.max(t);
    }
    (t_min, t_max)
}

struct Aedat4Encoder {
    compression: Compression,
    info: String,
    open: Packet,
    /// Complete packets that wait to be compressed, and packets whose memory can be reused.
    whole: Vec<Packet>,
    spare: Vec<Packet>,
    /// One for each packet that may be compressed at the same time.
    packers: Vec<Packer>,
    parallel: bool,
    table: Vec<Entry>,
    written: u64,
}

impl Aedat4Encoder {
    fn new(spec: &EventSpec, options: &WriteOptions) -> Result<Self> {
        let compression = compression(options.compression.unwrap_or(codec::Compression::Lz4))?;
        let slots = if options.parallel { places_per_pool() } else { 1 };
        Ok(Self {
            compression,
            info: info_node(spec, compression),
            open: Packet::default(),
            whole: Vec::new(),
            spare: Vec::new(),
            packers: (0..slots).map(|_| Packer::default()).collect(),
            parallel: options.parallel,
            table: Vec::new(),
            written: 0,
        })
    }

    /// Ends the open packet.
    fn close(&mut self) {
        self.open.close();
        let mut next = self.spare.pop().unwrap_or_default();
        next.plain.clear();
        self.whole.push(std::mem::replace(&mut self.open, next));
    }

    /// Compresses and writes all complete packets.
    fn flush(&mut self, out: &mut dyn Output) -> Result<()> {
        let Self { compression, whole, packers, table, written, .. } = self;
        let pack = |_, packet: &Packet, packer: &mut Packer| {
            packer.pack(*compression, &packet.plain, Body::Events);
        };
        let mut give = |_, packet: &Packet, packer: &mut Packer| {
            if let Some(error) = packer.failed.take() {
                return Err(error);
            }
            let size = packer.body.len() as i32;
            out.append(&STREAM.to_le_bytes())?;
            out.append(&size.to_le_bytes())?;
            out.append(&packer.body)?;
            table.push(Entry {
                body: *written + HEADER as u64,
                size,
                events: packet.events() as u64,
                t_min: packet.t_min,
                t_max: packet.t_max,
            });
            *written += (HEADER + packer.body.len()) as u64;
            Ok(())
        };
        if self.parallel {
            in_order(whole, packers, pack, give)?;
        } else if let [packer, ..] = &mut packers[..] {
            for (i, packet) in whole.iter().enumerate() {
                pack(i, packet, packer);
                give(i, packet, packer)?;
            }
        }
        self.spare.append(whole);
        Ok(())
    }
}

impl Encoder for Aedat4Encoder {
    fn start(&mut self, out: &mut dyn Output) -> Result<()> {
        let header = build::io_header(self.compression.id(), &self.info);
        out.append(MAGIC)?;
        out.append(&header)?;
        self.written = (MAGIC.len() + header.len()) as u64;
        Ok(())
    }

    fn push(&mut self, events: &EventBatch, out: &mut dyn Output) -> Result<()> {
        let mut at = 0;
        while at < events.len() {
            let n = self.open.takes(events.t.get(at..).unwrap_or_default());
            self.open.add(events, at..at + n);
            at += n;
            if at < events.len() {
                self.close();
                if self.whole.len() >= self.packers.len() {
                    self.flush(out)?;
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Output) -> Result<()> {
        if self.open.events() > 0 {
            self.close();
        }
        self.flush(out)?;
        let plain = build::data_table(STREAM, &self.table);
        let mut packer = Packer::default();
        packer.pack(self.compression, &plain, Body::Other);
        if let Some(error) = packer.failed {
            return Err(error);
        }
        out.append(&packer.body)?;
        out.patch(build::TABLE_POSITION_AT, &self.written.to_le_bytes())
    }

    fn patched(&self) -> Option<&'static str> {
        Some("the position of the table of its packets, which is in its header")
    }
}

/// The text that describes the stream, in the form in which DV writes it.
fn info_node(spec: &EventSpec, compression: Compression) -> String {
    let attr = |indent: usize, key: &str, kind: &str, value: &str| {
        let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        // Control characters cannot be represented in XML.
        let value: String = value.chars().filter(|c| !c.is_control()).collect();
        format!("{:indent$}<attr key=\"{key}\" type=\"{kind}\">{value}</attr>\n", "")
    };
    let mut text = String::from(
        "<dv version=\"2.0\">\n    <node name=\"outInfo\" path=\"/outInfo/\">\n        \
         <node name=\"0\" path=\"/outInfo/0/\">\n",
    );
    text += &attr(12, "compression", "string", compression.name());
    text += &attr(12, "originalModuleName", "string", "liaf");
    text += &attr(12, "originalOutputName", "string", "events");
    text += &attr(12, "typeDescription", "string", "Polarity events.");
    text += &attr(12, "typeIdentifier", "string", "EVTS");
    text += "            <node name=\"info\" path=\"/outInfo/0/info/\">\n";
    text += &attr(16, "sizeX", "int", &spec.sensor.width.to_string());
    text += &attr(16, "sizeY", "int", &spec.sensor.height.to_string());
    text += &attr(16, "source", "string", spec.source.as_deref().unwrap_or("unknown"));
    if !spec.provenance.is_empty() {
        text += &attr(16, "liaf", "string", &spec.provenance);
    }
    text += "            </node>\n        </node>\n    </node>\n</dv>\n";
    text
}
