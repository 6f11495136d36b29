//! What the numbers of a column of polarities mean, judged by the set of its values.
//!
//! Public files write OFF and ON as 0 and 1, -1 and 1, 1 and 2, 0 and 255, and -1 in an unsigned type as
//! 255, 65535 or 4294967295. A single number does not tell which of these it belongs to: 1 is ON in most
//! of them and OFF in one. The set of the first [`DECIDING_ROWS`] values does. It is decided once, where
//! the file is opened, so that every reader, slice and thread decodes alike.

use crate::codec::PolarityValues;
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::model::Note;

/// Number of rows at the start of a column by which the meaning of its values is decided.
pub(crate) const DECIDING_ROWS: usize = 64 << 10;

/// The pairs of OFF and ON that are known. Of two that explain a column equally well, the first is taken.
const PAIRS: [(i64, i64); 9] = [
    (0, 1),
    (-1, 1),
    (255, 1),
    (65_535, 1),
    (4_294_967_295, 1),
    (1, 2),
    (0, 255),
    (0, 65_535),
    (0, 4_294_967_295),
];

/// Of so many rows one may hold a number outside the pair, which is taken for damage.
const ROWS_PER_OUTLIER: u64 = 20;

/// How the numbers of a column of polarities are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PolarityReading {
    on: i64,
    /// The numbers that mean OFF. There are several if the first rows had ON alone, so that they do not
    /// tell how OFF is written.
    off: [i64; 5],
    /// Whether the first rows had no other numbers, so that one that comes later contradicts the
    /// decision.
    is_clean: bool,
    source: Source,
    /// Number of the first rows that hold another number, and of all of them.
    outliers: (u64, u64),
}

/// Where the reading is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    FirstRows,
    /// The file has names for the numbers.
    Names,
    Caller,
}

/// What a number in a column of polarities means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    On,
    Off,
    /// The number means nothing: the row is not an event.
    Nothing,
    /// The number contradicts what was decided by the first rows: reading ends here.
    Contradiction,
}

impl PolarityReading {
    /// 1 is ON; 0 and -1, also if it was stored in an unsigned type, are OFF. This is what a column
    /// without a single value is read as.
    pub(crate) const USUAL: Self = Self {
        on: 1,
        off: [0, -1, 255, 65_535, 4_294_967_295],
        is_clean: false,
        source: Source::FirstRows,
        outliers: (0, 0),
    };

    /// The reading that the caller states. Other numbers are not polarities.
    pub fn stated(values: PolarityValues) -> Self {
        Self::of(values, Source::Caller)
    }

    /// The reading that the file states, by names of the values. Other numbers are not polarities.
    pub fn named(values: PolarityValues) -> Self {
        Self::of(values, Source::Names)
    }

    fn of(values: PolarityValues, source: Source) -> Self {
        let PolarityValues { off, on } = values;
        Self { on, off: [off; 5], is_clean: false, source, outliers: (0, 0) }
    }

    /// The polarity of a whole number: 1 is ON, 0 is OFF.
    #[inline(always)]
    pub fn polarity(&self, value: i64) -> Option<u8> {
        let (is_on, is_off) = (value == self.on, value == self.off[0]);
        // Nothing tells which of the two comes next, but that it is one of them.
        if is_on | is_off { Some(u8::from(is_on)) } else { self.off.contains(&value).then_some(0) }
    }

    /// The polarity of a number that may have a fraction.
    #[inline(always)]
    pub fn polarity_of_float(&self, value: f64) -> Option<u8> {
        // Larger numbers than this are in no pair, and smaller ones are exact.
        if value.fract() == 0.0 && value.abs() < 9e15 { self.polarity(value as i64) } else { None }
    }

    /// What a number means that may have a fraction. This is the slower way, for single numbers.
    pub fn meaning(&self, value: f64) -> Meaning {
        match self.polarity_of_float(value) {
            Some(1) => Meaning::On,
            Some(_) => Meaning::Off,
            None if self.is_clean => Meaning::Contradiction,
            None => Meaning::Nothing,
        }
    }

    /// The error for a number at `row` that contradicts the reading. `row` names it, as in `row 70000`.
    pub fn contradiction(&self, row: &str, value: f64) -> Error {
        Error::malformed(format!(
            "the polarity of {row} is {value}, which does not occur in the first {DECIDING_ROWS} rows: \
             what the column means is no longer certain"
        ))
        .expected(self.values())
        .found(value)
        .hint(Hint::StatePolarity)
    }

    /// The two numbers as text, for the details of a recording: `0 = OFF, 1 = ON`.
    pub fn describe(&self) -> String {
        let how = match self.source {
            Source::Caller => "as stated",
            Source::Names => "by their names",
            Source::FirstRows => "by the first rows",
        };
        match self.off.iter().all(|off| *off == self.off[0]) {
            true => format!("{} = OFF, {} = ON ({how})", self.off[0], self.on),
            false => format!("{} = ON ({how})", self.on),
        }
    }

