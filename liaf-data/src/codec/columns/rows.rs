//! The conversion of rows of numbers to events.

use super::Kind;
use super::number::{NOT_A_VALUE, Number, Value, View};
use super::pixel::{Pixel, Pixels};
use super::polarity::{Meaning, PolarityReading};
use super::time;
use crate::codec::{ColumnOptions, Field, TimeUnit};
use crate::error::Error;
use crate::hint::Hint;
use crate::model::{EventBatch, Finding, Report};

/// How the values of four columns become events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows {
    pub unit: TimeUnit,
    /// Added to every time, in µs.
    pub offset: i64,
    pub polarity: PolarityReading,
    pub pixels: Pixels,
}

/// The rows that could not become events.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Unusable {
    /// Number of rows of which a number is not valid.
    pub count: usize,
    /// Index of the first of them.
    pub first: usize,
    /// What is wrong with the first of them.
    pub fault: Option<Fault>,
    /// Number of rows whose rounded pixel is on no sensor, and the index of the first.
    pub outside: (usize, usize),
    /// A row whose polarity contradicts the reading: its index, and the number. Neither it nor a row
    /// after it became an event, and neither is counted above.
    pub contradiction: Option<(usize, f64)>,
}

/// A field of a row that is not valid, and its number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fault {
    pub field: Field,
    pub value: f64,
}

impl Fault {
    /// The error for this fault. `row` names the row, as in `row 7`.
    pub fn error(&self, row: &str) -> Error {
        let Self { field, value } = self;
        let error = Error::malformed(format!("{field} of {row} is not valid")).found(value);
        match field {
            Field::T => error.expected("a time"),
            Field::P => error.expected("a polarity as in the other rows"),
            Field::X | Field::Y if value.fract() != 0.0 && value.is_finite() => {
                error.expected("a whole number from 0 to 65535").hint(Hint::RoundPixels)
            }
            Field::X | Field::Y => error.expected("a whole number from 0 to 65535"),
        }
    }
}

impl Unusable {
    /// Counts the rows in a report. The index 0 is row number `first`.
    pub fn count_in(&self, report: &mut Report, first: u64) {
        let mut losses = self.losses(first);
        losses.sort_by_key(|&(row, ..)| row);
        for (row, finding, count, error) in losses {
            report.add_event(finding, count as u64, row);
            report.lose(&error);
        }
    }

    /// The kinds of loss: the first row, what it counts as, how many there are, and the error.
    fn losses(&self, first: u64) -> Vec<(u64, Finding, usize, Error)> {
        let mut losses = Vec::new();
        if let Some(fault) = self.fault {
            let row = first + self.first as u64;
            let error = fault.error(&format!("row {row}"));
            losses.push((row, Finding::BadValues, self.count, error));
        }
        if let (count @ 1.., index) = self.outside {
            let row = first + index as u64;
            let what = format!("row {row} is rounded to a place that is on no sensor");
            losses.push((row, Finding::OutOfSensor, count, Error::malformed(what)));
        }
        losses
    }

    /// The row at which reading ends, and its error: the first row that is not an event if reading is
    /// strict, or the first whose polarity contradicts the reading. The index 0 is row number `first`.
    pub fn stop(&self, strict: bool, reading: PolarityReading, first: u64) -> Option<(u64, Error)> {
        let mut stops = Vec::new();
        if strict {
            let losses = self.losses(first).into_iter();
            stops.extend(losses.map(|(row, .., error)| (row, error)));
        }
        if let Some((index, value)) = self.contradiction {
            let row = first + index as u64;
            stops.push((row, reading.contradiction(&format!("row {row}"), value)));
        }
        stops.into_iter().min_by_key(|&(row, _)| row)
    }
}

/// The number as a column or row, if it is a whole one.
#[inline(always)]
fn whole(value: Value) -> Option<u16> {
    match value {
        Value::Int(value) => u16::try_from(value).ok(),
        Value::Float(value) => {
            let is_pixel = value.fract() == 0.0 && (0.0..=65535.0).contains(&value);
            is_pixel.then_some(value as u16)
        }
    }
}

