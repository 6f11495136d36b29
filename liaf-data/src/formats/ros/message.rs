//! What messages contain, and those that become measurements.

use super::array::EventArray;
use super::packet::EventPacket;
use super::serial::{Checked, Reason, Serial, Serialisation};
use crate::model::{Image, ImuReading, Measurement, Pixels, StreamKind};

/// What the messages of a type contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Events one by one.
    Array,
    /// Events as the camera encodes them.
    Packet,
    Imu,
    Image,
    Other,
}

impl Content {
    /// The content of the messages of a type.
    pub fn of(kind: &str) -> Self {
        match kind {
            "dvs_msgs/EventArray" | "prophesee_event_msgs/EventArray" => Self::Array,
            "event_camera_msgs/EventPacket" | "event_array_msgs/EventArray" => Self::Packet,
            "sensor_msgs/Imu" => Self::Imu,
            "sensor_msgs/Image" => Self::Image,
            _ => Self::Other,
        }
    }

    /// The kind of a stream of such messages.
    pub fn stream(self) -> StreamKind {
        match self {
            Self::Array | Self::Packet => StreamKind::Events,
            Self::Imu => StreamKind::Imu,
            Self::Image => StreamKind::Frames,
            Self::Other => StreamKind::Other,
        }
    }
}

/// A message with events.
#[derive(Debug)]
pub(crate) enum EventMessage<'a> {
    Array(EventArray<'a>),
    Packet(EventPacket<'a>),
}

impl<'a> EventMessage<'a> {
    /// Reads a message; `None` if its content is not events.
    pub fn read(
        payload: &'a [u8],
        content: Content,
        serialisation: Option<Serialisation>,
    ) -> Checked<Option<Self>> {
        let fields = || fields(payload, serialisation);
        Ok(match content {
            Content::Array => Some(Self::Array(EventArray::read(fields()?)?)),
            Content::Packet => Some(Self::Packet(EventPacket::read(fields()?)?)),
            _ => None,
        })
    }
}

/// The fields of a message.
fn fields(payload: &[u8], serialisation: Option<Serialisation>) -> Checked<Serial<'_>> {
    let serialisation = serialisation.ok_or("the messages are serialised in an unknown way")?;
    Serial::new(payload, serialisation)
}

/// The measurement in a message; `None` if the message is an image with pixels of another kind than
/// those that are read.
pub(crate) fn measurement(
    payload: &[u8],
    content: Content,
    serialisation: Option<Serialisation>,
) -> Checked<Option<Measurement>> {
    let fields = fields(payload, serialisation)?;
    match content {
        Content::Imu => imu(fields).map(|imu| Some(Measurement::Imu(imu))),
        Content::Image => Ok(image(fields)?.map(Measurement::Image)),
        _ => Ok(None),
    }
}

/// Standard gravity in m/s².
const GRAVITY: f64 = 9.80665;

/// `sensor_msgs/Imu`: the orientation, the rate of rotation in rad/s and the acceleration in m/s², each
/// followed by nine numbers of covariance.
fn imu(mut fields: Serial<'_>) -> Checked<ImuReading> {
    let t = fields.header()?;
    let mut numbers = [0.0; 37];
    for number in &mut numbers {
        *number = fields.f64()?;
    }
    let three = |at: usize, factor: f64| {
        [numbers[at], numbers[at + 1], numbers[at + 2]].map(|number| (number * factor) as f32)
    };
    Ok(ImuReading {
        t,
        accelerometer: three(25, 1.0 / GRAVITY),
        gyroscope: three(13, 1_f64.to_degrees()),
        temperature: f32::NAN,
        magnetometer: None,
    })
}

const NO_PIXELS: Reason = "the image has fewer pixels than it says";

/// `sensor_msgs/Image`: the size, the name of the encoding, the byte order, the bytes of a row, and the
/// rows.
fn image(mut fields: Serial<'_>) -> Checked<Option<Image>> {
    let t = fields.header()?;
    let (height, width) = (fields.u32()?, fields.u32()?);
    let encoding = fields.text()?;
    let is_big_endian = fields.u8()? != 0;
    let step = fields.u32()? as usize;
    let length = fields.length()?;
    let data = fields.take(length, 1)?;
    let (channels, bytes, is_blue_first) = match encoding {
        b"mono8" | b"8UC1" => (1, 1, false),
        b"mono16" | b"16UC1" => (1, 2, false),
        b"rgb8" => (3, 1, false),
        b"bgr8" => (3, 1, true),
        b"rgba8" => (4, 1, false),
        b"bgra8" => (4, 1, true),
        _ => return Ok(None),
    };
    let row = (width as usize).checked_mul(channels * bytes).ok_or(NO_PIXELS)?;
    let size = step.checked_mul(height as usize).ok_or(NO_PIXELS)?;
    if row > step || size > data.len() {
        return Err(NO_PIXELS);
    }
    let rows = data[..size].chunks_exact(step.max(1)).map(|line| &line[..row]);
    let mut pixels = if bytes == 1 {
        Pixels::U8(rows.flatten().copied().collect())
    } else {
        let value = |&pair: &[u8; 2]| {
            if is_big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
        };
        Pixels::U16(rows.flat_map(|row| row.as_chunks().0).map(value).collect())
    };
    if is_blue_first {
        pixels.swap_red_and_blue(channels);
    }
    Ok(Some(Image {
        t,
        frame_start: None,
        frame_end: None,
        exposure_start: None,
        exposure_end: None,
        x: 0,
        y: 0,
        width,
        height,
        channels: channels as u8,
        pixels,
    }))
}
