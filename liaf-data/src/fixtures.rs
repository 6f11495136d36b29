//! Finds the bundled recordings, for tests. They are in the repository, beside the crates, and not in
//! the package of a crate.

use std::env;
use std::path::{Path, PathBuf};

/// The folder `fixtures` of the repository. Returns `None`, with a message on stderr, if there is none;
/// panics instead if `LIAF_REQUIRE_FIXTURES` is 1.
pub fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    if let Ok(folder) = folder.canonicalize() {
        return Some(folder);
    }
    let why = format!("no bundled recordings at {}", folder.display());
    assert!(env::var("LIAF_REQUIRE_FIXTURES").as_deref() != Ok("1"), "{why}");
    eprintln!("skipped: {why}");
    None
}

/// A bundled file, by its path in that folder.
pub fn fixture(name: &str) -> Option<PathBuf> {
    Some(folder()?.join(name))
}
