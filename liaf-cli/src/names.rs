//! The library's enums as values of options.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use liaf_data::Named;

/// The type of an option whose value is a name or `auto`. Clap takes a plain `Option` for an option that
/// may be left out, and an alias for the value itself.
pub type Auto<T> = Option<T>;

/// Reads one of the names of an enum, which the help lists.
pub fn named<T: Named + Send + Sync>() -> impl TypedValueParser<Value = T> {
    parser(T::NAMES.iter().map(PossibleValue::new))
}

/// As [`named`], with a line of help about each value.
pub fn explained<T: Named + Send + Sync>(
    help: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let values = T::NAMES.iter().zip(T::ALL);
    parser(values.map(move |(name, &value)| PossibleValue::new(name).help(help(value))))
}

/// As [`named`], or `auto`, which is none of the values.
pub fn named_or_auto<T: Named + Send + Sync>() -> impl TypedValueParser<Value = Auto<T>> {
    PossibleValuesParser::new(["auto"].iter().chain(T::NAMES)).map(|name| T::from_name(&name))
}

fn parser<T: Named + Send + Sync>(
    values: impl Iterator<Item = PossibleValue>,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(values).try_map(|name| T::from_name(&name).ok_or("an unknown name"))
}
