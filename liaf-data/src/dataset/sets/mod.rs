//! The data sets, one file for each kind of folder.

pub(super) mod babi;
pub(super) mod by_class;
pub(super) mod dsec;
pub(super) mod evimo2;
pub(super) mod folder;
pub(super) mod gesture;
mod label_table;
pub(super) mod prophesee;
mod table;

use super::folder::Found;
use super::{ListOptions, Split};
use crate::error::{Error, Result};
use crate::names::one_of;

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

/// Refuses a subset that a published set does not have.
fn check_subset(name: &str, options: &ListOptions, subsets: &[&str]) -> Result<()> {
    match options.subset.as_deref() {
        Some(subset) if !subsets.contains(&subset) => {
            Err(Error::caller(format!("the data set {name} has no such subset"))
                .expected(one_of(subsets))
                .found(format!("{subset:?}")))
        }
        _ => Ok(()),
    }
}

/// The split after which a folder of this path is named: `train`, `val`, `test` or `eval`, or words that end so.
fn split_of(path: &str) -> Option<Split> {
    path.split('/').find_map(|part| {
        let part = part.to_ascii_lowercase();
        let is = |name| part == name || part.ends_with(&format!("_{name}"));
        match () {
            () if is("train") => Some(Split::Train),
            () if is("val") => Some(Split::Val),
            () if is("test") || is("eval") => Some(Split::Test),
            () => None,
        }
    })
}

/// Remarks once on all files of which something is true, and names the first of them.
pub(super) fn remark(remarks: &mut Vec<String>, what: &str, files: &[impl AsRef<str>]) {
    const NAMED: usize = 3;
    let named: Vec<&str> = files.iter().take(NAMED).map(AsRef::as_ref).collect();
    if named.is_empty() {
        return;
    }
    let more = match files.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    remarks.push(format!("{} {what}: {}{more}", files.len(), named.join(", ")));
}

/// The files with one of these extensions.
fn with_extension(files: Vec<Found>, extensions: &[&str]) -> Vec<Found> {
    files.into_iter().filter(|file| extensions.contains(&&*file.extension())).collect()
}
