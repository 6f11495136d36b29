//! Times of any unit as µs, to the nearest.

use crate::reader::TimeUnit;

/// Whole times whose first is above this are ns: in µs that would be after the year 5000.
const NANOSECONDS_FROM: f64 = 1e17;

/// The unit of times of which some have a fraction and the first is `first`. Never ms: nothing
/// tells it from µs.
pub(in crate::formats) fn guess(fractional: bool, first: f64) -> TimeUnit {
    match fractional {
        true => TimeUnit::Seconds,
        false if first > NANOSECONDS_FROM => TimeUnit::Nanoseconds,
        false => TimeUnit::Microseconds,
    }
}

/// `mantissa · 10^(unit − decimals)` µs, to the nearest; `None` if that is no `i64`.
#[inline(always)]
pub(in crate::formats) fn scaled(mantissa: u64, decimals: u32, unit: TimeUnit) -> Option<i64> {
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
