//! Conversion of times in any unit to µs, rounded to the nearest.

use crate::codec::TimeUnit;

/// Whole numbers whose first is larger than this are taken as ns: as µs it would be after the year
/// 5000.
const NANOSECONDS_FROM: f64 = 1e17;

/// Guesses the unit of times from the first of them and from which of them have a fraction, and
/// returns what the guess is based on. At least half of the times must have a fraction to be taken
/// as seconds, so that one damaged time does not change the meaning of all others. The guess is
/// never ms, as nothing distinguishes them from µs.
pub(crate) fn guess(
    fractional: impl Iterator<Item = bool>,
    first: f64,
) -> (TimeUnit, &'static str) {
    let (mut all, mut fractions) = (0, 0);
    for has_fraction in fractional {
        all += 1;
        fractions += usize::from(has_fraction);
    }
    let whole = if fractions == 0 { "it is whole" } else { "most of it is whole" };
    match 2 * fractions >= all && fractions > 0 {
        true => (TimeUnit::Seconds, "it has fractions"),
        false if first > NANOSECONDS_FROM => (TimeUnit::Nanoseconds, whole),
        false => (TimeUnit::Microseconds, whole),
    }
}

/// Whether whole times, the first of a file, are probably ns although nothing says so: as µs they would
/// be a few events in many seconds, which no camera of events gives while it sees anything, and their
/// last three digits are in use.
pub(crate) fn suspect(times: &[f64]) -> bool {
    /// Fewer times than this tell nothing.
    const ENOUGH: usize = 32;
    /// Below this many events in a second, over at least this many seconds, times are suspect.
    const RATE: f64 = 50.0;
    const SECONDS: f64 = 5.0;
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for &time in times {
        (least, most) = (least.min(time), most.max(time));
    }
    let seconds = (most - least) / 1e6;
    let fine = times.iter().filter(|time| *time % 1000.0 != 0.0).count();
    times.len() >= ENOUGH
        && seconds >= SECONDS
        && (times.len() as f64) < RATE * seconds
        && 2 * fine >= times.len()
}

/// `mantissa · 10^(unit − decimals)` in µs, rounded to the nearest; `None` if the result does not
/// fit in `i64`.
#[inline(always)]
pub(crate) fn scaled(mantissa: u64, decimals: u32, unit: TimeUnit) -> Option<i64> {
    let shift = unit.exponent() - decimals as i32;
    if shift == 0 {
        return i64::try_from(mantissa).ok();
    }
    let power = 10u64.checked_pow(shift.unsigned_abs());
    let value = match (shift > 0, power) {
        (true, Some(power)) => mantissa.checked_mul(power)?,
        (true, None) if mantissa > 0 => return None,
        (false, Some(power)) => mantissa / power + u64::from(mantissa % power >= power - power / 2),
        (_, None) => 0,
    };
    i64::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_damaged_time_does_not_change_the_unit() {
        let unit = |fractions: &[bool], first| guess(fractions.iter().copied(), first).0;
        assert_eq!(unit(&[false, true, false, false], 7.0), TimeUnit::Microseconds);
        assert_eq!(unit(&[true, true, false, true], 0.5), TimeUnit::Seconds);
        assert_eq!(unit(&[false, true], 1.0), TimeUnit::Seconds);
        assert_eq!(unit(&[], 0.0), TimeUnit::Microseconds);
        assert_eq!(unit(&[false; 3], 2e17), TimeUnit::Nanoseconds);
    }

    #[test]
    fn few_events_in_a_long_time_are_suspect() {
        let every = |us: f64, n: usize| (0..n).map(|i| 17.0 + us * i as f64).collect::<Vec<_>>();
        assert!(suspect(&every(488_281.0, 100)));
        assert!(!suspect(&every(488_281.0, 20)), "too few to tell");
        assert!(!suspect(&every(1_234.0, 8192)), "an ordinary rate");
        assert!(!suspect(&every(1_234.0, 100)), "a short time");
        let ms: Vec<_> = (0..100).map(|i| 1000.0 * f64::from(i * 400)).collect();
        assert!(!suspect(&ms), "the last digits are not in use");
        assert!(!suspect(&[f64::NAN; 100]));
    }

    #[test]
    fn times_are_scaled_to_the_nearest_microsecond() {
        let cases = [
            (11_001, 9, TimeUnit::Seconds, Some(11)),
            (11_500, 9, TimeUnit::Seconds, Some(12)),
            (15, 1, TimeUnit::Seconds, Some(1_500_000)),
            (7, 0, TimeUnit::Milliseconds, Some(7000)),
            (1499, 0, TimeUnit::Nanoseconds, Some(1)),
            (u64::MAX, 0, TimeUnit::Seconds, None),
            (u64::MAX, 0, TimeUnit::Microseconds, None),
            (9, 30, TimeUnit::Seconds, Some(0)),
        ];
        for (mantissa, decimals, unit, micros) in cases {
            assert_eq!(scaled(mantissa, decimals, unit), micros, "{mantissa} {decimals} {unit:?}");
        }
    }
}
