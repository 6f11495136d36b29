//! Prints what a trained network sees in a recording, over time. `net.safetensors` is a checkpoint of a
//! network in training, such as the example `classify_recording` makes; the names are those of files
//! in the current folder.

use liaf::{Classifier, ReadOptions, Recording};

/// Prints the times and the class of every sample.
pub fn main() -> liaf::Result<()> {
    let mut classifier = Classifier::open("net.safetensors")?;
    let mut recording = Recording::open("recording.aedat4", ReadOptions::default())?;
    for prediction in classifier.run(&mut recording)? {
        let prediction = prediction?;
        println!("{} to {} µs: {}", prediction.start, prediction.end, prediction.name);
    }
    Ok(())
}
