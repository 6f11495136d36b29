//! Writing a generated set as a folder of event files.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rayon::prelude::*;

use super::super::write::check_target;
use super::GeneratedSet;
use crate::codec::{Target, WriteOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::io::AtomicFile;
use crate::write::{self, EventSpec};

/// How far writing a set has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetProgress {
    /// Number of files that are complete.
    pub files: usize,
    /// Number of events in them.
    pub events: u64,
    /// Their size in bytes.
    pub bytes: u64,
}

impl GeneratedSet {
    /// The file of sample `i` in the folder of the set: `CLASS/CLASS_NUMBER.EXTENSION`, numbered from 0 in each
    /// class.
    pub fn file_name(&self, i: usize, target: &Target) -> PathBuf {
        let class = self.class_names()[self.label(i)];
        let number = i / self.class_names().len();
        PathBuf::from(format!("{class}/{class}_{number:04}.{}", target.extension))
    }

    /// Writes the set into a folder, one file a sample, in folders of the names of the classes, on the current
    /// rayon pool. `progress` is called after each file, and may cancel.
    ///
    /// ```
    /// use liaf_data::simulate::sets;
    /// use liaf_data::write::{self, WriteOptions};
    /// use std::ops::ControlFlow;
    ///
    /// # fn main() -> liaf_data::Result<()> {
    /// # let folder = tempfile::tempdir().expect("folder");
    /// # let folder = folder.path();
    /// let target = write::target("aedat2").expect("is written");
    /// let set = sets::directions(7, 1);
    /// let done = set.write(folder, target, &WriteOptions::default(), &|_| ControlFlow::Continue(()))?;
    /// assert_eq!(done.files, 5);
    /// assert!(folder.join("left/left_0000.aedat").is_file());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Caller`] if the target cannot store the events, or a file exists
    /// and must not be replaced, both before any file is written; [`ErrorKind::System`]
    /// if a file cannot be written; [`ErrorKind::Cancelled`]. Files that are
    /// complete stay.
    pub fn write(
        &self,
        folder: impl AsRef<Path>,
        target: &'static Target,
        options: &WriteOptions,
        progress: &(dyn Fn(&SetProgress) -> ControlFlow<()> + Sync),
    ) -> Result<SetProgress> {
        let folder = folder.as_ref();
        check_target(target, self.sensor_size(), self.duration_us())?;
        write::check(target, &EventSpec::new(self.sensor_size()), options)?;
        self.model.check()?;
        for i in 0..self.len() {
            let file = folder.join(self.file_name(i, target));
            if file.exists() {
                AtomicFile::check(&file, options.overwrite)?;
            }
        }
        for class in self.class_names() {
            let folder = folder.join(class);
            fs::create_dir_all(&folder).map_err(|error| {
                Error::system("cannot create the folder", error).in_file(folder)
            })?;
        }
        let done = Mutex::new(SetProgress::default());
        // The files are many and small: one a thread.
        let options = WriteOptions { parallel: false, ..*options };
        (0..self.len()).into_par_iter().try_for_each(|i| {
            let written =
                self.write_sample(i, &folder.join(self.file_name(i, target)), target, &options)?;
            let mut done = done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            done.files += 1;
            done.events += written.events;
            done.bytes += written.bytes;
            match progress(&done) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => {
                    Err(Error::new(ErrorKind::Cancelled, "writing the set was cancelled"))
                }
            }
        })?;
        Ok(done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn write_sample(
        &self,
        i: usize,
        file: &Path,
        target: &'static Target,
        options: &WriteOptions,
    ) -> Result<write::Written> {
        let sample = self.sample(i)?;
        let provenance = serde_json::json!({
            "liaf": env!("CARGO_PKG_VERSION"),
            "simulated": { "set": self.name(), "seed": self.seed, "sample": i, "pixels": self.model },
        });
        let spec =
            EventSpec { provenance: provenance.to_string(), ..EventSpec::new(sample.sensor) };
        let mut writer = write::create(file, target, &spec, options)?;
        if !sample.events.is_empty() {
            writer.write(&sample.events)?;
        }
        writer.finish()
    }
}
