//! Conversion of words to readings of the inertial sensors, of seven words each.

use super::{Kinds, Word, Words};
use crate::codec::side::{Account, SideRule};
use crate::codec::{ClockReset, ImuRanges};
use crate::hint::Hint;
use crate::model::{Finding, ImuReading, Measurement, Note, Report};

/// Number of words of a reading.
const WORDS: usize = 7;
/// The temperature in °C at a raw value of 0, and how much 1 °C adds to the raw value.
const ZERO: f32 = 35.0;
const PER_DEGREE: f32 = 340.0;
/// How much 1 °/s adds to the raw value if the range is ±500 °/s.
const PER_DPS: f32 = 65.5;

/// Decodes the words of inertial readings.
#[derive(Debug)]
pub(crate) struct ImuRule {
    words: Words,
    /// How much a step of the raw value is, in g and in °/s.
    scales: (f32, f32),
    /// Whether the ranges are a guess, and whether that has been reported.
    is_guess: bool,
    is_told: bool,
    /// The first words of a reading, and where it started.
    values: [i16; WORDS],
    filled: usize,
    began: (i64, u64),
}

impl ImuRule {
    pub fn new(kinds: Kinds, stated: Option<ImuRanges>, resets: ClockReset) -> Self {
        let ranges = stated.unwrap_or_default();
        Self {
            words: Words::new(kinds, resets),
            scales: (ranges.acceleration / 32768.0, ranges.rotation / 500.0 / PER_DPS),
            is_guess: stated.is_none(),
            is_told: false,
            values: [0; WORDS],
            filled: 0,
            began: (0, 0),
        }
    }

    fn measurement(&self) -> ImuReading {
        let [ax, ay, az, temperature, gx, gy, gz] = self.values.map(f32::from);
        let (g, dps) = self.scales;
        ImuReading {
            t: self.began.0,
            accelerometer: [ax * g, ay * g, az * g],
            gyroscope: [gx * dps, gy * dps, gz * dps],
            temperature: temperature / PER_DEGREE + ZERO,
            magnetometer: None,
        }
    }

    /// Drops an incomplete reading, because what follows does not belong to it or nothing follows.
    fn drop_part(&mut self, why: Finding, report: &mut Report) {
        report.add(why, u64::from(self.filled > 0), self.began.1);
        self.filled = 0;
    }
}

impl SideRule<8> for ImuRule {
    fn take(
        &mut self,
        record: [u8; 8],
        offset: u64,
        measurements: &mut Vec<(Measurement, u64)>,
        report: &mut Report,
    ) -> Account {
        let (word, address, t) = self.words.take(record, offset, report);
        if !matches!(word, Word::Imu | Word::ImuRest) {
            return self.words.pass(word, offset);
        }
        let which = (address >> 28 & 7) as usize;
        if which != self.filled {
            self.drop_part(Finding::BadParts, report);
        }
        if which != self.filled {
            report.add(Finding::BadParts, 1, offset);
            return Account::Skipped;
        }
        if which == 0 {
            self.began = (t, offset);
        }
        self.values[which] = (address >> 12) as u16 as i16;
        self.filled += 1;
        if self.filled == WORDS {
            self.filled = 0;
            measurements.push((Measurement::Imu(self.measurement()), self.began.1));
            if self.is_guess && !std::mem::replace(&mut self.is_told, true) {
                let note = Note::new(format!(
                    "the file does not state the ranges of the inertial sensors: assumed {}",
                    ImuRanges::default()
                ));
                report.note(note.hint(Hint::StateImuRanges));
            }
        }
        Account::Chosen
    }

    fn enter(&mut self, report: &mut Report) {
        self.words.enter(report);
    }

    fn reset(&mut self) {
        self.words.reset();
        (self.filled, self.is_told) = (0, false);
    }

    fn finish(&mut self, _samples: &mut Vec<(Measurement, u64)>, report: &mut Report) {
        self.drop_part(Finding::TruncatedTails, report);
    }
}
