//! The mask: events of certain pixels are dropped.

use super::pixels::Pixels;
use super::{Filter, FilterKind};
use crate::error::{Error, Result};
use crate::model::{EventBatch, Parameters, SensorSize};

/// The row of [`FILTERS`](super::FILTERS).
pub(super) static MASK: FilterKind = FilterKind {
    name: "mask",
    moves: false,
    about: "drops the events of the pixels that are listed in a file, one x,y in a line, or of a rectangle [file=PATH or x=,y=,w=,h=]",
    parameters: &["file", "x", "y", "w", "h"],
    make,
};

fn make(parameters: &Parameters, sensor: SensorSize) -> Result<Box<dyn Filter>> {
    let number = |name: &str| parameters.number::<u16>(name);
    let rectangle = [number("x")?, number("y")?, number("w")?, number("h")?];
    let (width, height) = (usize::from(sensor.width), usize::from(sensor.height));
    let mut mask = Mask { width, masked: vec![false; width * height] };
    match (parameters.get("file"), rectangle) {
        (Some(path), [None, None, None, None]) => {
            for (x, y) in Pixels::read(path)?.iter() {
                mask.set(x.into(), y.into());
            }
        }
        (None, [Some(x), Some(y), Some(w), Some(h)]) => {
            for y in (usize::from(y)..height).take(h.into()) {
                for x in (usize::from(x)..width).take(w.into()) {
                    mask.set(x, y);
                }
            }
        }
        _ => {
            return Err(Error::caller("a mask needs its pixels")
                .expected("mask:file=PATH or mask:x=X,y=Y,w=W,h=H")
                .found(format!("mask:{parameters}")));
        }
    }
    Ok(Box::new(mask))
}

/// Drops the events of some pixels.
#[derive(Debug)]
struct Mask {
    width: usize,
    masked: Vec<bool>,
}

impl Mask {
    fn set(&mut self, x: usize, y: usize) {
        if x < self.width
            && let Some(masked) = self.masked.get_mut(y * self.width + x)
        {
            *masked = true;
        }
    }
}

impl Filter for Mask {
    fn apply(&mut self, events: &mut EventBatch) {
        events.retain(|event| {
            let (x, y) = (usize::from(event.x), usize::from(event.y));
            x >= self.width || !self.masked.get(y * self.width + x).copied().unwrap_or(false)
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::filter::FilterSpec;
    use crate::model::{Event, EventBatch, SensorSize};

    fn kept(text: &str) -> Vec<(u16, u16)> {
        let spec: FilterSpec = text.parse().unwrap();
        let mut filter = spec.make(SensorSize::new(3, 3)).unwrap();
        let all = (0..9).map(|i| Event { t: i, x: (i % 3) as u16, y: (i / 3) as u16, p: 0 });
        let mut batch: EventBatch = all.collect();
        filter.apply(&mut batch);
        batch.iter().map(|event| (event.x, event.y)).collect()
    }

    #[test]
    fn pixels_of_a_file_or_a_rectangle_are_dropped() {
        assert_eq!(kept("mask:x=0,y=1,w=2,h=9"), [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2)]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hot.csv");
        std::fs::write(&path, "# hot pixels\nx,y\n1,1\n2, 0\n200,100\n").unwrap();
        let text = format!("mask:file={}", path.display());
        assert_eq!(kept(&text), [(0, 0), (1, 0), (0, 1), (2, 1), (0, 2), (1, 2), (2, 2)]);
        std::fs::write(&path, "1,1\n2;0\n").unwrap();
        let error = text.parse::<FilterSpec>().unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("hot.csv"), "{error}");
        for bad in ["mask", "mask:x=1", "mask:file=/nowhere,x=1", "mask:file=/nowhere"] {
            assert!(bad.parse::<FilterSpec>().is_err(), "{bad}");
        }
    }
}
