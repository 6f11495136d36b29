//! What a recording is made of: events, measurements, what is known of both, and the account of what
//! reading met. Everything else in this crate speaks in these words.

mod event;
mod info;
mod measurement;
mod report;
mod selection;
mod stats;

pub use event::{Event, EventBatch, SensorSize};
pub use info::{RecordingInfo, SensorSource, StreamInfo, StreamKind};
pub use measurement::{Image, ImuReading, Measurement, Pixels, Trigger, TriggerKind};
pub use report::{ByteAccount, Finding, FindingCount, MeasurementCount, Report};
pub use selection::{Crop, TimePoint};
pub(crate) use selection::{Times, check_crop, check_stretch};
pub use stats::{EventStats, Fingerprint, TimeSpan};
