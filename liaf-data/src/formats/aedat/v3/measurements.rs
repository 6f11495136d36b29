//! Decoding of packets of images, IMU readings and special events to measurements. The page of the format
//! lists the bytes.

use super::packet::{FRAME, IMU6, IMU9, SPECIAL};
use crate::model::{Finding, Image, ImuReading, Measurement, Pixels, Report, Trigger, TriggerKind};

/// Size of a frame before its pixels, in bytes.
const PIXELS: usize = 36;

/// How events become measurements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MeasurementRule {
    pub kind: i16,
    /// Size of an event in bytes, and the offset of its time.
    pub size: usize,
    pub time_at: usize,
    /// The bits above the times.
    pub epoch: i64,
    pub keep_invalid: bool,
}

impl MeasurementRule {
    /// Appends the measurements of `payload`, which starts at `offset` in the file.
    pub fn append(
        self,
        payload: &[u8],
        offset: u64,
        measurements: &mut Vec<Measurement>,
        report: &mut Report,
    ) {
        for (event, at) in payload.chunks_exact(self.size).zip((offset..).step_by(self.size)) {
            let is_valid = event[0] & 1 == 1;
            if !is_valid && !self.keep_invalid {
                // Invalid special events are counted together with all special events.
                report.add(Finding::InvalidEvents, u64::from(self.kind != SPECIAL), at);
                continue;
            }
            let Some(t) = self.time(event, self.time_at) else {
                report.add(Finding::NegativeTimes, 1, at);
                continue;
            };
            let measurement = match self.kind {
                SPECIAL => trigger(event, t).map(Measurement::Trigger),
                IMU6 | IMU9 => Some(Measurement::Imu(imu(event, t))),
                FRAME => {
                    let image = self.image(event, t);
                    report.add(Finding::BadParts, image.is_none().into(), at);
                    image.map(Measurement::Image)
                }
                _ => None,
            };
            measurements.extend(measurement);
        }
    }

    /// The time at byte `at`; `None` if it is negative.
    fn time(self, event: &[u8], at: usize) -> Option<i64> {
        int(event, at).filter(|&time| time >= 0).map(|time| self.epoch | i64::from(time))
    }

    /// The image; `None` if its pixels are incomplete or have a number of channels that no image
    /// has.
    fn image(self, event: &[u8], t: i64) -> Option<Image> {
        let channels = event[0] >> 1 & 7;
        let side = |at| int(event, at).and_then(|side| u32::try_from(side).ok());
        let (width, height) = (side(20)?, side(24)?);
        let values = u64::from(width).checked_mul(u64::from(height))?;
        let values = values.checked_mul(channels.into())?;
        let room = event.get(PIXELS..)?.as_chunks::<2>().0;
        let pixels = room.get(..usize::try_from(values).ok()?)?;
        matches!(channels, 1 | 3 | 4).then(|| Image {
            t,
            frame_start: self.time(event, 4),
            frame_end: self.time(event, 8),
            exposure_start: self.time(event, 12),
            exposure_end: self.time(event, 16),
            x: int(event, 28).unwrap_or(0),
            y: int(event, 32).unwrap_or(0),
            width,
            height,
            channels,
            pixels: Pixels::U16(pixels.iter().map(|&value| u16::from_le_bytes(value)).collect()),
        })
    }
}

fn word(event: &[u8], at: usize) -> Option<[u8; 4]> {
    event.get(at..)?.first_chunk().copied()
}

fn int(event: &[u8], at: usize) -> Option<i32> {
    word(event, at).map(i32::from_le_bytes)
}

fn imu(event: &[u8], t: i64) -> ImuReading {
    let float = |i: usize| word(event, 8 + 4 * i).map(f32::from_le_bytes);
    let three = |i| Some([float(i)?, float(i + 1)?, float(i + 2)?]);
    ImuReading {
        t,
        accelerometer: three(0).unwrap_or_default(),
        gyroscope: three(3).unwrap_or_default(),
        temperature: float(6).unwrap_or_default(),
        magnetometer: three(7),
    }
}

/// The trigger of a special event; `None` for an event about the clock.
fn trigger(event: &[u8], t: i64) -> Option<Trigger> {
    let number = event[0] >> 1;
    let kind = match number {
        0 | 1 => return None,
        2 | 6 | 9 => TriggerKind::Rising,
        3 | 7 | 10 => TriggerKind::Falling,
        4 | 8 | 11 => TriggerKind::Pulse,
        12 => TriggerKind::GeneratorRising,
        13 => TriggerKind::GeneratorFalling,
        14 => TriggerKind::FrameStart,
        15 => TriggerKind::FrameEnd,
        16 => TriggerKind::ExposureStart,
        17 => TriggerKind::ExposureEnd,
        other => TriggerKind::Other(other),
    };
    let channel = match number {
        6..=8 => 1,
        9..=11 => 2,
        _ => 0,
    };
    Some(Trigger { t, kind, channel })
}
