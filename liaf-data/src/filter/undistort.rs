//! Undistortion: events are moved to where a calibration says that they would be without the distortion of
//! the lens.

use std::path::Path;

use super::spec::CHECKED;
use super::{Filter, FilterKind};
use crate::codec::columns::{Kind, View};
use crate::container::npy;
use crate::error::{Error, Result};
use crate::io::read_whole;
use crate::limits::Limits;
use crate::model::{EventBatch, Parameters, SensorSize};

/// The row of [`FILTERS`](super::FILTERS).
pub(super) static UNDISTORT: FilterKind = FilterKind {
    name: "undistort",
    moves: true,
    about: "moves events by a calibration map, an .npy of shape [H, W, 2] with the new x and y of every pixel; those that leave the sensor are dropped [map=PATH]",
    parameters: &["map"],
    make,
};

fn make(parameters: &Parameters, sensor: SensorSize) -> Result<Box<dyn Filter>> {
    let Some(path) = parameters.get("map") else {
        let error = Error::caller("the filter undistort needs a map");
        return Err(error.expected("undistort:map=PATH").found("none"));
    };
    let in_file = |error: Error| error.in_file(path);
    let Map { height, width, to } = read(path).map_err(in_file)?;
    // Without a sensor only the file itself is checked.
    if sensor != CHECKED && (width, height) != (sensor.width, sensor.height) {
        return Err(in_file(
            Error::caller("the map is for another size of sensor")
                .expected(sensor)
                .found(SensorSize::new(width, height)),
        ));
    }
    Ok(Box::new(Undistort { width: width.into(), to }))
}

/// A calibration map.
struct Map {
    height: u16,
    width: u16,
    /// The new pixel of each one; those that leave the sensor are at the largest number.
    to: Vec<(u16, u16)>,
}

fn read(path: &str) -> Result<Map> {
    let bytes = read_whole("the map", Path::new(path), Limits::DEFAULT.packet_bytes)?;
    let bad = |found: String| {
        Error::malformed("this is no calibration map")
            .expected("an .npy array of floating point numbers of shape [H, W, 2], in C order")
            .found(found)
    };
    if !bytes.starts_with(npy::MAGIC) {
        return Err(bad("other bytes".into()));
    }
    let (start, length) = npy::lengths(&bytes, &Limits::DEFAULT)?;
    let text =
        bytes.get(start..start + length).ok_or_else(|| bad("a header that is cut off".into()))?;
    let header = npy::Header::parse(text)?;
    let npy::Dtype::Plain(number) = header.dtype else { return Err(bad("records".into())) };
    let &[height, width, 2] = &*header.shape else {
        return Err(bad(format!("shape {:?}", header.shape)));
    };
    let (Ok(height), Ok(width)) = (u16::try_from(height), u16::try_from(width)) else {
        return Err(bad(format!("shape {:?}", header.shape)));
    };
    if header.fortran || !matches!(number.kind, Kind::F32 | Kind::F64) {
        return Err(bad("another type or order".into()));
    }
    let pixels = usize::from(height) * usize::from(width);
    let data = &bytes[start + length..];
    if data.len() < pixels * 2 * number.bytes() {
        return Err(bad(format!("{} bytes of data", data.len())));
    }
    let values = |offset: usize| {
        let view = View { bytes: &data[offset..], stride: 2 * number.bytes(), number };
        view.floats(pixels)
    };
    let inside = |value: f64, below: u16| {
        let rounded = (value + 0.5).floor();
        (0.0..f64::from(below)).contains(&rounded).then_some(rounded as u16)
    };
    let pairs = values(0).into_iter().zip(values(number.bytes()));
    let to = pairs.map(|(x, y)| match (inside(x, width), inside(y, height)) {
        (Some(x), Some(y)) => (x, y),
        _ => (u16::MAX, u16::MAX),
    });
    Ok(Map { height, width, to: to.collect() })
}

/// Moves the event of a pixel to the nearest pixel of its place in the map.
#[derive(Debug)]
struct Undistort {
    width: usize,
    to: Vec<(u16, u16)>,
}

impl Filter for Undistort {
    fn apply(&mut self, events: &mut EventBatch) {
        let Self { width, to } = self;
        for (x, y) in events.x.iter_mut().zip(&mut events.y) {
            let column = usize::from(*x);
            let at = usize::from(*y) * *width + column;
            let new = to.get(at).filter(|_| column < *width).copied();
            (*x, *y) = new.unwrap_or((u16::MAX, u16::MAX));
        }
        events.retain(|event| (event.x, event.y) != (u16::MAX, u16::MAX));
    }
}
