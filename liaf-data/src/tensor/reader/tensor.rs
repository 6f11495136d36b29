//! A tensor that was read.

use super::bytes::Bytes;
use super::cast;
use crate::error::{Error, Result};
use crate::tensor::{Element, ElementType};

/// Type and shape of a tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// The type of its elements.
    pub dtype: ElementType,
    /// The length of each axis; empty for a scalar.
    pub shape: Vec<usize>,
}

/// A tensor of a [`TensorFile`](super::TensorFile). Its elements are in row-major order, whatever order
/// they have in the file.
#[derive(Debug, Clone)]
pub struct Tensor<'a> {
    name: String,
    info: TensorInfo,
    bytes: Bytes<'a>,
}

impl<'a> Tensor<'a> {
    /// The number of bytes must agree with the type and shape.
    pub(super) fn new(name: String, info: TensorInfo, bytes: Bytes<'a>) -> Self {
        Self { name, info, bytes }
    }

    /// The name of the tensor.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of the elements.
    pub fn dtype(&self) -> ElementType {
        self.info.dtype
    }

    /// The length of each axis; empty for a scalar.
    pub fn shape(&self) -> &[usize] {
        &self.info.shape
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.bytes().len() / self.dtype().bytes()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements as little-endian bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// The elements, without a copy.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if `T` is not the type of the elements;
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) if a `bool` is neither 0 nor 1;
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) on big-endian machines, where
    /// [`to_vec`](Self::to_vec) works.
    pub fn as_slice<T: Element>(&self) -> Result<&[T]> {
        self.check::<T>()?;
        cast::elements(self.bytes()).ok_or_else(|| {
            Error::unsupported("this machine cannot use little-endian numbers as they are")
                .advice("to_vec converts them")
        })
    }

    /// A copy of the elements.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if `T` is not the type of the elements;
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) if a `bool` is neither 0 nor 1.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        self.check::<T>()?;
        Ok(T::decode(self.bytes()))
    }

    /// The elements as an array, without a copy.
    ///
    /// ```
    /// use liaf_data::Limits;
    /// use liaf_data::tensor::{Container, TensorFile, TensorFileWriter, TensorOptions};
    /// # fn main() -> liaf_data::Result<()> {
    /// # let folder = tempfile::tempdir().expect("folder");
    /// # let path = folder.path().join("a.npz");
    /// let options = TensorOptions::default();
    /// let mut file = TensorFileWriter::create(&path, Container::Npz, &options)?;
    /// file.write("counts", &[2, 3], &[1u16, 2, 3, 4, 5, 6])?;
    /// file.finish()?;
    ///
    /// let file = TensorFile::open(&path, &Limits::default())?;
    /// let counts = file.get("counts")?;
    /// assert_eq!(counts.view::<u16>()?[[1, 0]], 4);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`as_slice`](Self::as_slice), and
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if `ndarray` cannot have this
    /// shape.
    #[cfg(feature = "ndarray")]
    pub fn view<T: Element>(&self) -> Result<ndarray::ArrayViewD<'_, T>> {
        let elements = self.as_slice()?;
        ndarray::ArrayViewD::from_shape(self.shape(), elements).map_err(|error| {
            Error::unsupported(format!("tensor {} cannot be viewed as an array", self.name))
                .found(error)
        })
    }

    /// The same tensor, independent of the file.
    pub fn into_owned(self) -> Tensor<'static> {
        let Self { name, info, bytes } = self;
        Tensor { name, info, bytes: bytes.into_owned() }
    }

    pub(in crate::tensor) fn into_bytes(self) -> Bytes<'a> {
        self.bytes
    }

    fn check<T: Element>(&self) -> Result<()> {
        if T::TYPE != self.dtype() {
            return Err(Error::caller(format!(
                "the elements of tensor {} have another type",
                self.name
            ))
            .expected(self.dtype())
            .found(T::TYPE));
        }
        if !T::accepts(self.bytes()) {
            return Err(Error::malformed(format!("tensor {} contains an invalid bool", self.name))
                .expected("bytes of 0 or 1"));
        }
        Ok(())
    }
}
