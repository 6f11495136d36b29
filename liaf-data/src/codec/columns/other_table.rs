//! Recognition of tables that surely hold no events, by the names of their columns.

use crate::codec::Field;

/// Words of which one in a name makes it likely that the table is about events, whatever the other
/// columns are called.
const EVENT_WORDS: &[&str] =
    &["event", "events", "addr", "address", "addresses", "pixel", "pixels", "td", "cd"];
/// Names that only tables about objects or about movement have beside t, x and y.
const OTHER_WORDS: &[&str] = &[
    "w",
    "h",
    "width",
    "height",
    "z",
    "class",
    "label",
    "id",
    "track",
    "confidence",
    "xmin",
    "xmax",
    "ymin",
    "ymax",
    "x1",
    "x2",
    "y1",
    "y2",
    "qx",
    "qy",
    "qz",
    "qw",
];

/// Whether columns, members or arrays of these names are surely not those of events: there are no names
/// at all that could mean three of t, x, y and p, or boxes and poses are beside t, x and y.
///
/// A name is only compared loosely, because it is an error to leave out a recording whose columns have
/// unusual names, and none to report a table of something else.
pub(crate) fn surely_no_events<'a>(names: impl IntoIterator<Item = &'a str>) -> bool {
    let (mut may_be, mut is_other) = ([false; 4], false);
    for name in names {
        let name = name.to_ascii_lowercase();
        let words = || name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
        if words().any(|word| EVENT_WORDS.contains(&word)) {
            return false;
        }
        is_other |= words().any(|word| OTHER_WORDS.contains(&word));
        for (field, may_be) in Field::ALL.into_iter().zip(&mut may_be) {
            *may_be |= words().any(|word| resembles(word, field));
        }
    }
    let [t, x, y, p] = may_be;
    let count = may_be.iter().filter(|&&may_be| may_be).count();
    count < 3 || (t && x && y && !p && is_other)
}

/// Whether a word of a name may mean this field.
fn resembles(word: &str, field: Field) -> bool {
    match field {
        Field::T => matches!(word, "t" | "ts" | "stamp" | "stamps") || word.contains("time"),
        Field::X => word.starts_with('x') || matches!(word, "col" | "cols" | "column" | "columns"),
        Field::Y => {
            word.starts_with('y') || matches!(word, "xy" | "row" | "rows" | "line" | "lines")
        }
        Field::P => {
            matches!(word, "p" | "ps" | "on" | "off" | "onoff" | "sign") || word.contains("pol")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_other_things_are_sure_by_their_names() {
        for names in [
            &["class", "startTime_usec", "endTime_usec"][..],
            &["t", "ax", "ay", "az", "gx", "gy", "gz", "temperature", "mx", "my", "mz"],
            &["t", "type", "channel"],
            &["ts", "x", "y", "w", "h", "class_id", "confidence", "track_id"],
            &["timestamp", "px", "py", "pz", "qx", "qy", "qz", "qw"],
            &["time", "x", "y", "z"],
            &["file", "label"],
            &["frames", "timestamps", "ends"],
            &["x_train", "y_train", "x_test", "y_test"],
            &["arr_0"],
            &[],
        ] {
            assert!(surely_no_events(names.iter().copied()), "{names:?}");
        }
    }

    #[test]
    fn what_may_be_events_is_not_sure() {
        for names in [
            &["t", "x", "y", "p"][..],
            &["On/Off", "X", "Y", "Timestamp"],
            &["time_stamp", "x_pos", "y_pos", "pol"],
            &["t", "x", "y"],
            &["t", "xy", "p"],
            &["timestamp", "row", "col", "polarity"],
            &["events_a", "labels"],
            &["t", "address"],
        ] {
            assert!(!surely_no_events(names.iter().copied()), "{names:?}");
        }
    }
}
