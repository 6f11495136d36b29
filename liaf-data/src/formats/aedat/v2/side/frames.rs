//! Conversion of words to images. Each pixel is read twice: at reset and at the end of the
//! exposure.

use super::{Kinds, Word, Words};
use crate::codec::side::{Account, SideRule};
use crate::codec::{ClockReset, Coords};
use crate::model::{Finding, Image, Measurement, Pixels, Report, SensorSize};

/// Number of columns and rows that a word can address.
const COLUMNS: usize = 1 << 10;
const ROWS: usize = 1 << 9;
/// The values have 10 bits; they are stored in the upper bits of 16.
const SHIFT: u32 = 6;
/// Marks a pixel that was not read.
const NONE: u16 = u16::MAX;

/// Decodes the words of images.
#[derive(Debug)]
pub(crate) struct FrameRule {
    words: Words,
    /// If set, rows are counted from the top of a sensor of this height.
    flip_y: Option<u16>,
    /// The values of each pixel at reset and at the end of the exposure, by row.
    reads: [Vec<u16>; 2],
    frame: Frame,
}

/// What is known about the image that is being read.
#[derive(Debug, Clone, Copy)]
struct Frame {
    /// Number of pixels that were read at reset and at the end of the exposure.
    count: [usize; 2],
    /// The first and the last time of both, in µs.
    span: [(i64, i64); 2],
    /// First and last column and row.
    x: (usize, usize),
    y: (usize, usize),
    offset: u64,
}

impl Frame {
    const NOTHING: Self =
        Self { count: [0; 2], span: [(0, 0); 2], x: (COLUMNS, 0), y: (ROWS, 0), offset: 0 };
}

impl FrameRule {
    pub fn new(
        kinds: Kinds,
        sensor: Option<SensorSize>,
        coords: Coords,
        resets: ClockReset,
    ) -> Self {
        let flip_y = sensor.filter(|_| coords == Coords::Canonical).map(|sensor| sensor.height);
        let reads = [vec![NONE; COLUMNS * ROWS], vec![NONE; COLUMNS * ROWS]];
        Self { words: Words::new(kinds, resets), flip_y, reads, frame: Frame::NOTHING }
    }

    /// Ends the image that is being read, and starts the next one. If pixels are missing, the image
    /// is counted as `missing`.
    fn end(
        &mut self,
        missing: Finding,
        measurements: &mut Vec<(Measurement, u64)>,
        report: &mut Report,
    ) {
        let frame = std::mem::replace(&mut self.frame, Frame::NOTHING);
        if frame.count == [0; 2] {
            return;
        }
        let (columns, rows) = (frame.x.0..=frame.x.1, frame.y.0..=frame.y.1);
        let (width, height) = (frame.x.1 - frame.x.0 + 1, frame.y.1 - frame.y.0 + 1);
        if frame.count == [width * height; 2] {
            let image = self.image(&frame, width, height);
            measurements.push((Measurement::Image(image), frame.offset));
        } else {
            report.add(missing, 1, frame.offset);
            report.note("images with missing pixels are skipped");
        }
        for y in rows {
            for reads in &mut self.reads {
                reads[y * COLUMNS..][columns.clone()].fill(NONE);
            }
        }
    }

    fn image(&self, frame: &Frame, width: usize, height: usize) -> Image {
        let mut pixels = Vec::with_capacity(width * height);
        let mut add = |y: usize| {
            let [reset, signal] = self.reads.each_ref().map(|reads| {
                let row = y * COLUMNS;
                &reads[row + frame.x.0..=row + frame.x.1]
            });
            let light = |(&reset, &signal): (&u16, &u16)| reset.saturating_sub(signal) << SHIFT;
            pixels.extend(reset.iter().zip(signal).map(light));
        };
        let (first, last) = frame.y;
        let mut y = first as i32;
        match self.flip_y {
            Some(height) => {
                (first..=last).rev().for_each(&mut add);
                y = i32::from(height) - 1 - last as i32;
            }
            None => (first..=last).for_each(&mut add),
        }
        let [reset, signal] = frame.span;
        // With a global shutter, all pixels are reset before the first one is read again. With a
        // rolling shutter this is the exposure of the first pixel.
        let exposure_start = if reset.1 <= signal.0 { reset.1 } else { reset.0 };
        Image {
            t: exposure_start,
            frame_start: Some(reset.0),
            frame_end: Some(signal.1),
            exposure_start: Some(exposure_start),
            exposure_end: Some(signal.0),
            x: frame.x.0 as i32,
            y,
            width: width as u32,
            height: height as u32,
            channels: 1,
            pixels: Pixels::U16(pixels),
        }
    }
}

impl SideRule<8> for FrameRule {
    fn take(
        &mut self,
        record: [u8; 8],
        offset: u64,
        measurements: &mut Vec<(Measurement, u64)>,
        report: &mut Report,
    ) -> Account {
        let (word, address, t) = self.words.take(record, offset, report);
        if word != Word::Image {
            return self.words.pass(word, offset);
        }
        let kind = (address >> 10 & 3) as usize;
        if kind > 1 {
            report.add(Finding::BadParts, 1, offset);
            return Account::Skipped;
        }
        let (x, y) =
            ((address >> 12) as usize & (COLUMNS - 1), (address >> 22) as usize & (ROWS - 1));
        let at = y * COLUMNS + x;
        // A pixel is read once per image, so that this value belongs to the next image.
        if self.reads[kind][at] != NONE {
            self.end(Finding::BadParts, measurements, report);
        }
        self.reads[kind][at] = (address & 0x3ff) as u16;
        let frame = &mut self.frame;
        if frame.count == [0; 2] {
            frame.offset = offset;
        }
        if frame.count[kind] == 0 {
            frame.span[kind].0 = t;
        }
        frame.span[kind].1 = t;
        frame.count[kind] += 1;
        frame.x = (frame.x.0.min(x), frame.x.1.max(x));
        frame.y = (frame.y.0.min(y), frame.y.1.max(y));
        Account::Chosen
    }

    fn enter(&mut self, report: &mut Report) {
        self.words.enter(report);
    }

    fn reset(&mut self) {
        self.words.reset();
        self.reads.iter_mut().for_each(|reads| reads.fill(NONE));
        self.frame = Frame::NOTHING;
    }

    fn finish(&mut self, measurements: &mut Vec<(Measurement, u64)>, report: &mut Report) {
        self.end(Finding::TruncatedTails, measurements, report);
    }
}
