//! Convolutions as products of matrices, tile by tile, so that the columns fit in the cache.
//!
//! A tile consists of as many lines of the output as fit in [`TILE`] bytes of columns: some rows of one
//! step, or several steps. In a tile of several steps the channels of the output are not one contiguous
//! matrix, so they are copied.

use std::ops::Range;

use crate::memory::Buffer;
use crate::real::Real;

use super::conv::{Begin, Conv, ConvForward, ConvInputs, ConvWeights};
use super::{Matrix, Product, columns, fast};

/// Number of bytes of columns that are processed at a time.
const TILE: usize = 256 << 10;

/// The lines of each tile, for an output of `steps` steps.
fn tiles<R>(conv: &Conv, steps: usize) -> impl Iterator<Item = Range<usize>> {
    let [height, width] = conv.window.output;
    let room = (TILE / (conv.taps() * width * size_of::<R>())).max(1);
    // A tile has whole steps, or is one of equal parts of a step.
    let lines = if conv.window.is_point() {
        height
    } else if room >= height {
        room / height * height
    } else {
        height.div_ceil(height.div_ceil(room))
    };
    let (parts, end) = (height.div_ceil(lines), steps * height);
    let whole = lines.max(height);
    (0..end).step_by(whole).flat_map(move |first| {
        (0..parts).map(move |part| {
            let from = first + part * lines;
            from..(from + lines).min(first + whole).min(end)
        })
    })
}

/// The most numbers that these kernels take from their work memory for `steps` steps: the columns of
/// the largest tile, and the copy of a tile of several steps.
pub(super) fn room<R>(conv: &Conv, steps: usize) -> usize {
    let (taps, tile) = (conv.taps(), TILE / size_of::<R>());
    let columns = if conv.window.is_point() {
        0
    } else {
        taps.saturating_mul(conv.window.output[1]).max(tile)
    };
    let several = (tile / taps.max(1)).saturating_mul(conv.outputs / conv.groups);
    let copy = if steps > 1 { several.min(steps.saturating_mul(conv.output_len())) } else { 0 };
    columns.saturating_add(copy)
}

/// One tile of one group of the output, or of its gradient: channels × positions.
struct Part {
    lines: Range<usize>,
    positions: usize,
    /// Index, in the output, of the first number of the first channel and line.
    first: usize,
    channels: usize,
    /// Whether all lines belong to one step, so that the matrix is contiguous in the output.
    whole: bool,
    /// Number of positions in one step, and number of values in one step.
    plane: usize,
    step: usize,
}

impl Part {
    fn new(conv: &Conv, group: usize, lines: Range<usize>) -> Self {
        let [height, width] = conv.window.output;
        let (step, channels) = (lines.start / height, conv.outputs / conv.groups);
        let plane = conv.window.positions();
        Self {
            positions: lines.len() * width,
            first: step * conv.output_len()
                + group * channels * plane
                + (lines.start - step * height) * width,
            channels,
            whole: lines.end <= (step + 1) * height,
            plane,
            step: conv.output_len(),
            lines,
        }
    }

    /// For each channel and step, the range of its numbers in the output and in a separate matrix.
    fn pieces(&self) -> impl Iterator<Item = (usize, Range<usize>, Range<usize>)> + '_ {
        (0..self.channels).flat_map(move |channel| {
            (0..self.positions / self.plane).map(move |step| {
                let outer = self.first + channel * self.plane + step * self.step;
                let inner = channel * self.positions + step * self.plane;
                (channel, outer..outer + self.plane, inner..inner + self.plane)
            })
        })
    }

    /// The tile of `g` as a matrix, which is in `g` itself or copied to `copy`.
    fn matrix<'a, R: Real>(&self, g: &'a [R], copy: &'a mut [R]) -> Matrix<'a, R> {
        if self.whole {
            return Matrix::rows(&g[self.first..], self.plane);
        }
        for (_, outer, inner) in self.pieces() {
            copy[inner].copy_from_slice(&g[outer]);
        }
        Matrix::rows(copy, self.positions)
    }

    /// Number of values in a copy.
    fn copied(&self) -> usize {
        if self.whole { 0 } else { self.channels * self.positions }
    }
}

