//! Guesses about columns that nothing names: which is which, and the unit of times.

use super::polarity::PolaritySet;
use super::time::guess;
use super::wraps::rises;
use crate::codec::TimeUnit;

/// Guesses the unit of these times, the first ones of a file, and returns what the guess is based
/// on.
pub(crate) fn guess_unit(times: &[f64]) -> (TimeUnit, &'static str) {
    let told = times.iter().filter(|time| time.is_finite() && **time != 0.0);
    guess(told.map(|time| time.fract() != 0.0), times.first().copied().unwrap_or(0.0))
}

/// Guesses which of four columns are t, x, y and p from the first numbers of each: p is a pair such
/// as 0 and 1 or 1 and 2, and t increases up to the largest values.
pub(crate) fn guess_order(columns: &[Vec<f64>]) -> Option<[usize; 4]> {
    const ORDERS: [[usize; 4]; 4] = [[0, 1, 2, 3], [2, 0, 1, 3], [3, 0, 1, 2], [0, 2, 3, 1]];
    let column = |i: usize| columns.get(i).map_or(&[][..], Vec::as_slice);
    let may_be_p = |i: usize| column(i).iter().copied().collect::<PolaritySet>().is_pair();
    let steps = |i: usize| column(i).windows(2).filter(|pair| !rises(pair[0], pair[1])).count();
    let rises = |i: usize| steps(i) == 0;
    let mostly_rises = |i: usize| 10 * steps(i) < column(i).len();
    let climbs = |i: usize| rises(i) && column(i).first() < column(i).last();
    let most = |i: usize| column(i).iter().fold(f64::NEG_INFINITY, |most, &v| most.max(v));
    let possible = ORDERS.iter().filter(|order| may_be_p(order[3]));
    let best = possible.clone().filter(|order| rises(order[0])).rev();
    let best = best.max_by(|a, b| most(a[0]).total_cmp(&most(b[0])));
    // Times may step back, but not while another column rises all the time.
    let is_t = |order: &&[usize; 4]| !(0..4).any(|i| i != order[0] && i != order[3] && climbs(i));
    let likely = possible.clone().filter(is_t).find(|order| mostly_rises(order[0]));
    best.or(likely).or(possible.clone().find(is_t)).copied()
}

/// Guesses which of three columns are t, x and y: t is the first or the last one, and counts up to the
/// larger values. The fourth number is none of them.
pub(crate) fn guess_three(columns: &[Vec<f64>]) -> Option<[usize; 4]> {
    let column = |i: usize| columns.get(i).map_or(&[][..], Vec::as_slice);
    let rises = |i: usize| column(i).windows(2).all(|pair| rises(pair[0], pair[1]));
    let last = |i: usize| column(i).last().copied().unwrap_or(0.0);
    match (rises(0), rises(2)) {
        (true, false) => Some([0, 1, 2, 3]),
        (false, true) => Some([2, 0, 1, 3]),
        (true, true) if last(0) > last(2) => Some([0, 1, 2, 3]),
        (true, true) => Some([2, 0, 1, 3]),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_columns_is_told_by_their_numbers() {
        let t = vec![0.1, 0.2, 0.3, 0.4];
        let (x, y, p) =
            (vec![9.0, 3.0, 7.0, 1.0], vec![4.0, 1.0, 8.0, 2.0], vec![1.0, -1.0, 1.0, 1.0]);
        let order = |columns: [&Vec<f64>; 4]| guess_order(&columns.map(Clone::clone));
        assert_eq!(order([&t, &x, &y, &p]), Some([0, 1, 2, 3]));
        assert_eq!(order([&x, &y, &t, &p]), Some([2, 0, 1, 3]));
        assert_eq!(order([&x, &y, &p, &t]), Some([3, 0, 1, 2]));
        assert_eq!(order([&t, &p, &x, &y]), Some([0, 2, 3, 1]));
        assert_eq!(order([&x, &y, &x, &y]), None);
        // A few steps back, or a clock of 32 bits that starts again, do not hide which column is t.
        let mut jitter: Vec<f64> = (0..40).map(|i| f64::from(10 * i)).collect();
        jitter.swap(7, 8);
        let wrapped: Vec<f64> =
            (0..40).map(|i| f64::from(u32::wrapping_add(i * 10, !99))).collect();
        let falling: Vec<f64> = (0..40).map(|i| f64::from(40 - i % 9)).collect();
        let signs: Vec<f64> = (0..40).map(|i| f64::from(i % 2)).collect();
        for t in [&jitter, &wrapped] {
            assert_eq!(order([t, &falling, &falling, &signs]), Some([0, 1, 2, 3]));
            assert_eq!(order([&falling, &falling, t, &signs]), Some([2, 0, 1, 3]));
        }
        // Orders that are not known are not taken for others.
        assert_eq!(order([&t, &x, &p, &y]), None);
        assert_eq!(order([&x, &t, &y, &p]), None);
    }
}
