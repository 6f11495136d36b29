//! Recordings, which are recognised by their contents and read as events.

mod check;
mod index;
mod index_file;
mod join;
mod joined;
mod measurements;
mod probe;
mod recording;
mod seek_points;
mod slices;
mod sparse_index;
mod stream;
mod unwrap;

pub use index::Index;
pub use measurements::MeasurementReader;
pub use recording::{Recording, columns_in, files_of};
pub use stream::EventReader;
