//! The order of columns that have no names, from their numbers.

use super::line::{self, Columns, Fault, Line};
use super::number::{float, word};
use super::split;
use crate::codec::TimeUnit;
use crate::codec::columns::{PolarityReading, PolaritySet, rises as may_follow};

const TXYP: [usize; 4] = [0, 1, 2, 3];
const XYPT: [usize; 4] = [3, 0, 1, 2];
const XYTP: [usize; 4] = [2, 0, 1, 3];

/// The order of four columns, and how it is known: `t,x,y,p`, or another one if p or t cannot be in these
/// columns. `None` if the numbers of most rows are not events in any order that is known.
pub(crate) fn guess_order(
    rows: &[&[u8]],
    has_size_line: bool,
) -> Option<([usize; 4], &'static str)> {
    if rows.is_empty() {
        return Some((TXYP, "taken as usual"));
    }
    if has_size_line && fits(rows, TXYP, true) {
        return Some((TXYP, "as after a line with the size of the sensor"));
    }
    let split: Vec<Vec<&[u8]>> =
        rows.iter().map(|row| split::columns(row, None).take(4).collect()).collect();
    let column = |i: usize| split.iter().filter_map(move |row| row.get(i).copied());
    let is_p = |i| polarities(column(i)).is_pair();
    let values = |i| column(i).filter_map(float);
    let rises = |i| values(i).zip(values(i).skip(1)).all(|(a, b)| may_follow(a, b));
    let climbs = |i| rises(i) && values(i).next() < values(i).next_back();
    let most = |i| values(i).fold(f64::NEG_INFINITY, f64::max);
    let first = (is_p(3), rises(0));
    let third = (is_p(2), rises(3));
    let likely = match (first, third) {
        // Both columns may be times: the one with larger values is the time.
        ((true, true), (true, true)) if most(3) > most(0) => XYPT,
        ((true, true), _) => TXYP,
        (_, (true, true)) => XYPT,
        ((true, false), _) if rises(2) => XYTP,
        // Another column rises all the time: the order is not one of these.
        ((true, false), _) if climbs(1) => return None,
        (_, (true, false)) if climbs(0) || climbs(1) => return None,
        ((true, false), _) => TXYP,
        (_, (true, false)) => XYPT,
        _ => TXYP,
    };
    // Damaged lines are dropped later, but if most lines are not events, this is a table of something
    // else. Fractions of pixels do not exclude an order, as there is an option to round them.
    let order = [(likely, false), (TXYP, false), (likely, true)];
    let order = order.into_iter().find(|&(order, fractions)| fits(rows, order, fractions));
    let is_known = first.0 || third.0;
    let how = if is_known { "guessed from the numbers" } else { "taken as usual" };
    order.map(|(order, _)| (order, how))
}

/// The numbers of a column of polarities. Words are certain, so that they are not among them.
fn polarities<'a>(column: impl Iterator<Item = &'a [u8]>) -> PolaritySet {
    let numbers = column.filter(|text| word(text).is_none());
    numbers.map(|text| float(text).unwrap_or(f64::NAN)).collect()
}

/// Whether at least half of the rows are events in this order, or are but for `fractions` of pixels.
fn fits(rows: &[&[u8]], order: [usize; 4], fractions: bool) -> bool {
    let column = rows.iter().filter_map(|row| split::columns(row, None).nth(order[3]));
    let set = polarities(column);
    let polarity = set.decide().unwrap_or(PolarityReading::USUAL);
    let columns = Columns { polarity, ..Columns::new(4, order, TimeUnit::Microseconds) };
    let is_event = |row: &&&[u8]| {
        let line = line::parse(row, &columns);
        matches!(line, Line::Event(_)) || fractions && matches!(line, Line::Bad(Fault::Fraction(_)))
    };
    2 * rows.iter().filter(is_event).count() >= rows.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(lines: &[&str], has_size_line: bool) -> Option<[usize; 4]> {
        let rows: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
        guess_order(&rows, has_size_line).map(|(order, _)| order)
    }

    #[test]
    fn polarity_and_time_tell_the_order() {
        assert_eq!(order(&["10 3 4 1", "20 2 5 0"], false), Some(TXYP));
        assert_eq!(order(&["3,4,1,10", "2,5,0,20"], false), Some(XYPT));
        assert_eq!(order(&["3 4 0.1 1", "2 5 0.2 -1"], false), Some(XYTP));
        assert_eq!(order(&["20 3 4 1", "10 2 5 0", "30 9 1 1"], false), Some(TXYP));
        assert_eq!(order(&["0.5 1 1 1"], false), Some(TXYP));
        assert_eq!(order(&["5 1 1 10"], false), Some(XYPT));
        assert_eq!(order(&["0.5 1 1 1"], true), Some(TXYP));
        assert_eq!(order(&["10 3 4 2", "20 2 5 1"], false), Some(TXYP));
        assert_eq!(order(&["9 4 255 10", "3 2 0 20", "8 7 255 30"], false), Some(XYPT));
        assert_eq!(order(&["10 3.5 4 1", "20 2.5 5 0"], false), Some(TXYP));
        assert_eq!(order(&[], false), Some(TXYP));
    }

    #[test]
    fn lines_of_which_few_are_events_have_no_order() {
        // p, t, x, y: some rows have a y of 0 or 1.
        let rows = ["1 192 345 190", "0 205 190 1", "1 234 24 28", "0 411 52 0", "1 449 255 28"];
        assert_eq!(order(&rows, false), None);
        assert_eq!(order(&rows, true), None);
        // One damaged row of three does not matter.
        assert_eq!(order(&["10 3 4 1", "20 2 5 7", "30 2 5 0"], false), Some(TXYP));
    }
}
