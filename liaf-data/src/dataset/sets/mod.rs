//! The data sets, one file for each kind of folder.

pub(super) mod babi;
pub(super) mod by_class;
pub(super) mod folder;
pub(super) mod gesture;
mod table;

use super::ListOptions;
use super::folder::Found;
use crate::error::{Error, Result};

/// Refuses the options that a published set has no use for.
fn only_published(name: &str, options: &ListOptions, has_subsets: bool) -> Result<()> {
    let of = |what: &str| {
        let error = Error::caller(format!("{what} does not apply to the data set {name}"));
        Err(error.advice("it defines its classes itself; `folder` takes any folder"))
    };
    if options.labels.is_some() {
        return of("a table of labels");
    }
    if options.class_from != super::ClassFrom::Usual {
        return of("the place of the class");
    }
    if options.subset.is_some() && !has_subsets {
        return of("a choice of a subset");
    }
    Ok(())
}

/// The files with one of these extensions.
fn with_extension(files: Vec<Found>, extensions: &[&str]) -> Vec<Found> {
    files.into_iter().filter(|file| extensions.contains(&&*file.extension())).collect()
}
