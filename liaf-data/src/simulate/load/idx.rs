//! IDX, the format of MNIST: two zero bytes, the type of the elements (8 = u8), the number of axes, the length of
//! each as u32 in big-endian order, and the elements ([LeCun et al.]).
//!
//! [LeCun et al.]: https://yann.lecun.org/exdb/mnist/

use crate::error::{Error, Result};

/// Whether these are the bytes of images.
pub(super) fn is_images(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0, 0, 8, 3])
}

/// Whether these are the bytes of labels.
pub(super) fn is_labels(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0, 0, 8, 1])
}

/// Width, height and grey values of the images.
pub(super) fn images(bytes: &[u8]) -> Result<(usize, usize, &[u8])> {
    let ([_, height, width], grey) = elements::<3>(bytes)?;
    if grey.is_empty() {
        return Err(Error::malformed("the file has no images").at(4));
    }
    Ok((width, height, grey))
}

/// The labels.
pub(super) fn labels(bytes: &[u8]) -> Result<&[u8]> {
    Ok(elements::<1>(bytes)?.1)
}

fn elements<const N: usize>(bytes: &[u8]) -> Result<([usize; N], &[u8])> {
    let cut = |at: usize| Error::truncated("the file ends too early").at(at as u64);
    let start = 4 + 4 * N;
    let header = bytes.get(4..start).ok_or_else(|| cut(bytes.len()))?;
    let mut sides = [0; N];
    for (side, word) in sides.iter_mut().zip(header.as_chunks().0) {
        *side = u32::from_be_bytes(*word) as usize;
    }
    let product = sides.iter().try_fold(1_usize, |all, &side| all.checked_mul(side));
    let size = product.filter(|&size| size <= isize::MAX as usize - start);
    let size = size.ok_or_else(|| Error::malformed("the sides are too large").at(4))?;
    let found = &bytes[start..];
    match found.len() {
        n if n == size => Ok((sides, found)),
        n if n < size => Err(cut(bytes.len()).expected(format!("{size} bytes")).found(n)),
        n => {
            let error = Error::malformed("there is more than the stated elements");
            Err(error.at((start + size) as u64).expected(format!("{size} bytes")).found(n))
        }
    }
}
