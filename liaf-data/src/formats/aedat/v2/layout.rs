//! Where an address stores x, y and polarity, and how each tool interprets them.

use super::chips::{CameraField, EYES};
use crate::codec::stride::StrideScan;
use crate::codec::{Aedat2Reading, Coords, ReadOptions};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::model::SensorSize;

/// A record as it is stored in a file: a big-endian address and a big-endian time in µs.
///
/// AEDAT 1.0 has addresses of 16 bits, AEDAT 2.0 of 32 bits.
pub trait Word: Copy + Send + Sync + for<'a> TryFrom<&'a [u8]> + 'static {
    /// The address.
    fn address(&self) -> u32;

    /// The time as stored.
    fn time(&self) -> u32;
}

impl Word for [u8; 8] {
    #[inline(always)]
    fn address(&self) -> u32 {
        let [a, b, c, d, ..] = *self;
        u32::from_be_bytes([a, b, c, d])
    }

    #[inline(always)]
    fn time(&self) -> u32 {
        let [.., a, b, c, d] = *self;
        u32::from_be_bytes([a, b, c, d])
    }
}

impl Word for [u8; 6] {
    #[inline(always)]
    fn address(&self) -> u32 {
        let [a, b, ..] = *self;
        u32::from(u16::from_be_bytes([a, b]))
    }

    #[inline(always)]
    fn time(&self) -> u32 {
        let [.., a, b, c, d] = *self;
        u32::from_be_bytes([a, b, c, d])
    }
}

/// The search for seek points among the records that start at byte `start`.
pub(crate) fn stride_scan<W: Word>(start: u64) -> StrideScan {
    let time = |record: &[u8]| Some(W::try_from(record.get(..size_of::<W>())?).ok()?.time());
    StrideScan { start, record: size_of::<W>(), time }
}

/// The bit layout of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// DVS128 and Tmpdiff128.
    Dvs128,
    /// All DAVIS chips.
    Davis,
    /// DVXplorer: the fields of a DAVIS, with x from the left and y from the top.
    DvXplorer,
    /// 640x480 DVS (v2e, and jAER's DVS640).
    Dvs640,
    /// jAER's SecDvs640: the fields of DVS640, with x from the left.
    SecDvs640,
    /// 1280x720 DVS (jAER's DVS1280x720SD).
    Dvs1280,
    /// jAER's ATIS304.
    Atis304,
}

/// The smallest common DAVIS chip that contains `bounds`, or `bounds` itself.
pub(crate) fn fit_davis(bounds: SensorSize) -> SensorSize {
    [SensorSize::new(240, 180), SensorSize::new(346, 260), SensorSize::new(640, 480)]
        .into_iter()
        .find(|chip| bounds.width <= chip.width && bounds.height <= chip.height)
        .unwrap_or(bounds)
}

impl Layout {
    /// The layout that fits the first addresses of a file whose header names no chip.
    ///
    /// DVS128 addresses have 16 bits and DVS640 ones 20; a DAVIS address has its row in bits 30–22.
    pub(crate) fn guess(first_records: &[[u8; 8]], stated: Option<SensorSize>) -> Self {
        // A few damaged records among many do not decide: at least one in 64 has to be as high, and the
        // highest of few ones.
        let mut addresses: Vec<u32> = first_records.iter().map(Word::address).collect();
        addresses.sort_unstable_by(|a, b| b.cmp(a));
        let highest = addresses.get(addresses.len() / 64).copied().unwrap_or(0);
        match (highest, stated) {
            (..=0xffff, None) => Self::Dvs128,
            (..=0xffff, Some(size)) if size.width <= 128 && size.height <= 128 => Self::Dvs128,
            (..=0xf_ffff, _) => Self::Dvs640,
            _ => Self::Davis,
        }
    }

    /// The size of the sensor, if the layout has only one.
    pub(crate) fn only_sensor(self) -> Option<SensorSize> {
        match self {
            Self::Dvs128 => Some(SensorSize::new(128, 128)),
            Self::Dvs640 | Self::SecDvs640 | Self::DvXplorer => Some(SensorSize::new(640, 480)),
            Self::Dvs1280 => Some(SensorSize::new(1280, 720)),
            Self::Atis304 => Some(SensorSize::new(304, 240)),
            Self::Davis => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dvs128 => "DVS128",
            Self::Davis => "DAVIS",
            Self::DvXplorer => "DVXplorer",
            Self::Dvs640 => "DVS640",
            Self::SecDvs640 => "SecDvs640",
            Self::Dvs1280 => "DVS1280",
            Self::Atis304 => "ATIS304",
        }
    }

    /// Whether there are words of images, inertial readings and triggers as those of a DAVIS.
    pub(crate) fn is_davis(self) -> bool {
        matches!(self, Self::Davis | Self::DvXplorer)
    }

    fn fields(self) -> Fields {
        match self {
            Self::Dvs128 => Fields { x: (1, 0x7f), y: (8, 0x7f), p: 0 },
            Self::Davis | Self::DvXplorer => Fields { x: (12, 0x3ff), y: (22, 0x1ff), p: 11 },
            Self::Dvs640 | Self::SecDvs640 => Fields { x: (1, 0x3ff), y: (11, 0x3ff), p: 0 },
            Self::Dvs1280 => Fields { x: (1, 0x7ff), y: (12, 0x3ff), p: 0 },
            Self::Atis304 => Fields { x: (1, 0x1ff), y: (10, 0xff), p: 0 },
        }
    }