impl Rows {
    /// Rows of which only times and polarities are still to be found out.
    pub fn new(options: &ColumnOptions) -> Self {
        Self {
            unit: options.time_unit.unwrap_or(TimeUnit::Microseconds),
            offset: 0,
            polarity: options.polarity.map_or(PolarityReading::USUAL, PolarityReading::stated),
            pixels: Pixels::of(options),
        }
    }

    /// The first time of a column in µs; `None` if it is not a valid time.
    pub fn first_time(self, t: View<'_>) -> Option<i64> {
        let mut first = None;
        t.each(1, |value| first = micros(value, self.unit));
        first?.checked_add(self.offset)
    }

    /// Appends the events of `n` rows of t, x, y and p to `batch`, and returns which rows are not
    /// events.
    pub fn append(self, views: [View<'_>; 4], n: usize, batch: &mut EventBatch) -> Unusable {
        let [t, x, y, p] = views;
        let start = batch.len();
        // A row that cannot become an event is only noticed here. Such rows are rare, so they are looked
        // for afterwards, which keeps these loops simple.
        let mut any = false;
        let (unit, offset) = (self.unit, self.offset);
        t.append(n, &mut batch.t, |value| {
            let time = micros(value, unit).and_then(|time| time.checked_add(offset));
            any |= time.is_none();
            time.unwrap_or(NOT_A_VALUE)
        });
        for (view, column) in [(x, &mut batch.x), (y, &mut batch.y)] {
            if self.pixels.rounds() {
                view.append(n, column, |value| {
                    let pixel = self.rounded(value);
                    any |= pixel.is_none();
                    pixel.unwrap_or(0)
                });
            } else {
                view.append(n, column, |value| {
                    let pixel = whole(value);
                    any |= pixel.is_none();
                    pixel.unwrap_or(0)
                });
            }
        }
        as_signed(p).append(n, &mut batch.p, |value| {
            let on = self.on(value);
            any |= on.is_none();
            on.unwrap_or(0)
        });
        // Truncate all columns to the same length, whatever the input was.
        let rows = batch.t.len().min(batch.x.len()).min(batch.y.len()).min(batch.p.len());
        batch.truncate(rows);
        if !any {
            return Unusable::default();
        }
        let times = batch.t[start..].iter().enumerate();
        let mut bad: Vec<usize> =
            times.filter(|&(_, &time)| time == NOT_A_VALUE).map(|(i, _)| i).collect();
        for view in [x, y] {
            let mut row = 0;
            view.each(n, |value| {
                let pixel = if self.pixels.rounds() { self.rounded(value) } else { whole(value) };
                bad.extend(pixel.is_none().then_some(row));
                row += 1;
            });
        }
        let mut row = 0;
        as_signed(p).each(n, |value| {
            bad.extend(self.on(value).is_none().then_some(row));
            row += 1;
        });
        bad.retain(|&row| start + row < rows);
        bad.sort_unstable();
        bad.dedup();
        self.remove(&bad, views, start, batch)
    }

    /// The pixel nearest to a number, if it is on any sensor.
    #[inline(always)]
    fn rounded(self, value: Value) -> Option<u16> {
        match self.pixels.pixel(value.float()) {
            Pixel::At(pixel) => Some(pixel),
            Pixel::Outside | Pixel::Invalid => None,
        }
    }

    /// The polarity that a number means.
    #[inline(always)]
    fn on(self, value: Value) -> Option<u8> {
        match value {
            Value::Int(value) => self.polarity.polarity(value),
            Value::Float(value) => self.polarity.polarity_of_float(value),
        }
    }

    /// Removes these rows, which are not events, and says what is wrong with them.
    fn remove(
        self,
        bad: &[usize],
        views: [View<'_>; 4],
        start: usize,
        batch: &mut EventBatch,
    ) -> Unusable {
        let mut unusable = Unusable::default();
        for &row in bad {
            match self.judge(views, row) {
                Verdict::Outside if unusable.outside.0 > 0 => unusable.outside.0 += 1,
                Verdict::Outside => unusable.outside = (1, row),
                Verdict::Bad(_) if unusable.count > 0 => unusable.count += 1,
                Verdict::Bad(fault) => {
                    (unusable.count, unusable.first) = (1, row);
                    unusable.fault = Some(fault);
                }
                Verdict::Contradiction(value) => {
                    unusable.contradiction = Some((row, value));
                    batch.truncate(start + row);
                    break;
                }
            }
        }
        let (mut row, mut next) = (0, 0);
        batch.retain(|_| {
            let i = row;
            row += 1;
            let is_bad = i >= start && bad.get(next) == Some(&(i - start));
            next += usize::from(is_bad);
            !is_bad
        });
        unusable
    }

    /// Why a row is not an event.
    fn judge(self, views: [View<'_>; 4], row: usize) -> Verdict {
        let value = |field: Field| {
            let view = views[field.index()];
            let view = if field == Field::P { as_signed(view) } else { view };
            let bytes = view.bytes.get(row.saturating_mul(view.stride)..).unwrap_or_default();
            View { bytes, ..view }.floats(1).first().copied().unwrap_or(f64::NAN)
        };
        let fault = |field| Verdict::Bad(Fault { field, value: value(field) });
        let p = value(Field::P);
        let meaning = self.polarity.meaning(p);
        if meaning == Meaning::Contradiction {
            return Verdict::Contradiction(p);
        }
        let mut is_outside = false;
        for field in [Field::X, Field::Y] {
            match self.pixels.pixel(value(field)) {
                Pixel::At(_) => {}
                Pixel::Outside => is_outside = true,
                Pixel::Invalid => return fault(field),
            }
        }
        match (meaning, is_outside) {
            (Meaning::Nothing, _) => fault(Field::P),
            (_, true) => Verdict::Outside,
            (_, false) => fault(Field::T),
        }
    }
}

enum Verdict {
    Bad(Fault),
    Outside,
    Contradiction(f64),
}

/// A column of polarities. The largest `u64` is -1 that was stored in an unsigned type; as a signed
/// number it is -1 again.
fn as_signed(p: View<'_>) -> View<'_> {
    match p.number.kind {
        Kind::U64 => View { number: Number { kind: Kind::I64, ..p.number }, ..p },
        _ => p,
    }
}

#[inline(always)]
fn micros(value: Value, unit: TimeUnit) -> Option<i64> {
    match value {
        Value::Int(NOT_A_VALUE) => None,
        Value::Int(value) if unit == TimeUnit::Microseconds => Some(value),
        Value::Int(value) => {
            let micros = time::scaled(value.unsigned_abs(), 0, unit)?;
            Some(if value < 0 { -micros } else { micros })
        }
        Value::Float(value) => {
            let micros = (value * 10f64.powi(unit.exponent())).round();
            (micros.abs() < 9.2e18).then_some(micros as i64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::columns::polarity::PolaritySet;

    fn view(bytes: &[u8], kind: Kind) -> View<'_> {
        let number = Number::little(kind);
        View { bytes, stride: number.bytes(), number }
    }

    #[test]
    fn rows_that_are_no_events_are_left_out() {
        let t: Vec<u8> =
            [0.5f64, f64::NAN, 1.0, 2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        let x: Vec<u8> = [1i32, 2, -3, 4].iter().flat_map(|v| v.to_le_bytes()).collect();
        let y = [5, 6, 7, 8];
        let p: Vec<u8> = [u32::MAX, 1, 1, 1].iter().flat_map(|v| v.to_le_bytes()).collect();
        let options = ColumnOptions { time_unit: Some(TimeUnit::Seconds), ..Default::default() };
        let rows = Rows { offset: 3, ..Rows::new(&options) };
        let mut batch = EventBatch::new();
        let views =
            [view(&t, Kind::F64), view(&x, Kind::I32), view(&y, Kind::U8), view(&p, Kind::U32)];
        for round in 1..3 {
            let unusable = rows.append(views, 4, &mut batch);
            assert_eq!((unusable.count, unusable.first), (2, 1));
            assert_eq!(unusable.fault.map(|fault| fault.field), Some(Field::T));
            assert_eq!(batch.len(), 2 * round);
        }
        assert_eq!(batch.t, [500_003, 2_000_003, 500_003, 2_000_003]);
        assert_eq!((&batch.x[..2], &batch.p[..2]), (&[1, 4][..], &[0, 1][..]));
    }

    #[test]
    fn a_polarity_that_contradicts_the_reading_ends_the_rows() {
        let pixels = [0u8, 1, 2, 3, 4];
        let p = [0u8, 1, 0, 2, 1];
        let polarity = [0.0, 1.0].into_iter().collect::<PolaritySet>().decide().unwrap();
        let rows = Rows { polarity, ..Rows::new(&ColumnOptions::default()) };
        let column = |bytes| view(bytes, Kind::U8);
        let views = [column(&pixels), column(&pixels), column(&pixels), column(&p)];
        let mut batch = EventBatch::new();
        let unusable = rows.append(views, 5, &mut batch);
        assert_eq!(unusable.contradiction, Some((3, 2.0)));
        assert_eq!(unusable.count, 0);
        let (row, error) = unusable.stop(false, polarity, 100).unwrap();
        assert_eq!(row, 103);
        assert!(error.to_string().contains("the polarity of row 103 is 2"), "{error}");
        assert_eq!((&batch.x[..], &batch.p[..]), (&[0, 1, 2][..], &[0, 1, 0][..]));
    }

    #[test]
    fn rounded_pixels_beside_every_sensor_are_counted_apart() {
        let x: Vec<u8> =
            [-0.7f32, 0.4, 3.5, f32::NAN].iter().flat_map(|v| v.to_le_bytes()).collect();
        let rest = [1u8, 1, 1, 1];
        let options = ColumnOptions { round: true, ..Default::default() };
        let column = |bytes| view(bytes, Kind::U8);
        let views = [column(&rest), view(&x, Kind::F32), column(&rest), column(&rest)];
        let mut batch = EventBatch::new();
        let unusable = Rows::new(&options).append(views, 4, &mut batch);
        assert_eq!(batch.x, [0, 4]);
        assert_eq!((unusable.outside, unusable.count, unusable.first), ((1, 0), 1, 3));
        let strict = Rows::new(&ColumnOptions::default()).append(views, 4, &mut batch);
        assert_eq!((strict.count, strict.outside), (4, (0, 0)));
        let mut report = Report::default();
        unusable.count_in(&mut report, 10);
        assert_eq!(report.count(Finding::OutOfSensor), 1);
        assert_eq!(report.findings[&Finding::BadValues].first_event, Some(13));
        assert!(report.first_loss.unwrap().text.starts_with("row 10 "));
        let error = strict.fault.unwrap().error("row 0");
        assert_eq!(error.hints(), [Hint::RoundPixels]);
        assert!(error.to_string().contains("x of row 0"), "{error}");
    }

    #[test]
    fn minus_one_survives_every_unsigned_type() {
        let ones = [1u8];
        let column = |bytes| view(bytes, Kind::U8);
        let all = u64::MAX.to_le_bytes();
        for kind in [Kind::U8, Kind::U16, Kind::U32, Kind::U64, Kind::I64] {
            let views = [column(&ones), column(&ones), column(&ones), view(&all, kind)];
            let mut batch = EventBatch::new();
            let unusable = Rows::new(&ColumnOptions::default()).append(views, 1, &mut batch);
            assert_eq!((unusable.count, &batch.p[..]), (0, &[0][..]), "{kind:?}");
        }
    }
}
