//! The kinds of tensor files.

use std::path::Path;

use super::TensorSpec;
use crate::error::{Error, Result};
use crate::names::{Named, names};

/// A kind of tensor file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Container {
    /// HDF5, which h5py and many other tools read. Chunks of whole frames are compressed with
    /// deflate.
    H5,
    /// NumPy's archive of arrays, which `numpy.load` reads.
    Npz,
    /// NumPy's single array. It contains only the frames, without timestamps and provenance.
    Npy,
    /// The safetensors format, which can also be used directly by programs that map files.
    Safetensors,
}

names!(
    Container,
    "unknown kind of tensor file",
    H5 = "h5",
    Npz = "npz",
    Npy = "npy",
    Safetensors = "safetensors",
);

impl Container {
    /// The kind of file that the extension of `path` selects: `h5`, `hdf5`, `npz`, `npy` or
    /// `safetensors`.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if it selects none.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        let name = match extension.to_ascii_lowercase().as_str() {
            "hdf5" => "h5".into(),
            name => name.to_owned(),
        };
        Self::from_name(&name).ok_or_else(|| {
            Error::caller("the extension is not that of a tensor file")
                .expected(".h5, .npz, .npy or .safetensors")
                .found(if extension.is_empty() { "none".into() } else { format!(".{extension}") })
                .in_file(path)
        })
    }

    /// Size of `frames` frames with their timestamps and provenance in bytes, before compression
    /// and without the headers of the container itself (less than 8 KiB). [`u64::MAX`] stands for
    /// larger sizes.
    pub fn size(self, spec: &TensorSpec, frames: u64) -> u64 {
        let cells = [spec.shape.channels, spec.shape.height, spec.shape.width]
            .into_iter()
            .fold(frames, |product, n| product.saturating_mul(n as u64));
        let bytes = cells.saturating_mul(spec.dtype.bytes() as u64);
        if self == Self::Npy {
            return bytes;
        }
        bytes.saturating_add(frames.saturating_mul(16)).saturating_add(spec.provenance.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::{Dtype, FrameShape};

    #[test]
    fn extensions_name_containers() {
        for (name, container) in [
            ("a.h5", Container::H5),
            ("a.HDF5", Container::H5),
            ("b/a.npz", Container::Npz),
            ("a.npy", Container::Npy),
            ("a.x.safetensors", Container::Safetensors),
        ] {
            assert_eq!(Container::from_path(name).expect(name), container);
        }
        let error = Container::from_path("a.mat").expect_err("refused");
        assert_eq!(
            error.to_string(),
            "a.mat: the extension is not that of a tensor file: expected .h5, .npz, .npy or .safetensors, \
             found .mat"
        );
        assert!(Container::from_path("npz").is_err());
    }

    #[test]
    fn sizes_saturate() {
        let mut spec = TensorSpec {
            shape: FrameShape { channels: 2, height: 3, width: 5 },
            dtype: Dtype::U16,
            frames: None,
            provenance: "{}".into(),
        };
        assert_eq!(Container::H5.size(&spec, 10), 10 * (60 + 16) + 2);
        assert_eq!(Container::Npy.size(&spec, 10), 600);
        spec.shape.width = usize::MAX;
        assert_eq!(Container::Npy.size(&spec, 10), u64::MAX);
    }
}
