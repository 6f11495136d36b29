//! Pooling at every time step: averages and maxima of windows, and the mean of an image.

mod avg;
mod max;
mod mean;

pub use avg::AvgPool;
pub use max::MaxPool;
pub use mean::SpatialMean;

use crate::error::{Error, Result};
use crate::kernels::Window;
use crate::layer::contract::only;
use crate::layer::window::{Pair, Slide};
use crate::shape::Shape;

/// The shape of the output and the window of a pooling.
fn window(
    inputs: &[Shape],
    kernel: Pair,
    stride: Option<Pair>,
    padding: Pair,
) -> Result<(Shape, Window)> {
    let stride = stride.unwrap_or(kernel);
    let slide = Slide { kernel, stride, padding, dilation: Pair::one() };
    let input = only(inputs)?;
    let (channels, window) = slide.over(input)?;
    if (0..2).any(|axis| padding.0[axis] > kernel.0[axis] / 2) {
        return Err(Error::config("the padding of a pooling must be at most half its window")
            .expected(format!("at most half of {:?}", kernel.0))
            .found(format!("{:?}", padding.0)));
    }
    let [height, width] = window.output;
    Ok((input.with_item([channels, height, width]), window))
}

/// Whether the windows are adjacent, of 2×2 elements.
fn halves(window: &Window) -> bool {
    window.kernel == [1, 2, 2] && window.stride == [2, 2] && window.padding == [0; 3]
}

/// With at least this many numbers, a pooling is worth several threads.
const WORTH_THREADS: usize = 1 << 18;

/// The number of planes that are pooled together, of all the planes of a signal of `total` numbers.
/// Planes do not depend on each other, so that results do not depend on this.
fn planes_at_once(planes: usize, total: usize) -> usize {
    let parts = if total < WORTH_THREADS { 1 } else { rayon::current_num_threads() };
    planes.div_ceil(parts).max(1)
}

/// Calls `each` for every position in the output of a plane, with the indices of the input numbers in
/// its window, row by row.
fn positions(window: &Window, mut each: impl FnMut(usize, &mut dyn Iterator<Item = usize>)) {
    let ([height, width], [_, kh, kw]) = (window.input, window.kernel);
    for y in 0..window.output[0] {
        for x in 0..window.output[1] {
            let inside = |position: usize, axis: usize, k: usize, end: usize| {
                let at = (position * window.stride[axis - 1] + k).checked_sub(window.padding[axis]);
                at.filter(|&at| at < end)
            };
            let rows = (0..kh).filter_map(|j| inside(y, 1, j, height));
            let mut numbers = rows.flat_map(|row| {
                (0..kw).filter_map(move |k| inside(x, 2, k, width).map(|at| row * width + at))
            });
            each(y * window.output[1] + x, &mut numbers);
        }
    }
}