/// The columns of a tile: gathered in `buffer`, or the input itself.
fn columns_of<'a, R: Real>(
    conv: &Conv,
    group: usize,
    part: &Part,
    x: &'a [R],
    buffer: &'a mut Buffer<R>,
) -> Matrix<'a, R> {
    if conv.window.is_point() {
        let step = part.lines.start / conv.window.output[0];
        let plane = conv.window.plane();
        let at = step * conv.input_len() + group * (conv.inputs / conv.groups) * plane;
        return Matrix::rows(&x[at..], plane);
    }
    buffer.set_len(conv.taps() * part.positions);
    columns::gather(conv, group, x, part.lines.clone(), buffer);
    Matrix::rows(buffer, part.positions)
}

/// Calls `each` for every tile and group.
fn parts<R: Real>(conv: &Conv, steps: usize, mut each: impl FnMut(usize, Part)) {
    for lines in tiles::<R>(conv, steps) {
        for group in 0..conv.groups {
            each(group, Part::new(conv, group, lines.clone()));
        }
    }
}

fn begin<R: Real>(conv: &Conv, begin: Begin<'_, R>, y: &mut [R]) {
    match begin {
        Begin::Zero => y.fill(R::ZERO),
        Begin::Bias(bias) => {
            for step in y.chunks_exact_mut(conv.output_len()) {
                let planes = step.chunks_exact_mut(conv.window.positions());
                planes.zip(bias).for_each(|(plane, &bias)| plane.fill(bias));
            }
        }
    }
}

pub(super) fn forward<R: Real>(call: ConvForward<'_, R>) {
    let ConvForward { conv, x, weight, width, y, scratch, .. } = call;
    begin(conv, call.begin, y);
    let steps = y.len() / conv.output_len();
    let (mut buffer, mut copy) = (scratch.take(0), scratch.take(0));
    parts::<R>(conv, steps, |group, part| {
        let b = columns_of(conv, group, &part, x, &mut buffer);
        let a = conv.rows_of(group, weight, width);
        copy.set_len(part.copied());
        let (c, c_width) = if part.whole {
            (&mut y[part.first..], part.plane)
        } else {
            (&mut copy[..], part.positions)
        };
        let (m, n, k) = (part.channels, part.positions, conv.taps());
        fast::product(Product { m, n, k, a, b, c, c_width, add: part.whole });
        if !part.whole {
            for (_, outer, inner) in part.pieces() {
                y[outer].iter_mut().zip(&copy[inner]).for_each(|(y, &sum)| *y += sum);
            }
        }
    });
    scratch.put_all([buffer, copy]);
}

pub(super) fn weights<R: Real>(call: ConvWeights<'_, R>) {
    let ConvWeights { conv, x, g, d_weight, width, scratch } = call;
    let steps = g.len() / conv.output_len();
    let (mut buffer, mut copy) = (scratch.take(0), scratch.take(0));
    parts::<R>(conv, steps, |group, part| {
        copy.set_len(part.copied());
        let a = part.matrix(g, &mut copy);
        let columns = columns_of(conv, group, &part, x, &mut buffer);
        let b = Matrix { data: columns.data, rows: columns.cols, cols: columns.rows };
        let (m, n, k) = (part.channels, conv.taps(), part.positions);
        let c = &mut d_weight[group * part.channels * width..];
        fast::product(Product { m, n, k, a, b, c, c_width: width, add: true });
    });
    scratch.put_all([buffer, copy]);
}

pub(super) fn inputs<R: Real>(call: ConvInputs<'_, R>) {
    let ConvInputs { conv, g, weight, width, dx, write, scratch } = call;
    if write {
        dx.fill(R::ZERO);
    }
    let steps = g.len() / conv.output_len();
    let (mut buffer, mut copy) = (scratch.take(0), scratch.take(0));
    parts::<R>(conv, steps, |group, part| {
        copy.set_len(part.copied());
        let b = part.matrix(g, &mut copy);
        let rows = conv.rows_of(group, weight, width);
        let a = Matrix { data: rows.data, rows: rows.cols, cols: rows.rows };
        let (m, n, k) = (conv.taps(), part.positions, part.channels);
        if conv.window.is_point() {
            let step = part.lines.start / conv.window.output[0];
            let at = step * conv.input_len() + group * m * conv.window.plane();
            let (c, c_width) = (&mut dx[at..], conv.window.plane());
            fast::product(Product { m, n, k, a, b, c, c_width, add: true });
            return;
        }
        buffer.set_len(m * n);
        fast::product(Product { m, n, k, a, b, c: &mut buffer, c_width: n, add: false });
        columns::scatter(conv, group, &mut buffer, part.lines.clone(), dx);
    });
    scratch.put_all([buffer, copy]);
}
