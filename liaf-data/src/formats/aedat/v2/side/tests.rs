use super::*;
use crate::codec::{Coords, Decoder, EventSink};
use crate::error::Result;
use crate::model::{EventBatch, Image, ImuReading, Measurement, Pixels};

const DAVIS: Kinds = Kinds { layout: Layout::Davis, eyes: false };
const APS: u32 = 1 << 31;
const RESET: u32 = 0;
const SIGNAL: u32 = 1;

/// Stores the measurements and their offsets.
#[derive(Default)]
struct Taken(Vec<(Measurement, u64)>);

impl EventSink for Taken {
    fn events(&mut self, _events: &mut EventBatch, _offset: u64) -> Result<()> {
        panic!("a side decoder must not give events");
    }

    fn measurement(&mut self, measurement: Measurement, offset: u64) -> Result<()> {
        self.0.push((measurement, offset));
        Ok(())
    }
}

fn pixel(x: u32, y: u32, read: u32, measurement: u32) -> u32 {
    APS | y << 22 | x << 12 | read << 10 | measurement
}

fn run(rule: impl crate::codec::side::SideRule<8>, words: &[(u32, u32)]) -> (Taken, Report) {
    let bytes: Vec<u8> = words
        .iter()
        .flat_map(|(address, time)| [address.to_be_bytes(), time.to_be_bytes()].concat())
        .collect();
    let mut decoder = SideDecoder::new(rule, 100, Report::default(), &ReadOptions::default());
    let mut taken = Taken::default();
    bytes.chunks(5).try_for_each(|part| decoder.push(part, &mut taken)).unwrap();
    decoder.finish(&mut taken).unwrap();
    assert_eq!(decoder.report().bytes.total(), bytes.len() as u64);
    (taken, decoder.report().clone())
}

fn images(words: &[(u32, u32)]) -> (Vec<Image>, Report) {
    let rule =
        FrameRule::new(DAVIS, Some(SensorSize::new(240, 180)), Coords::Canonical, ClockReset::Keep);
    let (Taken(measurements), report) = run(rule, words);
    let image = |(measurement, _)| match measurement {
        Measurement::Image(image) => image,
        other => panic!("{other:?}"),
    };
    (measurements.into_iter().map(image).collect(), report)
}

/// An image of two columns of two rows with a global shutter: all columns at reset, then all at the
/// signal.
fn global(t: u32) -> Vec<(u32, u32)> {
    let pixels = [(5, 7), (5, 8), (6, 7), (6, 8)];
    let read = |read, dark: u32| {
        pixels
            .iter()
            .zip(0..)
            .map(move |(&(x, y), i)| (pixel(x, y, read, 600 - dark * i), t + 10 * read + i))
    };
    read(RESET, 0).chain(read(SIGNAL, 100)).collect()
}

#[test]
fn a_global_shutter_exposes_all_pixels_at_once() {
    let (images, report) = images(&global(1000));
    let expected = Image {
        t: 1003,
        frame_start: Some(1000),
        frame_end: Some(1013),
        exposure_start: Some(1003),
        exposure_end: Some(1010),
        x: 5,
        // Rows 7 and 8 from the bottom of 180.
        y: 171,
        width: 2,
        height: 2,
        channels: 1,
        // Row 8 is above row 7.
        pixels: Pixels::U16([100, 300, 0, 200].map(|light| light << 6).to_vec()),
    };
    assert_eq!(images, [expected]);
    assert!(report.is_sound());
}

#[test]
fn a_rolling_shutter_reads_columns_again_while_others_are_reset() {
    let words = [
        (pixel(0, 0, RESET, 500), 0),
        (pixel(1, 0, RESET, 500), 10),
        (pixel(0, 0, SIGNAL, 400), 20),
        (pixel(2, 0, RESET, 500), 30),
        (pixel(1, 0, SIGNAL, 300), 40),
        (pixel(2, 0, SIGNAL, 510), 50),
    ];
    let (images, _) = images(&[words, words.map(|(word, t)| (word, t + 100))].concat());
    assert_eq!(images.len(), 2);
    for (image, t) in images.iter().zip([0, 100]) {
        assert_eq!((image.exposure_start, image.exposure_end), (Some(t), Some(t + 20)));
        assert_eq!((image.frame_start, image.frame_end), (Some(t), Some(t + 50)));
        // A pixel that is brighter at reset than at its signal has the value 0.
        assert_eq!(image.pixels, Pixels::U16(vec![100 << 6, 200 << 6, 0]));
    }
}

