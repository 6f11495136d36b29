//! The size of a sensor.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// Width and height of a sensor in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(into = "[u16; 2]", from = "[u16; 2]")]
pub struct SensorSize {
    /// Number of columns.
    pub width: u16,
    /// Number of rows.
    pub height: u16,
}

impl SensorSize {
    /// A sensor of `width` columns and `height` rows.
    pub const fn new(width: u16, height: u16) -> Self {
        Self { width, height }
    }

    /// Number of pixels.
    pub const fn pixels(self) -> usize {
        self.width as usize * self.height as usize
    }

    /// Whether the pixel is on the sensor.
    pub const fn contains(self, x: u16, y: u16) -> bool {
        x < self.width && y < self.height
    }
}

impl From<SensorSize> for [u16; 2] {
    fn from(size: SensorSize) -> Self {
        [size.width, size.height]
    }
}

impl From<[u16; 2]> for SensorSize {
    fn from([width, height]: [u16; 2]) -> Self {
        Self { width, height }
    }
}

impl fmt::Display for SensorSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl FromStr for SensorSize {
    type Err = Error;

    /// Parses `WxH`, as in `346x260`.
    fn from_str(text: &str) -> Result<Self> {
        let size = text
            .split_once(['x', 'X', '×'])
            .and_then(|(w, h)| Some(Self::new(w.trim().parse().ok()?, h.trim().parse().ok()?)));
        size.filter(|size| size.pixels() > 0).ok_or_else(|| {
            Error::caller("invalid sensor size")
                .expected("WxH, as in 346x260")
                .found(format!("{text:?}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensor_size_reads_what_it_prints() {
        let size = SensorSize::new(346, 260);
        assert_eq!(size.to_string().parse::<SensorSize>().unwrap(), size);
        for bad in ["", "346", "0x260", "346x", "346x260x2", "70000x1"] {
            assert!(bad.parse::<SensorSize>().is_err(), "{bad}");
        }
    }
}
