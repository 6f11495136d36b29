//! A recording of any length is read and binned in bounded memory.
#![allow(
    clippy::unwrap_used,
    clippy::single_element_loop,
    reason = "a test says what it expects by unwrapping it, and its table may have one row"
)]

use std::fs;
use std::io::{self, Read};

use liaf_data::frames::{Binner, Cells, Frame, FrameOptions, FrameSink};
use liaf_data::model::Finding;
use liaf_data::{ReadOptions, Recording, Result};

const HEADER: &[u8] = b"#!AER-DAT2.0\r\n# AEChip: DVS128\r\n";
/// Records, and the time between two of them in µs: twice through the 32-bit counter.
const RECORDS: u64 = 10_000_000;
const EVERY: u64 = 860;
/// The counter's first value.
const START: u64 = 1 << 31;
/// Length of a window in µs, the default.
const WINDOW: u64 = 10_000;
/// More than reading and binning may take of anonymous memory.
const ROOM: u64 = 64 << 20;

/// The bytes of a recording, made as they are read.
struct Endless {
    at: u64,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at < HEADER.len() as u64 {
            let n = (&HEADER[self.at as usize..]).read(buffer)?;
            self.at += n as u64;
            return Ok(n);
        }
        let at = self.at - HEADER.len() as u64;
        let (first, skip) = (at / 8, (at % 8) as usize);
        let room = (buffer.len() + skip).div_ceil(8) as u64;
        let mut filled = 0;
        for i in first..RECORDS.min(first + room) {
            let address = (i as u32).wrapping_mul(0x9e37_79b9) >> 17;
            let time = (START + EVERY * i) as u32;
            let record = (u64::from(address) << 32 | u64::from(time)).to_be_bytes();
            let record = if i == first { &record[skip..] } else { &record[..] };
            let n = record.len().min(buffer.len() - filled);
            buffer[filled..filled + n].copy_from_slice(&record[..n]);
            filled += n;
        }
        self.at += filled as u64;
        Ok(filled)
    }
}

/// Anonymous memory of this process in bytes; `None` where it is not told.
fn anonymous() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Counts frames and what is in them, and watches memory.
#[derive(Default)]
struct Counting {
    frames: u64,
    events: u64,
    most_memory: u64,
}

impl FrameSink for Counting {
    fn frame(&mut self, frame: &Frame) -> Result<()> {
        if self.frames.is_multiple_of(1000) {
            self.most_memory = self.most_memory.max(anonymous().unwrap_or(0));
        }
        self.frames += 1;
        let (Cells::Dense(cells) | Cells::Sparse { cells, .. }) = &frame.cells;
        self.events += cells.sum() as u64;
        Ok(())
    }
}

#[test]
fn a_recording_of_hours_is_binned_in_bounded_memory() {
    let before = anonymous();
    let mut recording = Recording::from_reader(Endless { at: 0 }, ReadOptions::default()).unwrap();
    let options = FrameOptions::default();
    let sensor = recording.find_sensor().unwrap();
    let mut reader = recording.reader().unwrap();
    let mut binner = Binner::new(&options, sensor, None).unwrap();
    let mut counting = Counting::default();
    while reader.pump(&mut binner.to(&mut counting)).unwrap() {}
    let frames = binner.finish(&mut counting).unwrap();
    let report = reader.report();

    assert_eq!(report.events, RECORDS);
    assert_eq!(report.bytes.total(), HEADER.len() as u64 + 8 * RECORDS);
    let last = START + EVERY * (RECORDS - 1);
    assert_eq!(report.count(Finding::TimeWraps), last >> 32);
    assert!(last >> 32 >= 2);
    assert_eq!(report.count(Finding::BackwardTimes), 0);
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((frames.kept, counting.events), (RECORDS, RECORDS));
    assert_eq!(counting.frames, (last - START) / WINDOW + 1);
    let Some(before) = before else {
        eprintln!("skipped: the system does not tell how much memory is in use");
        return;
    };
    let took = counting.most_memory.saturating_sub(before);
    assert!(took < ROOM, "{} MiB of memory", took >> 20);
}
