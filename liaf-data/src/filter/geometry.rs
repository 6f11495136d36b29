//! Filters that move events to other pixels: mirrored, transposed, scaled down.

use super::{Filter, FilterKind};
use crate::error::Error;
use crate::model::{EventBatch, SensorSize};

/// Mirrors columns.
pub(super) static FLIP_X: FilterKind = FilterKind {
    name: "flip-x",
    moves: true,
    about: "mirrors left and right",
    parameters: &[],
    make: |_, sensor| Ok(Box::new(Flip { last: sensor.width.saturating_sub(1), rows: false })),
};

/// Mirrors rows.
pub(super) static FLIP_Y: FilterKind = FilterKind {
    name: "flip-y",
    moves: true,
    about: "mirrors top and bottom",
    parameters: &[],
    make: |_, sensor| Ok(Box::new(Flip { last: sensor.height.saturating_sub(1), rows: true })),
};

/// Exchanges ON and OFF.
pub(super) static FLIP_POLARITY: FilterKind = FilterKind {
    name: "flip-polarity",
    moves: false,
    about: "exchanges ON and OFF",
    parameters: &[],
    make: |_, _| Ok(Box::new(FlipPolarity)),
};

/// Exchanges columns and rows.
pub(super) static TRANSPOSE: FilterKind = FilterKind {
    name: "transpose",
    moves: true,
    about: "exchanges columns and rows",
    parameters: &[],
    make: |_, _| Ok(Box::new(Transpose)),
};

/// Makes pixels larger.
pub(super) static DOWNSAMPLE: FilterKind = FilterKind {
    name: "downsample",
    moves: true,
    about: "makes one pixel of factor x factor pixels; every event is kept [factor=2]",
    parameters: &["factor"],
    make: |parameters, _| {
        let factor = parameters.number::<u16>("factor")?.unwrap_or(2);
        if factor == 0 {
            return Err(Error::caller("the factor must be above 0").expected("1 or more").found(0));
        }
        Ok(Box::new(Downsample(factor)))
    },
};

/// `x' = last − x`, or the same for y. Pixels outside the sensor stay where they are.
#[derive(Debug)]
struct Flip {
    last: u16,
    rows: bool,
}

impl Filter for Flip {
    fn apply(&mut self, events: &mut EventBatch) {
        let values = if self.rows { &mut events.y } else { &mut events.x };
        for value in values {
            *value = self.last.checked_sub(*value).unwrap_or(*value);
        }
    }
}

#[derive(Debug)]
struct FlipPolarity;

impl Filter for FlipPolarity {
    fn apply(&mut self, events: &mut EventBatch) {
        events.p.iter_mut().for_each(|p| *p = u8::from(*p == 0));
    }
}

#[derive(Debug)]
struct Transpose;

impl Filter for Transpose {
    fn apply(&mut self, events: &mut EventBatch) {
        std::mem::swap(&mut events.x, &mut events.y);
    }

    fn sensor(&self, before: SensorSize) -> SensorSize {
        SensorSize::new(before.height, before.width)
    }
}

/// `x' = ⌊x / factor⌋`, and the same for y. Pixels that are cut off at the border become whole ones.
#[derive(Debug)]
struct Downsample(u16);

impl Filter for Downsample {
    fn apply(&mut self, events: &mut EventBatch) {
        events.x.iter_mut().chain(&mut events.y).for_each(|value| *value /= self.0);
    }

    fn sensor(&self, before: SensorSize) -> SensorSize {
        SensorSize::new(before.width.div_ceil(self.0), before.height.div_ceil(self.0))
    }
}
