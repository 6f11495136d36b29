//! Decoding of packets of images, IMU readings and triggers to measurements. The page of the format lists
//! the fields by their numbers.

use super::content::root;
use super::flatbuf::{OutOfBounds, Table};
use crate::model::{Image, ImuReading, Measurement, Pixels, StreamKind, Trigger, TriggerKind};

/// Appends the measurements of a packet of `kind`; none if it is a frame with pixels of an
/// unsupported type. With `flip_y`, the rows of frames are stored from the bottom of a sensor of
/// this height, which is 0 if it is not known.
pub(crate) fn measurements(
    content: &[u8],
    kind: StreamKind,
    flip_y: Option<u16>,
    out: &mut Vec<Measurement>,
) -> Result<(), OutOfBounds> {
    let root = root(content, kind)?;
    match kind {
        StreamKind::Imu => {
            for table in root.tables(0)? {
                out.push(Measurement::Imu(imu(table?)?));
            }
        }
        StreamKind::Triggers => {
            for table in root.tables(0)? {
                out.push(Measurement::Trigger(trigger(table?)?));
            }
        }
        StreamKind::Frames => {
            let mut image = image(root)?;
            if let (Some(image), Some(height)) = (&mut image, flip_y) {
                image.flip(height);
            }
            out.extend(image.map(Measurement::Image));
        }
        StreamKind::Events | StreamKind::Other => {}
    }
    Ok(())
}

fn imu(table: Table<'_>) -> Result<ImuReading, OutOfBounds> {
    let three = |first| Ok([table.f32(first)?, table.f32(first + 1)?, table.f32(first + 2)?]);
    Ok(ImuReading {
        t: table.i64(0, 0)?,
        temperature: table.f32(1)?,
        accelerometer: three(2)?,
        gyroscope: three(5)?,
        magnetometer: Some(three(8)?),
    })
}

fn trigger(table: Table<'_>) -> Result<Trigger, OutOfBounds> {
    let kind = match table.u8(1)? {
        0 => TriggerKind::TimestampReset,
        1 => TriggerKind::Rising,
        2 => TriggerKind::Falling,
        3 => TriggerKind::Pulse,
        4 => TriggerKind::GeneratorRising,
        5 => TriggerKind::GeneratorFalling,
        6 => TriggerKind::FrameStart,
        7 => TriggerKind::FrameEnd,
        8 => TriggerKind::ExposureStart,
        9 => TriggerKind::ExposureEnd,
        other => TriggerKind::Other(other),
    };
    Ok(Trigger { t: table.i64(0, 0)?, kind, channel: 0 })
}

/// The image; `None` if its pixels do not have 8 or 16 bits, or not 1, 3 or 4 channels.
fn image(table: Table<'_>) -> Result<Option<Image>, OutOfBounds> {
    let stated = |id| table.i64(id, 0).map(|time| Some(time).filter(|&time| time != 0));
    let out = |what| OutOfBounds { what, at: 0 };
    let kind = table.u8(5)?;
    let (depth, channels) = (kind & 7, (kind >> 3) + 1);
    let side = |id| {
        let side = table.i16(id)?;
        u32::try_from(side).map_err(|_| out("size of a frame"))
    };
    let (width, height) = (side(6)?, side(7)?);
    let bytes = match depth {
        0 => 1,
        2 => 2,
        _ => return Ok(None),
    };
    if !matches!(channels, 1 | 3 | 4) {
        return Ok(None);
    }
    let pixels = table.vector(10, 1)?;
    let values = width as usize * height as usize * usize::from(channels);
    if pixels.len() != values * bytes {
        return Err(out("pixels of a frame"));
    }
    let mut pixels = match bytes {
        1 => Pixels::U8(pixels.to_vec()),
        _ => Pixels::U16(pixels.as_chunks().0.iter().map(|&v| u16::from_le_bytes(v)).collect()),
    };
    pixels.swap_red_and_blue(channels.into());
    let t = table.i64(0, 0)?;
    let mut exposure = (stated(3)?, stated(4)?);
    // Newer files store the duration of the exposure, which starts at the time of the frame.
    if let (None, None, Some(us)) = (exposure.0, exposure.1, stated(11)?) {
        exposure = (Some(t), Some(t.saturating_add(us)));
    }
    Ok(Some(Image {
        t,
        frame_start: stated(1)?,
        frame_end: stated(2)?,
        exposure_start: exposure.0,
        exposure_end: exposure.1,
        x: table.i16(8)?.into(),
        y: table.i16(9)?.into(),
        width,
        height,
        channels,
        pixels,
    }))
}
