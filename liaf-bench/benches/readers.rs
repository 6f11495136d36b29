//! Each reader on a bundled recording repeated to 10 million events: to columns, and to frames.
//!
//! Time starts anew at every repetition, so the frames hold a fixed number of events.

use std::sync::Arc;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use liaf_data::frames::{Binner, Frame, FrameOptions, WindowRule};
use liaf_data::{EventBatch, ReadOptions, Recording};

const EVENTS: u64 = 10_000_000;
const FILES: &[&str] = &[
    "aedat2/dvs128.aedat",
    "aedat2/davis240c_mixed.aedat",
    "aedat4/dv_none.aedat4",
    "aedat4/dv_lz4.aedat4",
    "aedat4/dv_zstd.aedat4",
    "evt3/faery_vectors.raw",
];
const THREADS: &[usize] = &[1, 2];

fn main() {
    divan::main();
}

/// A bundled recording whose data stands in it as often as it takes.
fn recording(file: &str) -> (Arc<[u8]>, u64) {
    let path = format!("{}/../fixtures/good/{file}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).expect("a bundled recording");
    let mut reader = open(&bytes.clone().into(), 1).reader().expect("a reader");
    let mut events = EventBatch::new();
    reader.read_to_end(&mut events).expect("events");
    let report = reader.report();
    // Behind the data there is at most an index table, which counts as header.
    let data = report.bytes.events + report.bytes.other;
    let end = bytes.len() as u64 - trailing_table(&bytes);
    let data = &bytes[(end - data) as usize..end as usize];
    let times = EVENTS.div_ceil(events.len() as u64);
    let mut all = bytes[..end as usize].to_vec();
    for _ in 1..times {
        all.extend_from_slice(data);
    }
    (all.into(), times * events.len() as u64)
}

/// Bytes of the index table at the end of an AEDAT 4.0 file: from where the header says.
fn trailing_table(bytes: &[u8]) -> u64 {
    let options = ReadOptions::default();
    let whole = open(&bytes.into(), 1).reader().map_or(0, |mut reader| {
        let mut events = EventBatch::new();
        reader.read_to_end(&mut events).map_or(0, |()| reader.report().bytes.header)
    });
    let opened = Recording::from_bytes(bytes, options).expect("a recording");
    whole - opened.data_offset()
}

fn open(bytes: &Arc<[u8]>, threads: usize) -> Recording {
    let options = ReadOptions { parallel: threads > 1, ..ReadOptions::default() };
    Recording::from_bytes(bytes.clone(), options).expect("a recording")
}

fn on_threads(threads: usize, work: impl FnOnce() + Send) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
    pool.install(work);
}

#[divan::bench(args = FILES, consts = THREADS, sample_count = 7)]
fn to_columns<const N: usize>(bencher: Bencher<'_, '_>, file: &str) {
    let (bytes, events) = recording(file);
    on_threads(N, move || {
        bencher.counter(ItemsCount::new(events)).counter(BytesCount::of_slice(&bytes)).bench_local(
            || {
                let mut batch = EventBatch::new();
                let mut reader = open(&bytes, N).reader().expect("a reader");
                reader.read_to_end(&mut batch).expect("events");
                black_box(batch)
            },
        );
    });
}

#[divan::bench(args = FILES, consts = THREADS, sample_count = 7)]
fn to_frames<const N: usize>(bencher: Bencher<'_, '_>, file: &str) {
    let (bytes, events) = recording(file);
    let windows = WindowRule::Count { events: 10_000, overlap: 0 };
    let options = FrameOptions { windows, ..FrameOptions::default() };
    on_threads(N, move || {
        bencher.counter(ItemsCount::new(events)).counter(BytesCount::of_slice(&bytes)).bench_local(
            || {
                let mut recording = open(&bytes, N);
                let sensor = recording.find_sensor().expect("a sensor");
                let mut binner = Binner::new(&options, sensor, None).expect("a binner");
                let mut sink = |frame: &Frame| {
                    black_box(frame);
                    Ok(())
                };
                let mut reader = recording.reader().expect("a reader");
                while reader.pump(&mut binner.to(&mut sink)).expect("events") {}
                binner.finish(&mut sink).expect("frames")
            },
        );
    });
}
