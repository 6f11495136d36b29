//! Windows over images, which convolutions and poolings share.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::kernels::Window;
use crate::shape::Shape;
use crate::shape::size;

/// Height and width: in a configuration, one number for both, or `[height, width]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "OneOrTwo", into = "OneOrTwo")]
pub struct Pair(pub [usize; 2]);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum OneOrTwo {
    One(usize),
    Two([usize; 2]),
}

impl From<OneOrTwo> for Pair {
    fn from(numbers: OneOrTwo) -> Self {
        match numbers {
            OneOrTwo::One(both) => both.into(),
            OneOrTwo::Two(pair) => Self(pair),
        }
    }
}

impl From<Pair> for OneOrTwo {
    fn from(pair: Pair) -> Self {
        match pair.0 {
            [height, width] if height == width => Self::One(height),
            pair => Self::Two(pair),
        }
    }
}

impl From<usize> for Pair {
    fn from(both: usize) -> Self {
        Self([both; 2])
    }
}

impl From<[usize; 2]> for Pair {
    fn from(pair: [usize; 2]) -> Self {
        Self(pair)
    }
}

impl Pair {
    /// 0 and 0.
    pub(crate) fn zero() -> Self {
        Self([0; 2])
    }

    /// 1 and 1.
    pub(crate) fn one() -> Self {
        Self([1; 2])
    }
}

/// How a window slides over an image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slide {
    pub kernel: Pair,
    pub stride: Pair,
    pub padding: Pair,
    pub dilation: Pair,
}

impl Slide {
    /// The number of channels of the input, and the window over it.
    ///
    /// # Errors
    /// If the input is not an image, a value is 0 that must be above 0, or the window is larger than
    /// the padded input.
    pub fn over(&self, input: &Shape) -> Result<(usize, Window)> {
        let Some((channels, height, width)) = input.image() else {
            return Err(Error::shape("this layer needs images")
                .expected("[.., C, H, W]")
                .found(input));
        };
        let (kernel, stride) = (self.kernel.0, self.stride.0);
        let (padding, dilation) = (self.padding.0, self.dilation.0);
        for (name, pair) in [("kernel", kernel), ("stride", stride), ("dilation", dilation)] {
            if pair.contains(&0) {
                return Err(Error::config(format!("the {name} must be above 0"))
                    .expected("1 or more")
                    .found(format!("{pair:?}")));
            }
        }
        let mut output = [0; 2];
        for (axis, end) in [height, width].into_iter().enumerate() {
            let reach = size("a window", &[kernel[axis] - 1, dilation[axis]])? + 1;
            let padded = size("padding", &[padding[axis], 2])?.saturating_add(end);
            let stride = size("a stride", &[stride[axis]])?;
            let Some(room) = padded.checked_sub(reach) else {
                return Err(Error::shape("the window is larger than its padded input")
                    .expected(format!("a window within {input}, padded by {padding:?}"))
                    .found(format!("a kernel of {kernel:?}, dilated by {dilation:?}")));
            };
            output[axis] = room / stride + 1;
        }
        let input = [height, width];
        let [kh, kw] = kernel;
        let window = Window {
            input,
            output,
            kernel: [1, kh, kw],
            stride,
            padding: [0, padding[0], padding[1]],
            dilation: [1, dilation[0], dilation[1]],
        };
        Ok((channels, window))
    }
}
