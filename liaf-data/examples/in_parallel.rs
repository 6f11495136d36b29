//! Reads several recordings at the same time, one on each thread.

use liaf_data::{ReadOptions, Recording, SensorSize};
use rayon::prelude::*;

/// Prints the number of events of each recording.
pub fn main() -> liaf_data::Result<()> {
    let paths = [
        "fixtures/good/aedat4/dv_lz4.aedat4",
        "fixtures/good/aedat2/dvs128.aedat",
        "fixtures/good/evt3/faery_vectors.raw",
    ];
    // Readers are `Send`: a recording may be opened on one thread and read on another.
    let count = |path: &&str| -> liaf_data::Result<(u64, SensorSize)> {
        let options = ReadOptions { parallel: false, ..ReadOptions::default() };
        let mut recording = Recording::open(path, options)?;
        let sensor = recording.find_sensor()?;
        Ok((recording.survey()?.events, sensor))
    };
    let counts = paths.par_iter().map(count).collect::<liaf_data::Result<Vec<_>>>()?;
    for (path, (events, sensor)) in paths.iter().zip(counts) {
        println!("{path}: {events} events of a sensor of {sensor}");
    }
    Ok(())
}
