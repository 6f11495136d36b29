//! The data model: events, measurements, information and statistics about them, and the report of
//! what was met while reading. The other modules of this crate use these types.

mod columns;
mod duration;
mod event;
mod info;
mod iterate;
mod measurement;
mod note;
mod parameters;
mod polarity;
mod report;
mod selection;
mod sensor;
mod slice;
mod stats;

pub use columns::EventColumns;
pub use duration::parse_duration;
pub use event::{Event, EventBatch};
pub use info::{RecordingInfo, SensorSource, StreamInfo, StreamKind};
pub use iterate::{EventIter, IntoEvents};
pub use measurement::{Image, ImuReading, Measurement, Pixels, Trigger, TriggerKind};
pub use note::Note;
pub use parameters::Parameters;
pub use polarity::Polarity;
pub use report::{ByteAccount, Finding, FindingCount, MeasurementCount, Report};
pub use selection::{Crop, TimePoint};
pub(crate) use selection::{Times, check_crop, check_stretch};
pub use sensor::SensorSize;
pub use slice::EventSlice;
pub use stats::{EventStats, Fingerprint, TimeSpan};
