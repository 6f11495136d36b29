//! Damage to one packet of an AEDAT 4.0 file costs the events of that packet and of no other.
#![allow(
    clippy::unwrap_used,
    clippy::single_element_loop,
    reason = "a test says what it expects by unwrapping it, and its table may have one row"
)]

use crate::common;

use std::fs;

use liaf_data::model::Finding;
use liaf_data::{EventBatch, EventSink, ReadOptions, Recording, Report, Result};

/// The events of each packet, with its place.
#[derive(Default)]
struct Packets(Vec<(u64, EventBatch)>);

impl EventSink for Packets {
    fn events(&mut self, events: &mut EventBatch, offset: u64) -> Result<()> {
        self.0.push((offset, std::mem::take(events)));
        Ok(())
    }
}

fn packets(bytes: &[u8], parallel: bool) -> (Vec<(u64, EventBatch)>, Report) {
    let options = ReadOptions { parallel, ..ReadOptions::default() };
    let mut reader = Recording::from_bytes(bytes, options).unwrap().reader().unwrap();
    let mut packets = Packets::default();
    while reader.pump(&mut packets).unwrap() {}
    (packets.0, reader.report())
}

/// Reads `damaged`, in which the packet at `at` was damaged and what follows it moved by `moved`
/// bytes: every other packet must be there.
fn assert_others_are_there(
    what: &str,
    whole: &[(u64, EventBatch)],
    damaged: &[u8],
    at: u64,
    moved: i64,
) {
    for parallel in [false, true] {
        let (found, report) = packets(damaged, parallel);
        assert_eq!(report.bytes.total(), damaged.len() as u64, "{what}");
        let others = whole.iter().filter(|(offset, _)| *offset != at).map(|(offset, events)| {
            let offset = if *offset > at { offset.wrapping_add_signed(moved) } else { *offset };
            (offset, events)
        });
        for (offset, events) in others {
            let there = found.iter().any(|(at, found)| *at == offset && found == events);
            assert!(there, "{what}: the packet at byte {offset} is lost: {report:?}");
        }
        assert!(!report.is_sound(), "{what}");
    }
}

fn recordings() -> Vec<(String, Vec<u8>)> {
    let names = [
        "dv_lz4",
        "dv_zstd",
        "dv_none",
        "dv_lz4_linked_blocks",
        "dv_stereo_zstd",
        "faery_lz4",
        "faery_zstd",
        "no_table",
        "tiny_lz4",
        "tiny_none",
        "tiny_zstd",
    ];
    let read = |name: &str| {
        let path = common::fixtures().join("good/aedat4").join(format!("{name}.aedat4"));
        (name.to_owned(), fs::read(path).unwrap())
    };
    names.map(read).into_iter().filter(|(_, bytes)| one_stream(bytes)).collect()
}

fn one_stream(bytes: &[u8]) -> bool {
    Recording::from_bytes(bytes, ReadOptions::default()).unwrap().reader().is_ok()
}

#[test]
fn a_flipped_bit_of_a_size_costs_one_packet() {
    for (name, bytes) in recordings() {
        let (whole, _) = packets(&bytes, false);
        for &(at, _) in &whole {
            for bit in 0..32 {
                let mut damaged = bytes.clone();
                damaged[at as usize + 4 + bit / 8] ^= 1 << (bit % 8);
                let what = format!("{name}: bit {bit} of the size of the packet at {at}");
                assert_others_are_there(&what, &whole, &damaged, at, 0);
            }
        }
    }
}

#[test]
fn a_packet_without_its_header_costs_one_packet() {
    for (name, bytes) in recordings() {
        let (whole, _) = packets(&bytes, false);
        for &(at, _) in &whole {
            for cut in [4, 8, 12, 16, 24] {
                let mut damaged = bytes.clone();
                damaged.drain(at as usize..at as usize + cut);
                let what = format!("{name}: {cut} bytes cut from the packet at {at}");
                assert_others_are_there(&what, &whole, &damaged, at, -(cut as i64));
            }
        }
    }
}

#[test]
fn a_data_table_is_known_behind_damage() {
    for (name, bytes) in recordings().into_iter().filter(|(name, _)| name.starts_with("dv_")) {
        let (whole, report) = packets(&bytes, false);
        let &(at, _) = whole.last().unwrap();
        let mut damaged = bytes.clone();
        damaged[at as usize + 4] ^= 1;
        let (_, found) = packets(&damaged, false);
        assert_eq!(found.bytes.header, report.bytes.header, "{name}");
        assert_eq!(found.count(Finding::BadDataTables), 1, "{name}");
    }
}
