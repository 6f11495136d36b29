//! Reads the events of a recording, of whatever format.

use liaf_data::{ReadOptions, Recording};

/// Prints some events of each batch.
pub fn main() -> liaf_data::Result<()> {
    let path = "fixtures/good/aedat4/dv_lz4.aedat4";
    let mut recording = Recording::open(path, ReadOptions::default())?;
    println!("{} of {:?}", recording.info().format, recording.info().sensor);
    let mut batches = recording.batches()?;
    for batch in &mut batches {
        let batch = batch?;
        println!("{} events from {} µs on", batch.len(), batch.t()[0]);
        for event in &batch[..3] {
            println!("  {} µs: pixel ({}, {}), polarity {}", event.t, event.x, event.y, event.p);
        }
    }
    // What was in the file besides events, and what could not be read.
    println!("{:?}", batches.report());
    Ok(())
}
