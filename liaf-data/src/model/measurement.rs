//! What cameras send beside events: images, inertial readings and triggers.

use super::StreamKind;

/// One measurement of a stream that is not of events.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Measurement {
    /// A frame of the camera.
    Image(Image),
    /// A measurement of the inertial sensors.
    Imu(ImuReading),
    /// A trigger.
    Trigger(Trigger),
}

impl Measurement {
    /// Its time in µs, on the clock of the events.
    pub fn t(&self) -> i64 {
        match self {
            Self::Image(image) => image.t,
            Self::Imu(measurement) => measurement.t,
            Self::Trigger(trigger) => trigger.t,
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

/// A measurement of the inertial sensors, in the axes of their chip.
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
    /// Magnetic field along x, y and z in µT, of sensors that measure it.
    pub magnetometer: Option<[f32; 3]>,
}

/// A trigger: a signal at an input of the camera, or a moment of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trigger {
    /// Time in µs.
    pub t: i64,
    /// What happened.
    pub kind: TriggerKind,
    /// The input where it happened, from 0.
    pub channel: u32,
}

/// What a trigger says has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TriggerKind {
    /// The camera set its clock to 0.
    TimestampReset,
    /// A signal rose.
    Rising,
    /// A signal fell.
    Falling,
    /// A signal that is of interest as a whole.
    Pulse,
    /// The camera's signal generator rose.
    GeneratorRising,
    /// The camera's signal generator fell.
    GeneratorFalling,
    /// The readout of a frame began.
    FrameStart,
    /// The readout of a frame ended.
    FrameEnd,
    /// The exposure of a frame began.
    ExposureStart,
    /// The exposure of a frame ended.
    ExposureEnd,
    /// Something else, by its number in the format.
    Other(u8),
}

impl TriggerKind {
    /// The edge of a signal.
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

/// A frame of the camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Time in µs: the one that its format takes for the frame's.
    pub t: i64,
    /// When it began to be read out, in µs.
    pub frame_start: Option<i64>,
    /// When it was read out, in µs.
    pub frame_end: Option<i64>,
    /// When its exposure began, in µs.
    pub exposure_start: Option<i64>,
    /// When its exposure ended, in µs.
    pub exposure_end: Option<i64>,
    /// Column of the sensor in which it begins.
    pub x: i32,
    /// Row of the sensor in which it begins.
    pub y: i32,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Values of a pixel: 1 is grey, 3 are red, green and blue, 4 the same and alpha.
    pub channels: u8,
    /// The values, `[height, width, channels]`, from the top left.
    pub pixels: Pixels,
}

impl Image {
    /// Counts rows from the other end of a sensor of this height; 0 if that is not known.
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

/// The values of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pixels {
    /// Of 8 bits.
    U8(Vec<u8>),
    /// Of 16 bits.
    U16(Vec<u16>),
}

impl Pixels {
    /// How many values there are.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::U16(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Exchanges red and blue of pixels of 3 or 4 `channels`.
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
