//! Each reader on a bundled recording repeated to 10 million events: to columns, and to frames.
//!
//! Time starts anew at every repetition, so the frames hold a fixed number of events.

use std::sync::Arc;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use liaf_data::frames::{Binner, Frame, FrameOptions, WindowRule};
use liaf_data::{EventBatch, Format, ReadOptions, Recording};
use rayon::{ThreadPool, ThreadPoolBuilder};

const EVENTS: u64 = 10_000_000;
const FILES: &[&str] = &[
    "aedat1/tiny.aedat",
    "aedat2/dvs128.aedat",
    "aedat2/davis240c_mixed.aedat",
    "aedat3/dvs128.aedat",
    "aedat4/dv_none.aedat4",
    "aedat4/dv_lz4.aedat4",
    "aedat4/dv_zstd.aedat4",
    "atis_bin/nmnist.bin",
    "event_stream/dvs_wide.es",
    "evt3/faery_vectors.raw",
];
const THREADS: &[usize] = &[1, 2];

fn main() {
    divan::main();
}

/// A bundled recording whose data is repeated as often as `EVENTS` needs.
fn recording(file: &str) -> (Arc<[u8]>, u64) {
    let path = format!("{}/../fixtures/good/{file}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).expect("a bundled recording");
    let mut reader = open(file, &bytes.clone().into(), 1).reader().expect("a reader");
    let mut events = EventBatch::new();
    reader.read_to_end(&mut events).expect("events");
    let report = reader.report();
    let data = (report.bytes.events + report.bytes.other) as usize;
    // The header stands before the data. AEDAT 4.0 has an index after it as well.
    let start = match bytes.starts_with(b"#!AER-DAT4.0") {
        true => 18 + u32::from_le_bytes([bytes[14], bytes[15], bytes[16], bytes[17]]) as usize,
        false => bytes.len() - data,
    };
    let times = EVENTS.div_ceil(events.len() as u64);
    let all = [&bytes[..start], &bytes[start..start + data].repeat(times as usize)].concat();
    (all.into(), times * events.len() as u64)
}

fn open(file: &str, bytes: &Arc<[u8]>, threads: usize) -> Recording {
    // This format is told by the name of the file alone.
    let format = file.ends_with(".bin").then(|| Format::named("ATIS bin").expect("a format"));
    let options = ReadOptions { format, parallel: threads > 1, ..ReadOptions::default() };
    Recording::from_bytes(bytes.clone(), options).expect("a recording")
}

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool")
}

#[divan::bench(args = FILES, consts = THREADS, sample_count = 7)]
fn to_columns<const N: usize>(bencher: Bencher<'_, '_>, file: &str) {
    let ((bytes, events), pool) = (recording(file), pool(N));
    let read = || {
        let mut batch = EventBatch::new();
        open(file, &bytes, N).reader().expect("a reader").read_to_end(&mut batch).expect("events");
        black_box(batch)
    };
    let bencher = bencher.counter(ItemsCount::new(events)).counter(BytesCount::of_slice(&bytes));
    bencher.bench_local(|| pool.install(read));
}

#[divan::bench(args = FILES, consts = THREADS, sample_count = 7)]
fn to_frames<const N: usize>(bencher: Bencher<'_, '_>, file: &str) {
    let ((bytes, events), pool) = (recording(file), pool(N));
    let windows = WindowRule::Count { events: 10_000, overlap: 0 };
    let options = FrameOptions { windows, ..FrameOptions::default() };
    let bin = || {
        let mut recording = open(file, &bytes, N);
        let sensor = recording.find_sensor().expect("a sensor");
        let mut binner = Binner::new(&options, sensor, None).expect("a binner");
        let mut sink = |frame: &Frame| {
            black_box(frame);
            Ok(())
        };
        let mut reader = recording.reader().expect("a reader");
        while reader.pump(&mut binner.to(&mut sink)).expect("events") {}
        binner.finish(&mut sink).expect("frames")
    };
    let bencher = bencher.counter(ItemsCount::new(events)).counter(BytesCount::of_slice(&bytes));
    bencher.bench_local(|| pool.install(bin));
}
