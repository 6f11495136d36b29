//! Enums whose values have names. One table states the names, and everything else is derived from it.

/// An enum whose values have names that users write and reports carry.
///
/// ```
/// use liaf_data::options::{Coords, Named};
/// assert_eq!(Coords::NAMES, ["canonical", "raw"]);
/// assert_eq!(Coords::from_name("raw"), Some(Coords::Raw));
/// ```
pub trait Named: Copy + 'static {
    /// All values.
    const ALL: &'static [Self];
    /// The names of [`ALL`](Self::ALL), in the same order.
    const NAMES: &'static [&'static str];

    /// The value with this name, which is matched exactly.
    fn from_name(name: &str) -> Option<Self> {
        let index = Self::NAMES.iter().position(|&known| known == name)?;
        Self::ALL.get(index).copied()
    }
}

/// Implements `name`, [`Named`] and `Display` from a table that names every variant of an enum once. If
/// the table starts with a text, `FromStr` is implemented as well, and the text is the error message
/// for an unknown name. The module must have `Error` in scope then.
///
/// The macro does not name the error by its path, so that the module `error` itself can use it.
macro_rules! names {
    ($kind:ty, $what:literal, $($value:ident = $name:literal),+ $(,)?) => {
        $crate::names::names!($kind, $($value = $name),+);

        impl ::std::str::FromStr for $kind {
            type Err = Error;

            fn from_str(text: &str) -> ::std::result::Result<Self, Error> {
                <Self as $crate::names::Named>::from_name(text).ok_or_else(|| {
                    let names = <Self as $crate::names::Named>::NAMES;
                    Error::caller($what)
                        .expected($crate::names::one_of(names))
                        .found(format!("{text:?}"))
                })
            }
        }
    };
    ($kind:ty, $($value:ident = $name:literal),+ $(,)?) => {
        impl $kind {
            #[doc = concat!("Its name:" $(, " `", $name, "`")+, ".")]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$value => $name),+ }
            }
        }

        impl $crate::names::Named for $kind {
            const ALL: &'static [Self] = &[$(Self::$value),+];
            const NAMES: &'static [&'static str] = &[$($name),+];
        }

        impl ::std::fmt::Display for $kind {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}
pub(crate) use names;

/// The words as a choice: `a, b or c`.
pub(crate) fn one_of(words: &[&str]) -> String {
    match words {
        [first @ .., before, last] => {
            let first: String = first.iter().map(|word| format!("{word}, ")).collect();
            format!("{first}{before} or {last}")
        }
        _ => words.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Aedat2Reading, ClockReset, Coords, Evt21Order};
    use crate::error::{Error, ErrorKind};
    use crate::frames::{Dtype, Edge, PolarityChannels};
    use crate::model::Polarity;
    use crate::tensor::{Container, ElementType};

    fn reads_what_it_prints<T>()
    where
        T: Named + std::fmt::Display + std::fmt::Debug + PartialEq + std::str::FromStr<Err = Error>,
    {
        for (&value, name) in T::ALL.iter().zip(T::NAMES) {
            assert_eq!(value.to_string(), *name);
            assert_eq!(name.parse::<T>().unwrap(), value);
            assert!(name.to_uppercase().parse::<T>().is_err(), "{name}");
        }
        assert!("".parse::<T>().is_err());
    }

    #[test]
    fn values_read_what_they_print() {
        reads_what_it_prints::<Coords>();
        reads_what_it_prints::<Aedat2Reading>();
        reads_what_it_prints::<Evt21Order>();
        reads_what_it_prints::<ClockReset>();
        reads_what_it_prints::<Dtype>();
        reads_what_it_prints::<Edge>();
        reads_what_it_prints::<Polarity>();
        reads_what_it_prints::<PolarityChannels>();
        reads_what_it_prints::<Container>();
        reads_what_it_prints::<ElementType>();
    }

    #[test]
    fn an_unknown_name_is_an_error_of_the_caller_that_lists_all() {
        let error = "KEEP".parse::<ClockReset>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Caller);
        assert_eq!(
            error.to_string(),
            "unknown handling of clock restarts: expected keep, rebase or error, found \
             \"KEEP\""
        );
        let error = "".parse::<Coords>().unwrap_err();
        assert_eq!(error.to_string(), "unknown coordinates: expected canonical or raw, found \"\"");
    }
}
