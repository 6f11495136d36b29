//! The tensors of a file and where they are stored.

use super::bytes::{self, Bytes};
use super::tensor::TensorInfo;
use crate::container::zip;
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::limits::Limits;
use crate::names::{Named, one_of};
use crate::tensor::ElementType;

/// A tensor of the file.
#[derive(Debug)]
pub(super) struct Entry {
    pub name: String,
    pub place: Place,
}

/// Where and how a tensor is stored.
#[derive(Debug)]
pub(super) enum Place {
    /// As plain elements, described in the header of the file.
    Plain(Plain),
    /// As a NumPy array with its own header, in a member of an archive.
    Member(zip::Entry),
    /// As a NumPy array with its own header, which is the whole file.
    WholeFile,
    /// As a dataset of HDF5.
    #[cfg(feature = "hdf5")]
    Dataset(Box<liaf_hdf5::Dataset>),
    /// In HDF5, but it cannot be read, for this reason.
    #[cfg(feature = "hdf5")]
    Refused(String),
}

/// A tensor whose type and shape are in the header of the file.
#[derive(Debug)]
pub(super) struct Plain {
    /// The name of its type, which may be one that is not supported.
    pub dtype: String,
    pub shape: Vec<u64>,
    /// Offset of its first element in the file.
    pub start: u64,
    /// Size in bytes.
    pub bytes: u64,
}

impl Plain {
    /// The type of the elements, if it is supported.
    pub fn element(&self) -> Option<ElementType> {
        // The names in the header are the same in capitals.
        let is_capital = !self.dtype.bytes().any(|byte| byte.is_ascii_lowercase());
        ElementType::from_name(&self.dtype.to_ascii_lowercase()).filter(|_| is_capital)
    }

    pub fn info(&self) -> Result<TensorInfo> {
        let dtype = self.element().ok_or_else(|| {
            let names: Vec<_> = ElementType::NAMES.iter().map(|n| n.to_ascii_uppercase()).collect();
            Error::unsupported("the type of the tensor is not supported")
                .at(8)
                .expected(one_of(&names.iter().map(String::as_str).collect::<Vec<_>>()))
                .found(&self.dtype)
        })?;
        Ok(TensorInfo { dtype, shape: sides(&self.shape)? })
    }

    pub fn read<'a>(
        &self,
        source: &'a ByteSource,
        limits: &Limits,
    ) -> Result<(TensorInfo, Bytes<'a>)> {
        let info = self.info()?;
        let length = bytes::checked_length(self.bytes, limits)?;
        Ok((info, bytes::stored(source, self.start, length)?))
    }
}

/// The lengths of the axes of a tensor, if they fit in memory.
pub(super) fn sides(shape: &[u64]) -> Result<Vec<usize>> {
    let side = |&side: &u64| {
        usize::try_from(side).map_err(|_| Error::limit("an axis is too long").found(side))
    };
    shape.iter().map(side).collect()
}

/// The size of a tensor in bytes, or an error if it does not fit in 64 bits.
pub(super) fn size(shape: &[u64], element: ElementType) -> Result<u64> {
    let bytes = element.bytes() as u64;
    shape.iter().try_fold(bytes, |product, &side| product.checked_mul(side)).ok_or_else(|| {
        Error::limit("the shape of a tensor is too large").found(format!("{shape:?}"))
    })
}
