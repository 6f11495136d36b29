//! What cameras record in addition to events: images, readings of inertial sensors, and triggers.

use super::StreamKind;

/// A measurement of a stream that has no events.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Measurement {
    /// An image that the camera took.
    Image(Image),
    /// A reading of the inertial sensors.
    Imu(ImuReading),
    /// A trigger.
    Trigger(Trigger),
}

impl Measurement {
    /// The time in µs, on the clock of the events.
    pub fn t(&self) -> i64 {
        match self {
            Self::Image(image) => image.t,
            Self::Imu(measurement) => measurement.t,
            Self::Trigger(trigger) => trigger.t,
        }
    }

    /// Adds `us` to all times of the measurement.
    pub(crate) fn add_time(&mut self, us: i64) {
        match self {
            Self::Image(image) => {
                image.t += us;
                let times = [
                    &mut image.frame_start,
                    &mut image.frame_end,
                    &mut image.exposure_start,
                    &mut image.exposure_end,
                ];
                times.into_iter().flatten().for_each(|time| *time += us);
            }
            Self::Imu(measurement) => measurement.t += us,
            Self::Trigger(trigger) => trigger.t += us,
        }
    }

    /// The kind of stream that has such measurements.
    pub fn kind(&self) -> StreamKind {
        match self {
            Self::Image(_) => StreamKind::Frames,
            Self::Imu(_) => StreamKind::Imu,
            Self::Trigger(_) => StreamKind::Triggers,
        }
    }
}

/// A reading of the inertial sensors, in the axes of their chip.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ImuReading {
    /// Time in µs.
    pub t: i64,
    /// Acceleration along x, y and z in g.
    pub accelerometer: [f32; 3],
    /// Rate of rotation about x, y and z in °/s.
    pub gyroscope: [f32; 3],
    /// Temperature in °C.
    pub temperature: f32,
    /// Magnetic field along x, y and z in µT, for sensors that measure it.
    pub magnetometer: Option<[f32; 3]>,
}

/// A trigger: a signal at an input of the camera, or an event inside the camera itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trigger {
    /// Time in µs.
    pub t: i64,
    /// What happened.
    pub kind: TriggerKind,
    /// The input at which it happened, counted from 0.
    pub channel: u32,
}

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TriggerKind {
    /// The camera set its clock to 0.
    TimestampReset,
    /// A signal rose.
    Rising,
    /// A signal fell.
    Falling,
    /// A pulse, of which the individual edges are of no interest.
    Pulse,
    /// The camera's signal generator rose.
    GeneratorRising,
    /// The camera's signal generator fell.
    GeneratorFalling,
    /// The readout of an image began.
    FrameStart,
    /// The readout of an image ended.
    FrameEnd,
    /// The exposure of an image began.
    ExposureStart,
    /// The exposure of an image ended.
    ExposureEnd,
    /// Something else, with its number in the format.
    Other(u8),
}

impl TriggerKind {
    /// The rising or falling edge of a signal.
    pub(crate) fn edge(is_rising: bool) -> Self {
        if is_rising { Self::Rising } else { Self::Falling }
    }
}

impl std::fmt::Display for TriggerKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TimestampReset => "timestamp_reset",
            Self::Rising => "rising",
            Self::Falling => "falling",
            Self::Pulse => "pulse",
            Self::GeneratorRising => "generator_rising",
            Self::GeneratorFalling => "generator_falling",
            Self::FrameStart => "frame_start",
            Self::FrameEnd => "frame_end",
            Self::ExposureStart => "exposure_start",
            Self::ExposureEnd => "exposure_end",
            Self::Other(number) => return write!(f, "other_{number}"),
        })
    }
}

/// An image that the camera took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The time in µs that the format assigns to the image.
    pub t: i64,
    /// When the readout began, in µs.
    pub frame_start: Option<i64>,
    /// When the readout ended, in µs.
    pub frame_end: Option<i64>,
    /// When the exposure began, in µs.
    pub exposure_start: Option<i64>,
    /// When the exposure ended, in µs.
    pub exposure_end: Option<i64>,
    /// Column of the sensor at which the image starts.
    pub x: i32,
    /// Row of the sensor at which the image starts.
    pub y: i32,
    /// Number of pixels in a row.
    pub width: u32,
    /// Number of rows.
    pub height: u32,
    /// Number of values of a pixel: 1 for grey, 3 for red, green and blue, 4 for these and alpha.
    pub channels: u8,
    /// The values, `[height, width, channels]`, starting at the top left.
    pub pixels: Pixels,
}

impl Image {
    /// Mirrors the image vertically, on a sensor of this height; 0 if the height is not known.
    pub(crate) fn flip(&mut self, height: u16) {
        let row = self.width as usize * usize::from(self.channels);
        if row == 0 {
            return;
        }
        match &mut self.pixels {
            Pixels::U8(values) => flip_rows(values, row),
            Pixels::U16(values) => flip_rows(values, row),
        }
        if height > 0 {
            let below = i64::from(self.y) + i64::from(self.height);
            self.y = i32::try_from(i64::from(height) - below).unwrap_or(self.y);
        }
    }
}

fn flip_rows<T>(values: &mut [T], row: usize) {
    let rows = values.len() / row;
    for i in 0..rows / 2 {
        let (above, below) = values.split_at_mut((rows - 1 - i) * row);
        above[i * row..][..row].swap_with_slice(&mut below[..row]);
    }
}

/// The values of the pixels of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pixels {
    /// Values of 8 bits.
    U8(Vec<u8>),
    /// Values of 16 bits.
    U16(Vec<u16>),
}

impl Pixels {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::U16(values) => values.len(),
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Exchanges red and blue if pixels have 3 or 4 `channels`.
    pub(crate) fn swap_red_and_blue(&mut self, channels: usize) {
        if channels < 3 {
            return;
        }
        match self {
            Self::U8(values) => values.chunks_exact_mut(channels).for_each(|p| p.swap(0, 2)),
            Self::U16(values) => values.chunks_exact_mut(channels).for_each(|p| p.swap(0, 2)),
        }
    }
}
