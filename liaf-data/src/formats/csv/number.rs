//! Numbers as text.

use crate::codec::TimeUnit;
use crate::codec::columns::scaled;

/// A decimal number: `mantissa / 10^decimals`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Decimal {
    pub mantissa: u64,
    pub decimals: u32,
}

impl Decimal {
    /// Parses the number at the start of `bytes`, if it has one to 18 digits, with an optional point
    /// after the first of them. Returns what follows it.
    #[inline(always)]
    pub fn at_start(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (mantissa, rest) = run(0, bytes);
        let whole = bytes.len() - rest.len();
        if whole == 0 || whole > 18 {
            return None;
        }
        let [b'.', fraction @ ..] = rest else {
            return Some((Self { mantissa, decimals: 0 }, rest));
        };
        let (mantissa, rest) = run(mantissa, fraction);
        let decimals = fraction.len() - rest.len();
        (whole + decimals <= 18).then_some((Self { mantissa, decimals: decimals as u32 }, rest))
    }

    /// Parses digits with an optional point. Digits after the point are used as far as they fit.
    fn exact(text: &[u8]) -> Option<Self> {
        let mut number = Self::default();
        let (mut point, mut any) = (false, false);
        for &byte in text {
            match byte {
                b'0'..=b'9' => {
                    any = true;
                    let more = number.mantissa.checked_mul(10);
                    match more.and_then(|mantissa| mantissa.checked_add(u64::from(byte - b'0'))) {
                        Some(mantissa) if number.decimals < 30 => {
                            number.mantissa = mantissa;
                            number.decimals += u32::from(point);
                        }
                        _ if point => {}
                        _ => return None,
                    }
                }
                b'.' if !point => point = true,
                _ => return None,
            }
        }
        any.then_some(number)
    }

    pub fn as_f64(self) -> f64 {
        self.mantissa as f64 / 10f64.powi(self.decimals as i32)
    }

    /// The number as a time in µs, rounded to the nearest.
    #[inline(always)]
    pub fn micros(self, unit: TimeUnit) -> Option<i64> {
        scaled(self.mantissa, self.decimals, unit)
    }
}

/// Appends the digits at the start of `bytes` to a number. Returns what follows them.
#[inline(always)]
fn run(mut number: u64, mut bytes: &[u8]) -> (u64, &[u8]) {
    while let [byte, rest @ ..] = bytes
        && let digit = byte.wrapping_sub(b'0')
        && digit <= 9
    {
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
        bytes = rest;
    }
    (number, bytes)
}

/// Parses a number with an optional sign and exponent.
pub(crate) fn float(text: &[u8]) -> Option<f64> {
    let plain = text.iter().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    std::str::from_utf8(text).ok().filter(|_| plain)?.parse().ok()
}

/// Parses a time in µs. Without an exponent the result is exact, rounded to the nearest µs.
pub(crate) fn time(text: &[u8], unit: TimeUnit) -> Option<i64> {
    let (negative, number) = match text {
        [b'-', number @ ..] => (true, number),
        [b'+', number @ ..] => (false, number),
        number => (false, number),
    };
    let micros = match Decimal::exact(number) {
        Some(number) => number.micros(unit)?,
        None => {
            let micros = float(number)? * 10f64.powi(unit.exponent());
            (micros.abs() < i64::MAX as f64).then_some(micros.round() as i64)?
        }
    };
    Some(if negative { -micros } else { micros })
}

/// The words for ON and OFF, in small letters.
const ON: [&str; 4] = ["true", "on", "pos", "positive"];
const OFF: [&str; 4] = ["false", "off", "neg", "negative"];

/// The words for ON and OFF, for messages.
pub(crate) fn words() -> String {
    format!("{}, or {}", ON.join(", "), OFF.join(", "))
}

/// The polarity that is written as a word, in any case: 1 for ON, 0 for OFF.
pub(crate) fn word(text: &[u8]) -> Option<u8> {
    let is_any = |words: [&str; 4]| words.iter().any(|it| text.eq_ignore_ascii_case(it.as_bytes()));
    match text {
        [b'a'..=b'z' | b'A'..=b'Z', ..] if is_any(ON) => Some(1),
        [b'a'..=b'z' | b'A'..=b'Z', ..] if is_any(OFF) => Some(0),
        _ => None,
    }
}

/// Whether a time is written with a fraction. `12.0` counts as a whole number that was converted
/// from a float.
pub(crate) fn is_fractional(text: &[u8]) -> bool {
    match text.iter().position(|&byte| byte == b'.') {
        Some(point) => {
            let decimals = &text[point + 1..];
            match decimals.iter().position(|byte| matches!(byte, b'e' | b'E')) {
                Some(_) => float(text).is_some_and(|value| value.fract() != 0.0),
                None => decimals.len() > 1 || decimals.iter().any(|&digit| digit != b'0'),
            }
        }
        None => float(text).is_some_and(|value| value.fract() != 0.0),
    }
}
