//! Parsing of decimal numbers backwards from their end, eight digits at a time.

/// Number of digits that are parsed together. This many bytes must precede the end of a number.
pub(crate) const DIGITS: usize = 8;

/// The powers of ten.
pub(crate) const POWERS: [u64; 17] = {
    let mut powers = [1; 17];
    let mut i = 1;
    while i < powers.len() {
        powers[i] = 10 * powers[i - 1];
        i += 1;
    }
    powers
};

/// Parses a number of one to eight digits that ends at `end`.
#[inline(always)]
pub(crate) fn short(bytes: &[u8], (end, digits): (usize, usize)) -> Option<u64> {
    let word = u64::from_le_bytes(*bytes.get(end.wrapping_sub(DIGITS)..end)?.first_chunk()?);
    (digits.wrapping_sub(1) < DIGITS).then(|| value(word, digits))
}

/// Parses a number of one to sixteen digits that ends at `end`.
#[inline(always)]
pub(crate) fn long(bytes: &[u8], (end, digits): (usize, usize)) -> Option<u64> {
    if digits <= DIGITS {
        return short(bytes, (end, digits));
    }
    let low = short(bytes, (end, DIGITS))?;
    let high = short(bytes, (end - DIGITS, digits - DIGITS))?;
    Some(high * 100_000_000 + low)
}

/// Parses two numbers of one to four digits each, which end at these offsets.
#[inline(always)]
pub(crate) fn pair(bytes: &[u8], a: (usize, usize), b: (usize, usize)) -> Option<(u16, u16)> {
    let is_short = (a.1.wrapping_sub(1) | b.1.wrapping_sub(1)) < 4;
    let word = |(end, digits): (usize, usize)| {
        let word = u32::from_le_bytes(*bytes.get(end.wrapping_sub(4)..end)?.first_chunk()?);
        let unused = 4_usize.wrapping_sub(digits).wrapping_mul(8) as u32 & 31;
        Some(u64::from(word >> unused << unused))
    };
    let both = (word(a)? | word(b)? << 32) & 0x0f0f_0f0f_0f0f_0f0f;
    let twos = (both * 10 + (both >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = twos * 100 + (twos >> 16);
    is_short.then_some((fours as u16, (fours >> 32) as u16))
}

/// The number that the last `digits` bytes of a word represent; the first digit is the lowest of
/// these bytes.
#[inline(always)]
fn value(word: u64, digits: usize) -> u64 {
    let unused = (8 * (DIGITS - digits) as u32) & 63;
    let ones = (word & 0x0f0f_0f0f_0f0f_0f0f) >> unused << unused;
    // Combine the digits to pairs, then to groups of four, then to all eight.
    let pairs = ones.wrapping_mul(10).wrapping_add(ones >> 8);
    let even = (pairs & 0xff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let odd = (pairs >> 16 & 0xff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    even.wrapping_add(odd) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_their_end() {
        let text = b"98765432109876543210,";
        for digits in 0..20 {
            let number = std::str::from_utf8(&text[20 - digits..20]).unwrap().parse().ok();
            let is_short = (1..=8).contains(&digits);
            assert_eq!(short(text, (20, digits)), number.filter(|_| is_short), "{digits}");
            let is_long = (1..=16).contains(&digits);
            assert_eq!(long(text, (20, digits)), number.filter(|_| is_long), "{digits}");
        }
        for (a, b) in (0..7).flat_map(|a| (0..7).map(move |b| (a, b))) {
            let number = |digits: usize| {
                text[12 - digits..12].iter().fold(0, |n, d| 10 * n + u32::from(d - b'0'))
            };
            let is_short = (1..=4).contains(&a) && (1..=4).contains(&b);
            let expected = is_short.then(|| (number(a) as u16, number(b) as u16));
            assert_eq!(pair(text, (12, a), (12, b)), expected, "{a} {b}");
        }
        assert_eq!(short(text, (7, 1)), None, "nothing is read before the beginning");
        assert_eq!(long(text, (15, 9)), None, "nothing is read before the beginning");
    }
}