    fn values(&self) -> String {
        match self.off.iter().all(|off| *off == self.off[0]) {
            true => format!("{} or {}", self.off[0], self.on),
            false => "0, 1 or -1".into(),
        }
    }

    /// What a user should know about the reading: that it is not the usual one, or that some of the
    /// first rows do not fit it.
    pub fn notes(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        let (off, on) = (self.off[0], self.on);
        let is_usual = self.on == 1 && self.off.iter().all(|off| Self::USUAL.off.contains(off));
        if self.source == Source::FirstRows && !is_usual {
            let note = Note::new(format!("polarity {off} is OFF and {on} is ON in this file"));
            notes.push(note.hint(Hint::StatePolarity));
        }
        let (outliers, rows) = self.outliers;
        if outliers > 0 {
            let note = Note::new(format!(
                "{outliers} of the first {rows} rows have a polarity other than {}",
                self.values()
            ));
            notes.push(note.hint(Hint::StatePolarity));
        }
        notes
    }
}

/// The values at the start of a column of polarities, and how often each occurs.
#[derive(Debug, Clone, Default)]
pub(crate) struct PolaritySet {
    counts: Vec<(f64, u64)>,
    rows: u64,
}

/// A column of polarities has fewer different values than this; a column with more is something else.
const MOST_VALUES: usize = 16;

impl PolaritySet {
    /// Adds the value of the next row; NaN for a row without a number.
    pub fn add(&mut self, value: f64) {
        self.add_many(value, 1);
    }

    /// Adds the value of so many rows.
    pub fn add_many(&mut self, value: f64, rows: u64) {
        self.rows += rows;
        if let Some((_, count)) = self.counts.iter_mut().find(|(known, _)| *known == value) {
            *count += rows;
        } else if self.counts.len() < MOST_VALUES && !value.is_nan() && rows > 0 {
            self.counts.push((value, rows));
        }
    }

    /// Whether enough rows were added to decide.
    pub fn is_full(&self) -> bool {
        self.rows >= DECIDING_ROWS as u64
    }

    fn explained(&self, (off, on): (i64, i64)) -> u64 {
        let fits = |value: f64| value == off as f64 || value == on as f64;
        self.counts.iter().filter(|(value, _)| fits(*value)).map(|(_, count)| count).sum()
    }

    /// Whether all the values are of one of the known pairs.
    pub fn is_pair(&self) -> bool {
        PAIRS.iter().any(|&pair| self.explained(pair) == self.rows)
    }

    /// Decides what the values mean.
    ///
    /// # Errors
    /// If the values are not one of the known pairs, except for a few, and there are enough of them to
    /// tell.
    pub fn decide(&self) -> Result<PolarityReading> {
        if self.rows == 0 {
            return Ok(PolarityReading::USUAL);
        }
        let best = PAIRS.into_iter().rev().max_by_key(|&pair| self.explained(pair));
        let pair = best.unwrap_or(PAIRS[0]);
        let outliers = self.rows - self.explained(pair);
        let has = |value: i64| self.counts.iter().any(|(known, _)| *known == value as f64);
        // With 0 it would be ON, and with 1 it would be OFF.
        let is_ambiguous = pair == (255, 1) && !has(1);
        let is_many = outliers.saturating_mul(ROWS_PER_OUTLIER) > self.rows;
        if self.rows < ROWS_PER_OUTLIER && is_many {
            // So few values tell nothing: the rows that do not fit are counted.
            let outliers = (outliers, self.rows);
            return Ok(PolarityReading { outliers, ..PolarityReading::USUAL });
        }
        if is_ambiguous || is_many {
            return Err(self.unclear());
        }
        let (off, on) = pair;
        let is_one_alone = on == 1 && !has(off);
        Ok(PolarityReading {
            on,
            off: if is_one_alone { PolarityReading::USUAL.off } else { [off; 5] },
            is_clean: outliers == 0,
            source: Source::FirstRows,
            outliers: (outliers, self.rows),
        })
    }

    fn unclear(&self) -> Error {
        let mut values: Vec<_> = self.counts.iter().map(|(value, _)| *value).collect();
        values.sort_by(f64::total_cmp);
        let mut texts: Vec<_> = values.iter().take(6).map(f64::to_string).collect();
        if values.len() > texts.len() || values.is_empty() {
            texts.push("others".into());
        }
        Error::malformed("what the values of the polarity column mean is not known")
            .expected("one pair for OFF and ON: 0 and 1, -1 and 1, 1 and 2, or 0 and 255")
            .found(texts.join(", "))
            .hint(Hint::StatePolarity)
    }
}

