//! An HDF5 file that appears when it is complete, or not at all.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use hdf5::File;
use hdf5::types::VarLenUnicode;

use super::error::system;
use crate::error::{Error, Result};
use crate::io::AtomicFile;

/// The open HDF5 file. The order of the fields is the order in which they are dropped.
pub(crate) struct WholeFile {
    file: File,
    out: AtomicFile,
    path: PathBuf,
    provenance: VarLenUnicode,
}

impl WholeFile {
    /// Creates an empty file that will be named `path`, with `provenance` as the attribute `liaf`.
    pub(crate) fn create(
        path: &Path,
        overwrite: bool,
        sync: bool,
        provenance: &str,
    ) -> Result<Self> {
        let provenance = VarLenUnicode::from_str(provenance)
            .map_err(|_| Error::caller("the provenance holds a zero character").in_file(path))?;
        let mut out = AtomicFile::create(path, overwrite, sync)?;
        let file = File::with_options()
            // This version can be read by all versions of the library, and its headers contain no
            // time.
            .with_fapl(|fapl| fapl.libver_earliest())
            .with_fcpl(|fcpl| fcpl.obj_track_times(false))
            .create(out.lend()?)
            .map_err(|error| system("cannot create the file", &error, path))?;
        Ok(Self { file, out, path: path.into(), provenance })
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Converts an error of the library that occurred while writing.
    pub(crate) fn failed(&self, error: &hdf5::Error) -> Error {
        system("cannot write", error, &self.path)
    }

    /// Completes the file and returns its size. All its datasets must have been closed.
    pub(crate) fn finish(self) -> Result<u64> {
        let Self { file, out, path, provenance } = self;
        let close = || {
            file.new_attr::<VarLenUnicode>().create("liaf")?.write_scalar(&provenance)?;
            // Closing flushes as well, but an error of the explicit flush can be handled.
            file.flush()?;
            file.close()
        };
        close().map_err(|error| system("cannot complete the file", &error, &path))?;
        out.finish()
    }
}
