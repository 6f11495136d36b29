//! The text of an experiment: TOML in which some keys were set to other values, and errors with its lines.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use liaf_core::{Error, ErrorKind, Limits};
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use crate::error::Result;

/// The most bytes of a text that is read whole.
pub(super) const MOST: u64 = Limits::DEFAULT.config_bytes;

/// The text of a file; `None`, and no more of it is read, if it is longer than [`MOST`].
pub(super) fn text_of(path: &Path) -> Result<Option<String>> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MOST + 1).read_to_string(&mut text));
    let bytes =
        read.map_err(|error| liaf_data::Error::system("cannot read", error).in_file(path))?;
    Ok((bytes as u64 <= MOST).then_some(text))
}

/// Whether a file in TOML has the table of an experiment's network, and is no network itself. One that cannot be
/// read, or is too long, has not.
pub fn is_experiment(path: impl AsRef<Path>) -> bool {
    let has = |line: &str| line.trim_start().trim_start_matches('[').starts_with("network");
    text_of(path.as_ref()).is_ok_and(|text| text.is_some_and(|text| text.lines().any(has)))
}

/// A text in TOML, and what was set in it.
#[derive(Debug, Clone)]
pub(super) struct Document {
    /// The file, if the text is from one.
    path: Option<PathBuf>,
    text: String,
    /// Keys, as in `recipe.epochs`, with their values in TOML.
    set: Vec<(String, String)>,
}

/// The offset of what was set first, which is after every text. What was set next is at the next one.
const SET: usize = usize::MAX / 2;

type Value<'a> = Spanned<DeValue<'a>>;

impl Document {
    pub fn new(path: Option<PathBuf>, text: String, set: Vec<(String, String)>) -> Result<Self> {
        let document = Self { path, text, set };
        document.root()?;
        Ok(document)
    }

    /// The file from which the text was read.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The folder to which relative paths in the file refer.
    pub fn folder(&self) -> Option<&Path> {
        self.path()?.parent()
    }

    /// Whether a key was set, instead of being read from the text.
    pub fn is_set(&self, keys: &[&str]) -> bool {
        let key = keys.join(".");
        self.set.iter().any(|(own, _)| key == *own || key.starts_with(&format!("{own}.")))
    }

