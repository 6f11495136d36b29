//! Takes a part of a recording, filters its events, and writes them into a file of another format.

use std::time::Duration;

use liaf_data::{Polarity, ReadOptions, Recording};

/// Prints how many events were written, and how many each filter removed.
pub fn main() -> liaf_data::Result<()> {
    let path = "fixtures/good/aedat4/dv_lz4.aedat4";
    let part = std::env::temp_dir().join(format!("liaf_example_{}.csv", std::process::id()));
    let mut recording = Recording::open(path, ReadOptions::default())?;
    let written = recording
        .between(Duration::ZERO, Duration::from_millis(50))
        .crop(50, 50, 200, 150)
        .polarity(Polarity::On)
        .filter("refractory:period=1ms".parse()?)
        .write(&part)?;
    println!("{} events are in {}", written.events.kept, part.display());
    for filtered in &written.events.filtered {
        println!("{} were removed by {}", filtered.events, filtered.filter);
    }
    std::fs::remove_file(part)?;
    Ok(())
}