impl FromIterator<f64> for PolaritySet {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut set = Self::default();
        for value in values {
            if set.is_full() {
                break;
            }
            set.add(value);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(values: &[f64]) -> PolaritySet {
        // A column of many rows, in which each value occurs as often as it does in `values`.
        (0..50).flat_map(|_| values.iter().copied()).collect()
    }

    #[test]
    fn each_known_pair_is_read_as_it_is_meant() {
        for (off, on) in PAIRS {
            let reading = set(&[on as f64, off as f64, on as f64]).decide().unwrap();
            assert_eq!(
                (reading.polarity(off), reading.polarity(on)),
                (Some(0), Some(1)),
                "{off} {on}"
            );
            assert_eq!(reading.meaning(3.0), Meaning::Contradiction);
            assert_eq!(reading.meaning(0.5), Meaning::Contradiction);
            assert_eq!(reading.meaning(f64::NAN), Meaning::Contradiction);
            let is_plain = on == 1;
            assert_eq!(reading.notes().is_empty(), is_plain, "{off} {on}: {:?}", reading.notes());
        }
        let reading = set(&[1.0, 2.0]).decide().unwrap();
        assert_eq!(reading.polarity(0), None);
        assert!(reading.notes()[0].text.contains("polarity 1 is OFF and 2 is ON"));
        assert!(reading.describe().starts_with("1 = OFF, 2 = ON"));
    }

    #[test]
    fn one_value_alone_is_read_as_usual() {
        let ones = set(&[1.0]).decide().unwrap();
        for off in [0, -1, 255, 65_535] {
            assert_eq!(ones.polarity(off), Some(0));
        }
        assert_eq!(ones.polarity(1), Some(1));
        // 1 was read as ON, so that a 2 makes all of them wrong.
        assert_eq!(ones.meaning(2.0), Meaning::Contradiction);
        let zeros = set(&[0.0]).decide().unwrap();
        assert_eq!((zeros.polarity(0), zeros.polarity(1)), (Some(0), Some(1)));
        assert_eq!(zeros.meaning(255.0), Meaning::Contradiction);
        assert_eq!(set(&[-1.0]).decide().unwrap().polarity(-1), Some(0));
        assert_eq!(set(&[2.0]).decide().unwrap().polarity(2), Some(1));
        assert_eq!(set(&[]).decide().unwrap(), PolarityReading::USUAL);
    }

    #[test]
    fn what_is_no_pair_is_refused_with_its_values() {
        for values in [
            &[0.0, 1.0, 2.0][..],
            &[-1.0, 0.0, 1.0],
            &[255.0],
            &[0.0, 3.0],
            &[f64::NAN],
            &[0.5, 1.5],
            &[0.0, 1.0, 255.0],
        ] {
            let error = set(values).decide().unwrap_err();
            assert!(error.hints().contains(&Hint::StatePolarity), "{values:?}");
            assert!(!set(values).is_pair() || values == [255.0]);
        }
        let error = set(&[0.0, 3.0]).decide().unwrap_err();
        assert!(error.to_string().contains("0, 3"), "{error}");
    }

    #[test]
    fn few_rows_are_not_refused() {
        let reading = [7.0].into_iter().collect::<PolaritySet>().decide().unwrap();
        assert_eq!((reading.polarity(1), reading.meaning(7.0)), (Some(1), Meaning::Nothing));
        let reading = [1.0, 2.0].into_iter().collect::<PolaritySet>().decide().unwrap();
        assert_eq!((reading.polarity(1), reading.polarity(2)), (Some(0), Some(1)));
    }

    #[test]
    fn a_few_other_values_are_damage() {
        let mut values = [0.0, 1.0].repeat(100);
        values[7] = 2.0;
        values[9] = 77.0;
        let reading = values.into_iter().collect::<PolaritySet>().decide().unwrap();
        assert_eq!(reading.polarity(0), Some(0));
        assert_eq!(reading.meaning(2.0), Meaning::Nothing);
        assert!(reading.notes()[0].text.contains("2 of the first 200 rows"));
    }

    #[test]
    fn a_stated_pair_needs_no_set() {
        let reading = PolarityReading::stated(PolarityValues { off: 7, on: 3 });
        assert_eq!(
            (reading.polarity(7), reading.polarity(3), reading.polarity(1)),
            (Some(0), Some(1), None)
        );
        assert_eq!(reading.meaning(1.0), Meaning::Nothing);
        assert!(reading.notes().is_empty());
    }

    #[test]
    fn only_the_first_rows_decide() {
        let early = (0..DECIDING_ROWS + 9).map(|i| if i < DECIDING_ROWS { 1.0 } else { 2.0 });
        assert_eq!(early.collect::<PolaritySet>().decide().unwrap().polarity(1), Some(1));
        let late = (0..DECIDING_ROWS).map(|i| if i + 1 < DECIDING_ROWS { 1.0 } else { 0.0 });
        assert_eq!(late.collect::<PolaritySet>().decide().unwrap().polarity(255), None);
    }
}
