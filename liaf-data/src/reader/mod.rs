//! Recordings: opened by what is in them, read as events.

mod index;
mod index_file;
mod info;
mod keys;
mod options;
mod places;
mod probe;
mod recording;
mod samples;
mod sketch;
mod slices;
mod stream;
mod summary;

pub use index::Index;
pub use info::{RecordingInfo, SensorSource, StreamInfo, StreamKind};
pub use keys::{Field, Keys, TimeUnit};
pub use options::{
    Aedat2Reading, AtisOverflow, ClockReset, Coords, ImuRanges, ReadOptions, StreamChoice,
    TimeShift,
};
pub use recording::Recording;
pub use samples::SampleReader;
pub use stream::EventReader;
pub use summary::{Fingerprint, Summary};
