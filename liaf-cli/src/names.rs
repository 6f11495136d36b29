//! The library's enums as values of options.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use liaf::data::options::Named;

/// The type of an option whose value is a name or `auto`. It needs a name of its own because clap takes
/// a plain `Option` for an option that may be left out.
pub type Auto<T> = Option<T>;

/// Reads one of the names of an enum, which the help lists.
pub fn named<T: Named + Send + Sync>() -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(T::NAMES).try_map(|name| T::from_name(&name).ok_or("an unknown name"))
}

/// As [`named`], or `auto`, which becomes `None`.
pub fn named_or_auto<T: Named + Send + Sync>() -> impl TypedValueParser<Value = Auto<T>> {
    PossibleValuesParser::new(["auto"].iter().chain(T::NAMES)).map(|name| T::from_name(&name))
}