    /// The whole text as a table, with what was set.
    fn root(&self) -> Result<Spanned<DeTable<'_>>> {
        let mut root = DeTable::parse(&self.text).map_err(|error| self.of_toml(&error))?;
        for (at, (key, text)) in (SET..).zip(&self.set) {
            let at = at..at;
            let refuse = |what: &str| Error::config(what).in_file(format!("set {key}"));
            let value = match DeValue::parse(text) {
                Ok(value) => moved(value, &at),
                // What is no TOML is a text without quotation marks.
                Err(_) => Spanned::new(at.clone(), DeValue::String(text.as_str().into())),
            };
            let mut table = root.get_mut();
            let mut names = key.split('.').peekable();
            while let Some(name) = names.next() {
                if name.is_empty() {
                    let error =
                        refuse("a part of the key is empty").expected("as in recipe.epochs");
                    return Err(error.into());
                }
                let spanned = Spanned::new(at.clone(), name.into());
                if names.peek().is_none() {
                    table.remove(name);
                    table.insert(spanned, value);
                    break;
                }
                let empty = || Spanned::new(at.clone(), DeValue::Table(DeTable::new()));
                let next = table.entry(spanned).or_insert_with(empty);
                table = match next.get_mut() {
                    DeValue::Table(table) => table,
                    _ => return Err(refuse(&format!("{name} is not a table")).into()),
                };
            }
        }
        Ok(root)
    }

    /// Whether there is such a key.
    pub fn has(&self, keys: &[&str]) -> bool {
        self.root().is_ok_and(|root| find(root.get_ref(), keys).is_some())
    }

    /// The text of a key, if it has one.
    pub fn text(&self, keys: &[&str]) -> Option<String> {
        let root = self.root().ok()?;
        Some(find(root.get_ref(), keys)?.get_ref().as_str()?.to_owned())
    }

    /// Reads a table without some of its keys; an empty one if there is none.
    pub fn read<T: DeserializeOwned>(&self, keys: &[&str], without: &[&str]) -> Result<T> {
        let root = self.root()?;
        let found = find(root.get_ref(), keys).map(Spanned::get_ref);
        let mut table = match found {
            _ if keys.is_empty() => root.get_ref().clone(),
            Some(DeValue::Table(table)) => table.clone(),
            Some(other) => {
                let error = Error::config(format!("{} must be a table", keys.join(".")));
                return Err(self.at(keys, error.found(other.type_str())));
            }
            None => DeTable::new(),
        };
        for name in without {
            table.remove(*name);
        }
        let span = find(root.get_ref(), keys).map_or(0..0, |value| value.span());
        T::deserialize(Deserializer::from(Spanned::new(span, table)))
            .map_err(|error| self.within(keys, &error))
    }

    /// The number of the line at an offset of the text, from 1.
    fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset.min(self.text.len())).unwrap_or_default();
        1 + before.iter().filter(|&&byte| byte == b'\n').count()
    }

    fn location(&self, span: Option<Range<usize>>, keys: &[&str]) -> String {
        let name =
            self.path.as_ref().map_or("experiment".into(), |path| path.display().to_string());
        match span {
            Some(span) if span.start >= SET => format!("set {}", keys.join(".")),
            Some(span) => format!("{name}:{}", self.line(span.start)),
            None => name,
        }
    }

    /// Where a key is: file and line, or that it was set. If there is no such key, that of the table in
    /// which it would be.
    pub fn whereabouts(&self, keys: &[&str]) -> String {
        let root = self.root().ok();
        let span = (1..=keys.len()).rev().find_map(|count| {
            root.as_ref().and_then(|root| find(root.get_ref(), &keys[..count])).map(Spanned::span)
        });
        self.location(span, keys)
    }

    /// An error that was found at a key.
    pub fn at(&self, keys: &[&str], error: Error) -> crate::error::Error {
        // What the error knows of the location itself, as the name of a layer, comes after it.
        let kind = error.kind();
        Error::new(kind, error.to_string()).in_file(self.whereabouts(keys)).into()
    }

    /// An error of the other half of the toolkit, or of this one, that was found at a key.
    pub fn found_at(&self, keys: &[&str], error: crate::error::Error) -> crate::error::Error {
        match error {
            crate::error::Error::Core(error) => self.at(keys, error),
            crate::error::Error::Data(error) => {
                use liaf_data::ErrorKind as Data;
                let text = format!("{}: {error}", self.whereabouts(keys));
                let kind = match error.kind() {
                    Data::Unsupported => ErrorKind::Unsupported,
                    Data::Limit => ErrorKind::Limit,
                    Data::Cancelled => return error.into(),
                    Data::Caller => ErrorKind::Config,
                    _ => ErrorKind::Data,
                };
                Error::new(kind, text).into()
            }
        }
    }

    fn of_toml(&self, error: &toml::de::Error) -> crate::error::Error {
        let text = error.message().trim().to_owned();
        Error::config(text).in_file(self.location(error.span(), &[])).into()
    }

    /// An error of reading a table.
    fn within(&self, keys: &[&str], error: &toml::de::Error) -> crate::error::Error {
        let message = error.message().trim();
        let location = match error.span() {
            Some(span) => match span.start.checked_sub(SET).and_then(|number| self.set.get(number))
            {
                Some((key, _)) => format!("set {key}"),
                None => self.location(Some(span), keys),
            },
            None => self.whereabouts(keys),
        };
        Error::config(message).in_file(location).into()
    }
}

