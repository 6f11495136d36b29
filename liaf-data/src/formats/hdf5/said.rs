//! What a file says about the numbers of its events: the unit of the times, and the names of the polarities.

use liaf_hdf5::{Dataset, Datatype, Member};

use super::layout::{Shape, Three, number_of};
use crate::codec::columns::{Name, View, half_of, unit_of};
use crate::codec::{Field, PolarityValues, TimeUnit};

/// The attributes that state the unit of a dataset.
const UNITS: [&str; 2] = ["units", "unit"];

/// The names of an enumeration, with the bytes of their values.
type Members = [(String, Vec<u8>)];

/// The unit of the times: that in their name, or else that of an attribute.
pub(crate) fn time_unit(shape: &Shape) -> Option<TimeUnit> {
    if let Shape::Halves(halves) = shape {
        return time_unit(&halves[0]);
    }
    let (dataset, name) = column(shape, Field::T)?;
    let name = name.rsplit('/').next()?;
    // A column of one of two lists has the polarity in its name.
    let named = Name::parse(name).or_else(|| Name::parse(&half_of(name)?.1));
    named.and_then(|name| name.unit).or_else(|| {
        let stated = UNITS.iter().find_map(|unit| text(dataset, unit))?;
        unit_of(stated.trim().to_lowercase().trim_matches(['[', ']']))
    })
}

/// The values of OFF and ON, if the polarities are an enumeration with names for them.
pub(crate) fn polarities(shape: &Shape) -> Option<PolarityValues> {
    let (base, members) = enumeration(shape)?;
    let number = number_of(base)?;
    let value = |is_on| {
        let mut named =
            members.iter().filter(|(name, _)| half_of(name).is_some_and(|(on, _)| on == is_on));
        let (_, bytes) = named.next().filter(|_| named.next().is_none())?;
        View { bytes, stride: bytes.len(), number }.first()
    };
    Some(PolarityValues { off: value(false)?, on: value(true)? })
}

/// The names of the polarities, if they are an enumeration whose names say nothing that is known.
pub(crate) fn unknown_polarities(shape: &Shape) -> Option<String> {
    let (_, members) = enumeration(shape).filter(|_| polarities(shape).is_none())?;
    let names: Vec<_> = members.iter().map(|(name, _)| name.as_str()).collect();
    Some(names.join(", "))
}

/// The type of the values and the names of the polarities, if they are an enumeration other than that of
/// false and true.
fn enumeration(shape: &Shape) -> Option<(&Datatype, &Members)> {
    let (dataset, name) = column(shape, Field::P)?;
    let datatype = match dataset.datatype() {
        Datatype::Compound { members, .. } => {
            &members.iter().find(|member| member.name == name)?.datatype
        }
        datatype => datatype,
    };
    match datatype {
        Datatype::Enum { base, members } if !datatype.is_bool() => Some((base, members)),
        _ => None,
    }
}

/// The dataset that has the column of a field of its own, or records with it, and the name of the column.
fn column(shape: &Shape, field: Field) -> Option<(&Dataset, &str)> {
    match shape {
        Shape::Columns(columns) => named(&columns[field.index()].0),
        Shape::Pairs(columns) => match field {
            Field::T => named(&columns[0].0),
            Field::P => named(&columns[2].0),
            Field::X | Field::Y => named(&columns[1].0),
        },
        Shape::Records(dataset, members) => in_record(dataset, members[field.index()].1),
        Shape::Half(three, _) => match &**three {
            Three::Columns(columns) => named(&columns.get(field.index())?.0),
            Three::Records(dataset, members) => in_record(dataset, members.get(field.index())?.1),
            Three::Table(..) => None,
        },
        Shape::Table(..) | Shape::Turned(..) | Shape::Halves(..) => None,
    }
}

fn named(dataset: &Dataset) -> Option<(&Dataset, &str)> {
    Some((dataset, dataset.name()))
}

/// The member at this byte of a record.
fn in_record(dataset: &Dataset, offset: usize) -> Option<(&Dataset, &str)> {
    let Datatype::Compound { members, .. } = dataset.datatype() else { return None };
    let is_there = |member: &&Member| member.offset == offset;
    Some((dataset, &members.iter().find(is_there)?.name))
}

/// An attribute that is one text.
fn text(dataset: &Dataset, name: &str) -> Option<String> {
    let attribute = dataset.attribute(name).ok()??;
    (attribute.extent().values() == 1).then(|| attribute.texts().ok()?.pop())?
}
