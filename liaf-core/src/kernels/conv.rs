//! Convolutions: their geometry, and the arguments of their kernels. `x` is `[T, C, H, W]`.
//!
//! The same geometry describes convolutions in space and those in space and time: a window with
//! the size `kernel`, [time, height, width], slides over `[T, H, W]`. The stride in time is 1.

use std::ops::Range;

use crate::memory::Scratch;

use super::Matrix;

/// A window that slides over time, height and width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Height and width of the input.
    pub input: [usize; 2],
    /// Height and width of the output.
    pub output: [usize; 2],
    /// Number of steps, rows and columns of the window.
    pub kernel: [usize; 3],
    /// Number of rows and columns from one position of the window to the next.
    pub stride: [usize; 2],
    /// Number of zeros before and after each axis.
    pub padding: [usize; 3],
    /// Distance between neighbouring elements of the window (dilation).
    pub dilation: [usize; 3],
}

impl Window {
    /// Number of values in one channel of the input.
    pub fn plane(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// Number of values in one channel of the output.
    pub fn positions(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Number of elements in the window.
    pub fn len(&self) -> usize {
        self.kernel.iter().product()
    }

    /// Offset of element `k` of the window on `axis` (0 time, 1 height, 2 width), relative to the
    /// position of the window times the stride.
    pub(crate) fn offset(&self, axis: usize, k: usize) -> isize {
        (k * self.dilation[axis]) as isize - self.padding[axis] as isize
    }

    /// The positions on `axis` (1 height, 2 width) at which the element at `offset` is inside the
    /// input.
    pub(crate) fn reach(&self, axis: usize, offset: isize) -> Range<usize> {
        reach(self.output[axis - 1], self.input[axis - 1], self.stride[axis - 1], offset)
    }

    /// The row or column of the input on `axis` that is under `position`, which must be in `reach`.
    pub(crate) fn under(&self, axis: usize, position: usize, offset: isize) -> usize {
        (position * self.stride[axis - 1]).wrapping_add_signed(offset)
    }

    /// Whether the rows of input and output have equal widths and the stride is 1, so that one element
    /// of the window covers the whole input, shifted.
    pub(crate) fn shifts(&self) -> bool {
        self.stride == [1, 1] && self.input[1] == self.output[1]
    }

    /// Whether every position covers exactly the number under it, as in a 1×1 convolution.
    pub(crate) fn is_point(&self) -> bool {
        self.len() == 1 && self.stride == [1, 1] && self.padding == [0; 3]
    }
}

/// The positions below `output` for which `position * stride + offset` is in `0..input`.
fn reach(output: usize, input: usize, stride: usize, offset: isize) -> Range<usize> {
    let below = if offset < 0 { offset.unsigned_abs().div_ceil(stride) } else { 0 };
    let room = input as isize - offset;
    let above = if room <= 0 { 0 } else { (room.unsigned_abs() - 1) / stride + 1 };
    let above = above.min(output);
    below.min(above)..above
}

/// A convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv {
    /// Number of channels of the input.
    pub inputs: usize,
    /// Number of channels of the output.
    pub outputs: usize,
    /// Number of groups of channels that are independent of each other.
    pub groups: usize,
    /// The window.
    pub window: Window,
}

impl Conv {
    /// Number of weights of one output channel.
    pub fn taps(&self) -> usize {
        self.inputs / self.groups * self.window.len()
    }

    /// Number of values in one step of the input.
    pub fn input_len(&self) -> usize {
        self.inputs * self.window.plane()
    }

    /// Number of values in one step of the output.
    pub fn output_len(&self) -> usize {
        self.outputs * self.window.positions()
    }

    /// The rows of weights of a group.
    pub(super) fn rows_of<'a, R>(
        &self,
        group: usize,
        weight: &'a [R],
        width: usize,
    ) -> Matrix<'a, R> {
        Matrix::rows(&weight[group * (self.outputs / self.groups) * width..], width)
    }
}

/// The initial value of the output of a convolution.
#[derive(Debug, Clone, Copy)]
pub enum Begin<'a, R> {
    /// Zero everywhere.
    Zero,
    /// One number for each channel.
    Bias(&'a [R]),
}

/// `y = begin + x * weight`.
#[derive(Debug)]
pub struct ConvForward<'a, R> {
    /// Geometry of the convolution.
    pub conv: &'a Conv,
    /// `[T, C, H, W]`.
    pub x: &'a [R],
    /// A row of [`Conv::taps`] numbers for each output channel.
    pub weight: &'a [R],
    /// Distance between these rows.
    pub width: usize,
    /// The initial value of the output.
    pub begin: Begin<'a, R>,
    /// `[T', C', H', W']`.
    pub y: &'a mut [R],
    /// Work memory.
    pub scratch: &'a mut Scratch<R>,
}

/// Adds to the gradient with respect to the weights.
#[derive(Debug)]
pub struct ConvWeights<'a, R> {
    /// Geometry of the convolution.
    pub conv: &'a Conv,
    /// `[T, C, H, W]`.
    pub x: &'a [R],
    /// Gradient with respect to the output, `[T', C', H', W']`.
    pub g: &'a [R],
    /// Rows as in [`ConvForward::weight`].
    pub d_weight: &'a mut [R],
    /// Distance between these rows.
    pub width: usize,
    /// Work memory.
    pub scratch: &'a mut Scratch<R>,
}

/// Adds to the gradient with respect to the input, or writes it.
#[derive(Debug)]
pub struct ConvInputs<'a, R> {
    /// Geometry of the convolution.
    pub conv: &'a Conv,
    /// Gradient with respect to the output, `[T', C', H', W']`.
    pub g: &'a [R],
    /// As in [`ConvForward`].
    pub weight: &'a [R],
    /// Distance between its rows.
    pub width: usize,
    /// `[T, C, H, W]`.
    pub dx: &'a mut [R],
    /// Whether `dx` is written instead of added to.
    pub write: bool,
    /// Work memory.
    pub scratch: &'a mut Scratch<R>,
}

#[cfg(test)]
mod tests {
    use super::reach;

    #[test]
    fn reach_is_what_trying_every_place_finds() {
        for input in 1..6usize {
            for output in 1..8usize {
                for stride in 1..4usize {
                    for offset in -9..9isize {
                        let inside = |&position: &usize| {
                            (0..input as isize).contains(&((position * stride) as isize + offset))
                        };
                        let tried: Vec<_> = (0..output).filter(inside).collect();
                        let found: Vec<_> = reach(output, input, stride, offset).collect();
                        assert_eq!(found, tried, "{input} {output} {stride} {offset}");
                    }
                }
            }
        }
    }
}