/// The value at a key; a number is the index of an element.
fn find<'t, 'a>(table: &'t DeTable<'a>, keys: &[&str]) -> Option<&'t Value<'a>> {
    let (first, rest) = keys.split_first()?;
    let mut value = table.get(*first)?;
    for key in rest {
        value = match value.get_ref() {
            DeValue::Table(table) => table.get(*key)?,
            DeValue::Array(array) => array.get(key.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

/// The same value at the offset of what was set.
fn moved<'a>(value: Value<'a>, at: &Range<usize>) -> Value<'a> {
    let inner = match value.into_inner() {
        DeValue::Array(array) => {
            DeValue::Array(array.into_iter().map(|value| moved(value, at)).collect())
        }
        DeValue::Table(table) => {
            let named = |name: Spanned<_>| Spanned::new(at.clone(), name.into_inner());
            let table = table.into_iter();
            DeValue::Table(table.map(|(name, value)| (named(name), moved(value, at))).collect())
        }
        other => other,
    };
    Spanned::new(at.clone(), inner)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Recipe {
        epochs: u64,
        #[serde(default)]
        rates: Vec<f64>,
    }

    fn document(text: &str, set: &[(&str, &str)]) -> Result<Document> {
        let set = set.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        Document::new(Some("a/b.toml".into()), text.into(), set)
    }

    const TEXT: &str = "version = 1\n\n[recipe]\nepochs = 3\nrates = [1.0]\n";

    #[test]
    fn keys_can_be_set_to_other_values() {
        let read = |set: &[(&str, &str)]| {
            document(TEXT, set).unwrap().read::<Recipe>(&["recipe"], &[]).unwrap()
        };
        assert_eq!(read(&[]), Recipe { epochs: 3, rates: vec![1.0] });
        let set = [("recipe.epochs", "7"), ("recipe.rates", "[1.5, 2.5]"), ("recipe.epochs", "8")];
        assert_eq!(read(&set), Recipe { epochs: 8, rates: vec![1.5, 2.5] });
        let document = document("", &[("recipe.epochs", "4"), ("name.a", "two words")]).unwrap();
        assert_eq!(document.read::<Recipe>(&["recipe"], &[]).unwrap().epochs, 4);
        assert_eq!(document.text(&["name", "a"]).as_deref(), Some("two words"));
        assert!(document.is_set(&["recipe", "epochs"]) && !document.is_set(&["recipe"]));
    }

    #[test]
    fn errors_say_the_line_or_what_was_set() {
        let fails = |text: &str, set: &[(&str, &str)]| {
            let outcome = document(text, set).and_then(|d| d.read::<Recipe>(&["recipe"], &[]));
            outcome.unwrap_err().to_string()
        };
        for (text, set, start) in [
            ("a = 1\nb = = 2\n", &[][..], "a/b.toml:2: "),
            ("[recipe]\nepochs = 'x'\n", &[], "a/b.toml:2: invalid type"),
            ("[recipe]\nepochs = 1\nepoch = 2\n", &[], "a/b.toml:3: unknown field `epoch`"),
            ("\n[recipe]\n", &[], "a/b.toml:2: missing field `epochs`"),
            ("recipe = 7\n", &[], "a/b.toml:1: recipe must be a table"),
            (TEXT, &[("recipe.epochs", "x")], "set recipe.epochs: invalid type"),
            (TEXT, &[("recipe.epoch", "1")], "set recipe.epoch: unknown field"),
            (
                TEXT,
                &[("recipe.epochs", "x"), ("recipe.rates", "[2]")],
                "set recipe.epochs: invalid",
            ),
            (TEXT, &[("recipe.rates", "[2]"), ("recipe.epoch", "1")], "set recipe.epoch: unknown"),
            (TEXT, &[("recipe.epochs.a", "1")], "set recipe.epochs.a: epochs is not a table"),
            (TEXT, &[("recipe..a", "1")], "set recipe..a: a part of the key is empty"),
        ] {
            let error = fails(text, set);
            assert!(error.starts_with(start), "{error}");
        }
        let document = document(TEXT, &[]).unwrap();
        assert_eq!(document.whereabouts(&["recipe", "rates", "0"]), "a/b.toml:5");
        assert_eq!(document.whereabouts(&["recipe", "missing"]), "a/b.toml:3");
    }
}
