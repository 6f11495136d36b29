//! Makes frames of a recording, as arrays of `ndarray`.

use std::time::Duration;

use liaf_data::frames::FrameOptions;
use liaf_data::{ReadOptions, Recording};
use ndarray::{ArrayView3, Axis};

/// Prints the number of ON events of each frame.
pub fn main() -> liaf_data::Result<()> {
    let path = "fixtures/good/aedat4/dv_lz4.aedat4";
    let mut recording = Recording::open(path, ReadOptions::default())?;
    // 20 ms each, scaled down to 32 columns and 32 rows: [C, H, W] = [2, 32, 32].
    let options = FrameOptions::every(Duration::from_millis(20)).size(32, 32);
    let mut frames = recording.frames(options)?;
    for frame in &mut frames {
        let frame = frame?;
        let counts: ArrayView3<'_, u16> = frame.view()?;
        let on = counts.index_axis(Axis(0), 1);
        println!("{} µs: {} ON events", frame.window.start, on.mapv(u64::from).sum());
    }
    println!("{} events in {} frames", frames.frame_report().kept, frames.frame_report().frames);
    Ok(())
}
