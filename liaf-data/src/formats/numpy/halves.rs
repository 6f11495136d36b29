//! Archives with two lists of events, one for each polarity.

use super::arrays::{self, Place};
use super::planner::Plan;
use super::{bare, find};
use crate::codec::columns::{Array, Name, Said, half_of};
use crate::codec::{Field, ReadOptions};
use crate::container::zip::Entry;
use crate::error::Result;
use crate::io::ByteSource;

/// The arrays of one polarity.
struct Half<'a> {
    entries: Vec<&'a Entry>,
    /// Where t, x and y are, or `None` if one array has all of them.
    places: Option<[Place; 4]>,
}

/// Plans for the lists of OFF and of ON, if the names of the arrays are those of two such lists: `t_neg`,
/// `x_neg`, `y_neg` and the same of `pos`, or only `neg` and `pos`, also `off` and `on`.
///
/// # Errors
/// If there are two lists, and one of them cannot be read.
pub(super) fn plans(
    source: &mut ByteSource,
    arrays: &[&Entry],
    said: Said,
    options: &ReadOptions,
) -> Result<Option<[Plan; 2]>> {
    let (Some(off), Some(on)) = (half(arrays, false), half(arrays, true)) else { return Ok(None) };
    let mut plan = |half: Half<'_>, all| {
        let said = Said { all: Some(all), ..said };
        let found = half.entries.into_iter().map(|entry| find(source, entry, options));
        let mut found = found.collect::<Result<Vec<_>>>()?;
        match (half.places, found.pop()) {
            (None, Some(list)) => arrays::one(source, list, said, options),
            (places, last) => {
                found.extend(last);
                arrays::several(source, found, places.unwrap_or_default(), said, options)
            }
        }
    };
    Ok(Some([plan(off, Array::ALL_OFF)?, plan(on, Array::ALL_ON)?]))
}

/// The arrays of one polarity, if they are a list of events.
fn half<'a>(arrays: &[&'a Entry], is_on: bool) -> Option<Half<'a>> {
    let own: Vec<(String, &Entry)> = arrays
        .iter()
        .filter_map(|entry| {
            let (is, rest) = half_of(bare(entry))?;
            (is == is_on).then_some((rest, *entry))
        })
        .collect();
    if let [(rest, list)] = own.as_slice()
        && rest.is_empty()
    {
        return Some(Half { entries: vec![list], places: None });
    }
    let mut entries: Vec<&Entry> = Vec::new();
    let mut places = [(usize::MAX, None); 4];
    for field in [Field::T, Field::X, Field::Y] {
        let alone = own.iter().find(|(rest, _)| Name::field(rest) == Some(field));
        let pair = || own.iter().find(|(rest, _)| field != Field::T && Name::is_pair(rest));
        let column = alone.is_none().then_some(usize::from(field == Field::Y));
        let (_, entry) = alone.or_else(pair)?;
        let known = entries.iter().position(|one| std::ptr::eq(*one, *entry));
        let index = known.unwrap_or_else(|| {
            entries.push(entry);
            entries.len() - 1
        });
        places[field.index()] = (index, column);
    }
    Some(Half { entries, places: Some(places) })
}
