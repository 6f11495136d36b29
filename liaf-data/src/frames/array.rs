//! Frames as arrays of `ndarray`.

use ndarray::{Array3, ArrayView3};

use super::{CellValues, Cells, Dtype, Frame};
use crate::error::{Error, Result};

mod sealed {
    pub trait Sealed {}
}

/// A type that the cells of a frame can have: `u8`, `u16`, `i16` or `f32`.
pub trait CellType: Copy + sealed::Sealed {
    /// The same type as a value.
    const DTYPE: Dtype;

    #[doc(hidden)]
    fn slice(values: &CellValues) -> Option<&[Self]>;

    #[doc(hidden)]
    fn vec(values: CellValues) -> Option<Vec<Self>>;
}

macro_rules! cell_types {
    ($($number:ty = $variant:ident),+) => {$(
        impl sealed::Sealed for $number {}

        impl CellType for $number {
            const DTYPE: Dtype = Dtype::$variant;

            fn slice(values: &CellValues) -> Option<&[Self]> {
                if let CellValues::$variant(cells) = values { Some(cells) } else { None }
            }

            fn vec(values: CellValues) -> Option<Vec<Self>> {
                if let CellValues::$variant(cells) = values { Some(cells) } else { None }
            }
        }
    )+};
}

cell_types!(u8 = U8, u16 = U16, i16 = I16, f32 = F32);

impl Frame {
    /// The cells of a dense frame as an array of shape `[C, H, W]`, without copying them. `T` is the
    /// type of the cells: u16, unless the options of the frames say otherwise.
    ///
    /// ```
    /// # fn main() -> liaf_data::Result<()> {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/good/aedat4/dv_lz4.aedat4");
    /// # if !std::path::Path::new(path).exists() { return Ok(()) } // In a package.
    /// use liaf_data::frames::FrameOptions;
    /// use liaf_data::{ReadOptions, Recording};
    /// use ndarray::ArrayView3;
    ///
    /// let mut recording = Recording::open(path, ReadOptions::default())?;
    /// for frame in recording.frames(FrameOptions::window_ms(10).size(32, 24))? {
    ///     let frame = frame?;
    ///     let counts: ArrayView3<u16> = frame.view()?;
    ///     assert_eq!(counts.shape(), [2, 24, 32]);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the cells are of another type, if the frame
    /// is sparse, or if the number of its cells does not agree with its shape.
    pub fn view<T: CellType>(&self) -> Result<ArrayView3<'_, T>> {
        let Cells::Dense(values) = &self.cells else { return Err(is_sparse()) };
        let cells = T::slice(values).ok_or_else(|| self.other_type::<T>())?;
        ArrayView3::from_shape(self.shape(), cells).map_err(|_| self.other_shape(cells.len()))
    }

    /// The cells of a dense frame as an array of shape `[C, H, W]`, without copying them.
    ///
    /// # Errors
    /// As [`view`](Self::view).
    pub fn into_array<T: CellType>(self) -> Result<Array3<T>> {
        self.view::<T>()?;
        let shape = self.shape();
        let Cells::Dense(values) = self.cells else { return Err(is_sparse()) };
        let cells = T::vec(values).unwrap_or_default();
        let n = cells.len();
        Array3::from_shape_vec(shape, cells).map_err(|_| {
            Error::caller("the number of cells does not agree with the frame's shape").found(n)
        })
    }

    /// All cells as an array of f32 of shape `[C, H, W]`, whatever their type is.
    pub fn to_array(&self) -> Array3<f32> {
        let dense = self.to_f32();
        Array3::from_shape_vec(self.shape(), dense).unwrap_or_else(|_| Array3::zeros(self.shape()))
    }

    fn other_type<T: CellType>(&self) -> Error {
        Error::caller("the cells of the frame are of another type")
            .expected(T::DTYPE)
            .found(self.dtype())
    }

    fn other_shape(&self, cells: usize) -> Error {
        Error::caller("the number of cells does not agree with the frame's shape")
            .expected(self.shape.cells())
            .found(cells)
    }
}

fn is_sparse() -> Error {
    Error::caller("a sparse frame cannot be viewed as an array")
        .expected("a dense frame (`into_dense`)")
        .found("a sparse frame")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::{FrameShape, Window};

    fn frame() -> Frame {
        let shape = FrameShape { channels: 2, height: 1, width: 3 };
        let window = Window { start: 0, end: 10 };
        Frame { window, shape, cells: Cells::Dense(CellValues::I16(vec![1, 0, -2, 0, 0, 3])) }
    }

    #[test]
    fn arrays_have_the_cells_at_their_indices() {
        let view = frame();
        let view = view.view::<i16>().unwrap();
        assert_eq!((view[[0, 0, 2]], view[[1, 0, 2]], view.len()), (-2, 3, 6));
        assert_eq!(frame().to_array()[[0, 0, 2]], -2.0);
        assert_eq!(frame().into_array::<i16>().unwrap()[[1, 0, 2]], 3);
        let sparse = frame().to_sparse();
        assert_eq!(sparse.to_array(), frame().to_array());
        assert_eq!(sparse.into_dense(), frame());
    }

    #[test]
    fn what_has_no_array_is_refused() {
        let error = frame().view::<u16>().unwrap_err().to_string();
        assert_eq!(error, "the cells of the frame are of another type: expected u16, found i16");
        assert!(frame().to_sparse().view::<i16>().is_err());
        let mut short = frame();
        short.cells = Cells::Dense(CellValues::I16(vec![1]));
        assert!(short.view::<i16>().is_err() && short.into_array::<i16>().is_err());
    }
}