#[test]
fn an_image_that_lacks_a_pixel_is_not_given() {
    let (whole, mut lacking) = (global(0), global(100));
    lacking.remove(5);
    let (images, report) = images(&[&whole[..], &lacking, &whole, &lacking].concat());
    assert_eq!(images.len(), 2);
    assert_eq!(report.count(Finding::BadParts), 1);
    assert_eq!(report.count(Finding::TruncatedTails), 1);
}

#[test]
fn inertial_samples_are_of_seven_words_in_order() {
    let measurement = |t: u32, first: i16| -> Vec<(u32, u32)> {
        let value = |which: u32| u32::from((first + which as i16) as u16);
        (0..7).map(|which| (APS | 3 << 10 | which << 28 | value(which) << 12, t)).collect()
    };
    let one = measurement(5, -3);
    let words = [&one[..], &one[..4], &measurement(9, 0), &one[2..3], &one[..6]].concat();
    let ranges = "8,1000".parse().unwrap();
    let (Taken(measurements), report) =
        run(ImuRule::new(DAVIS, Some(ranges), ClockReset::Keep), &words);
    let first = ImuReading {
        t: 5,
        accelerometer: [-3.0 / 4096.0, -2.0 / 4096.0, -1.0 / 4096.0],
        gyroscope: [1.0 / 32.75, 2.0 / 32.75, 3.0 / 32.75],
        temperature: 35.0,
        magnetometer: None,
    };
    let [(Measurement::Imu(a), 100), (Measurement::Imu(b), 188)] = measurements[..] else {
        panic!("{measurements:?}")
    };
    let near = |a: [f32; 3], b: [f32; 3]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
    assert!(near(a.accelerometer, first.accelerometer) && near(a.gyroscope, first.gyroscope));
    assert_eq!((a.t, a.temperature, a.magnetometer, b.t), (5, 35.0, None, 9));
    // Four words without the rest, one at a wrong position; six words at the end.
    assert_eq!(report.count(Finding::BadParts), 2);
    assert_eq!(report.count(Finding::TruncatedTails), 1);
    assert_eq!(report.bytes.skipped, 8);
}

#[test]
fn times_of_triggers_are_unrolled() {
    let rise = 1 << 10 | 1 << 11;
    let words = [(rise, u32::MAX - 4), (0, 3), (1 << 10, 5)];
    let (Taken(measurements), report) = run(TriggerRule::new(DAVIS, ClockReset::Keep), &words);
    let told: Vec<_> = measurements
        .iter()
        .map(|(measurement, at)| match measurement {
            Measurement::Trigger(trigger) => (trigger.t, trigger.kind.to_string(), *at),
            other => panic!("{other:?}"),
        })
        .collect();
    let (late, wrapped) = (i64::from(u32::MAX) - 4, (1 << 32) + 5);
    assert_eq!(told, [(late, "rising".into(), 100), (wrapped, "falling".into(), 116)]);
    assert_eq!(report.count(Finding::OtherStreamEvents), 1);
}

#[test]
fn bit_15_of_a_pair_of_dvs128_is_the_right_eye_and_no_trigger() {
    let right = 1 << 15;
    for (eyes, count) in [(false, 2), (true, 1)] {
        let kinds = Kinds { layout: Layout::Dvs128, eyes };
        let (Taken(measurements), report) =
            run(TriggerRule::new(kinds, ClockReset::Keep), &[(right, 1), (1 << 31, 2), (5, 3)]);
        assert_eq!(measurements.len(), count);
        assert_eq!(report.count(Finding::OtherStreamEvents), 3 - count as u64);
    }
}
