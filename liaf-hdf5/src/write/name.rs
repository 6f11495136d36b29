//! Names of objects and attributes.

use crate::error::{Error, Result};

/// Checks a name of an attribute, or of an object in its group.
pub(super) fn check(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::caller("an empty name"));
    }
    if name.contains('\0') {
        return Err(Error::caller(format!("a name with a NUL in it: {name:?}")));
    }
    Ok(())
}

/// The names on the way from the root to an object: none for `/` itself. A slash at the beginning
/// makes no difference.
///
/// # Errors
/// `Caller` for names that are empty, hold a NUL, or are a single dot, by which HDF5 means the
/// group itself.
pub(super) fn path(path: &str) -> Result<Vec<&str>> {
    if path == "/" {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    for &name in &names {
        check(name).map_err(|error| error.within(format!("the path {path:?}")))?;
        if name == "." {
            return Err(Error::caller(format!("the path {path:?} names the group itself")));
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cut_at_slashes() {
        assert!(path("/").unwrap().is_empty());
        assert_eq!(path("a").unwrap(), ["a"]);
        assert_eq!(path("/a/..b/é").unwrap(), ["a", "..b", "é"]);
        for wrong in ["", "//", "a/", "a//b", "a/./b", ".", "a\0b"] {
            assert!(path(wrong).is_err(), "{wrong:?}");
        }
    }
}
