//! Reads the events around some moments of a recording, without decoding what lies before them.

use liaf_data::{EventBatch, ReadOptions, Recording};

/// Prints the number of events of each slice.
pub fn main() -> liaf_data::Result<()> {
    let path = "fixtures/good/aedat4/dv_lz4.aedat4";
    let mut recording = Recording::open(path, ReadOptions::default())?;
    let start = recording.first_time()?.unwrap_or(0);
    // One reused batch; times are in µs on the clock of the recording.
    let mut events = EventBatch::new();
    for moment in [start + 40_000, start + 10_000] {
        events.clear();
        recording.slice(moment..moment + 1_000)?.read_to_end(&mut events)?;
        println!("{} events in the millisecond from {moment} µs on", events.len());
    }
    // Consecutive windows.
    for window in recording.windows(start..start + 50_000, 10_000)? {
        let (time, events) = window?;
        println!("{} events from {} to {} µs", events.len(), time.start, time.end);
    }
    Ok(())
}
