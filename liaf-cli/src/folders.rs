//! The folders that a command makes for its outputs. One in which nothing was written does not stay.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{fs, io};

/// The folders that this process made, each after those that contain it.
static MADE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Makes a folder, and those above it, if they do not exist.
pub fn make(folder: &Path) -> io::Result<()> {
    let above = folder.ancestors().take_while(|above| !above.as_os_str().is_empty());
    let missing: Vec<_> = above.take_while(|above| !above.exists()).collect();
    fs::create_dir_all(folder)?;
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.extend(missing.into_iter().rev().map(Path::to_path_buf));
    Ok(())
}

/// Removes the folders that this process made and that are empty. The command calls this at its end, whether
/// it failed or not, and so does a signal that ends it.
pub fn remove_empty() {
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    for folder in made.drain(..).rev() {
        // It stays if something is in it.
        let _ = fs::remove_dir(folder);
    }
}