    /// Whether x is stored from the right and y from the bottom.
    fn mirrored(self) -> (bool, bool) {
        match self {
            Self::DvXplorer => (false, false),
            Self::SecDvs640 | Self::Atis304 => (false, true),
            Self::Dvs128 | Self::Davis | Self::Dvs640 | Self::Dvs1280 => (true, true),
        }
    }

    /// Whether a polarity of 0 is ON.
    fn is_on_zero(self) -> bool {
        matches!(self, Self::Dvs128 | Self::Atis304)
    }

    /// The bits of a word that is not an event of a pixel. `eyes`: bit 15 of a DVS128 is the camera.
    fn special(self, eyes: bool) -> u32 {
        match self {
            Self::Dvs128 if eyes => 1 << 31,
            Self::Dvs128 => 1 << 31 | 1 << 15,
            Self::Davis | Self::DvXplorer => 1 << 31 | 1 << 10,
            Self::Dvs640 | Self::SecDvs640 | Self::Dvs1280 | Self::Atis304 => 0,
        }
    }
}

/// Shift and mask of x and y, and the bit of the polarity.
struct Fields {
    x: (u32, u32),
    y: (u32, u32),
    p: u32,
}

/// How addresses become events: which words are pixels, where x and y are stored, and which axes
/// are mirrored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// A word with one of these bits is not a pixel.
    pub special: u32,
    /// The bits that hold the number of the camera, and their value for the camera that is read.
    pub camera: u32,
    pub wanted: u32,
    pub x: Axis,
    pub y: Axis,
    pub p_shift: u32,
    pub p_invert: u8,
}

/// A coordinate: where it is stored, and whether it counts from the far end of the sensor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Axis {
    pub shift: u32,
    pub mask: u32,
    pub mirrored: bool,
}

impl Axis {
    fn new((shift, mask): (u32, u32), mirrored: bool) -> Self {
        Self { shift, mask, mirrored }
    }
}

impl Reading {
    /// The events of one of `cameras`, if the address has a number of the camera.
    pub(crate) fn new(
        layout: Layout,
        camera: Option<(CameraField, u32)>,
        options: &ReadOptions,
    ) -> Result<Self> {
        let fields = layout.fields();
        let eyes = camera.is_some_and(|(field, _)| field == EYES);
        let mut reading = Self {
            special: if layout == Layout::Dvs128 { 0 } else { layout.special(eyes) },
            camera: camera.map_or(0, |(field, _)| field.mask()),
            wanted: camera.map_or(0, |(field, number)| field.bits(number)),
            x: Axis::new(fields.x, false),
            y: Axis::new(fields.y, false),
            p_shift: fields.p,
            p_invert: 0,
        };
        if options.coords == Coords::Raw {
            return Ok(reading);
        }
        let (mirrored_x, mirrored_y) = layout.mirrored();
        match (layout, options.aedat.reading) {
            (Layout::Dvs128, Aedat2Reading::Tonic) => {
                reading.x = Axis::new(fields.y, false);
                reading.y = Axis::new(fields.x, false);
            }
            (Layout::Dvs128, Aedat2Reading::SpikingJelly) => {
                reading.x = Axis::new(fields.y, true);
                reading.y = Axis::new(fields.x, true);
                reading.p_invert = 1;
            }
            (_, Aedat2Reading::SpikingJelly) => {
                return Err(Error::caller("SpikingJelly reads AEDAT 2.0 files of a DVS128 only")
                    .found(format!("a {} file", layout.name()))
                    .hint(Hint::ChooseReading { name: Aedat2Reading::Jaer.name().into() }));
            }
            (_, Aedat2Reading::Jaer | Aedat2Reading::Tonic) => {
                reading.special = layout.special(eyes);
                reading.x.mirrored = mirrored_x;
                reading.y.mirrored = mirrored_y;
                reading.p_invert = u8::from(layout.is_on_zero());
            }
        }
        Ok(reading)
    }
}

/// How events become addresses. This is the inverse of reading them as jAER does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored {
    x_last: u32,
    y_last: u32,
    x_shift: u32,
    y_shift: u32,
    p_shift: u32,
    p_invert: u32,
}

impl Stored {
    /// For a chip of this size, which contains every event.
    pub(crate) fn new(layout: Layout, sensor: SensorSize) -> Self {
        let fields = layout.fields();
        Self {
            x_last: u32::from(sensor.width).saturating_sub(1),
            y_last: u32::from(sensor.height).saturating_sub(1),
            x_shift: fields.x.0,
            y_shift: fields.y.0,
            p_shift: fields.p,
            p_invert: u32::from(layout.is_on_zero()),
        }
    }

    /// The address of an event with canonical coordinates.
    pub(crate) fn address(self, x: u16, y: u16, p: u8) -> u32 {
        let x = self.x_last.wrapping_sub(x.into()) << self.x_shift;
        let y = self.y_last.wrapping_sub(y.into()) << self.y_shift;
        let p = (u32::from(p != 0) ^ self.p_invert) << self.p_shift;
        x | y | p
    }
}
