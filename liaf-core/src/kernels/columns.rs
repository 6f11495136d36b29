//! The numbers under a window as columns of a matrix (im2col), and the reverse (col2im).
//!
//! Row `((c·kt + i)·kh + j)·kw + k` contains what element (i, j, k) of the window covers in channel c;
//! a column is a position of the window. Positions are grouped in lines: a line is one row of the
//! output of one step, with line number `t·H' + y`.

use std::ops::Range;

use crate::real::Real;

use super::conv::{Conv, Window};

/// One row of the matrix, limited to the lines of one step.
struct Span<'a> {
    window: &'a Window,
    /// Rows of the output.
    rows: Range<usize>,
    /// Offset of the element in the window, in height and width.
    offset: [isize; 2],
}

impl Span<'_> {
    /// Rows of the output for which the element is inside the input, counted from the first of the
    /// span.
    fn lines(&self) -> Range<usize> {
        let reach = self.window.reach(1, self.offset[0]);
        let clip = |row: usize| row.clamp(self.rows.start, self.rows.end) - self.rows.start;
        clip(reach.start)..clip(reach.end)
    }

    /// Start of the row of the input under line `line` of the span.
    fn source(&self, line: usize) -> usize {
        self.window.under(1, self.rows.start + line, self.offset[0]) * self.window.input[1]
    }

    /// For a window that [`shifts`](Window::shifts): the range of numbers in the lines and the range in
    /// the input that are equal, except for the columns outside `reach`.
    fn shifted(&self, lines: &Range<usize>) -> (Range<usize>, Range<usize>) {
        let width = self.window.output[1];
        let start = self.source(lines.start) as isize + self.offset[1];
        let end = start + (lines.len() * width) as isize;
        let plane = self.window.plane() as isize;
        let skip = (-start).max(0);
        let over = (end - plane).max(0);
        let (from, to) = (start + skip, (end - over).max(start + skip));
        let first = lines.start * width + skip as usize;
        (first..first + (to - from) as usize, from as usize..to as usize)
    }

    /// Sets the numbers to 0 for which the element is left or right of the input.
    fn clear_sides<R: Real>(&self, columns: &Range<usize>, lines: &mut [R]) {
        let width = self.window.output[1];
        if *columns == (0..width) {
            return;
        }
        for line in lines.chunks_exact_mut(width) {
            line[..columns.start].fill(R::ZERO);
            line[columns.end..].fill(R::ZERO);
        }
    }

    fn gather<R: Real>(&self, plane: &[R], out: &mut [R]) {
        let (width, lines) = (self.window.output[1], self.lines());
        let columns = self.window.reach(2, self.offset[1]);
        if lines.is_empty() || columns.is_empty() {
            out.fill(R::ZERO);
            return;
        }
        out[..lines.start * width].fill(R::ZERO);
        out[lines.end * width..].fill(R::ZERO);
        if self.window.shifts() {
            let (to, from) = self.shifted(&lines);
            out[to].copy_from_slice(&plane[from]);
            self.clear_sides(&columns, &mut out[lines.start * width..lines.end * width]);
            return;
        }
        let stride = self.window.stride[1];
        let first = self.window.under(2, columns.start, self.offset[1]);
        for line in lines {
            let to = &mut out[line * width..(line + 1) * width];
            to[..columns.start].fill(R::ZERO);
            to[columns.end..].fill(R::ZERO);
            let from = &plane[self.source(line) + first..];
            let to = &mut to[columns.clone()];
            if stride == 1 {
                to.copy_from_slice(&from[..to.len()]);
            } else {
                to.iter_mut().zip(from.iter().step_by(stride)).for_each(|(to, &x)| *to = x);
            }
        }
    }

    fn scatter<R: Real>(&self, column: &mut [R], plane: &mut [R]) {
        let (width, lines) = (self.window.output[1], self.lines());
        let columns = self.window.reach(2, self.offset[1]);
        if lines.is_empty() || columns.is_empty() {
            return;
        }
        if self.window.shifts() {
            self.clear_sides(&columns, &mut column[lines.start * width..lines.end * width]);
            let (from, to) = self.shifted(&lines);
            plane[to].iter_mut().zip(&column[from]).for_each(|(sum, &g)| *sum += g);
            return;
        }
        let stride = self.window.stride[1];
        let first = self.window.under(2, columns.start, self.offset[1]);
        for line in lines {
            let from = &column[line * width..(line + 1) * width][columns.clone()];
            let to = &mut plane[self.source(line) + first..];
            to.iter_mut().step_by(stride).zip(from).for_each(|(sum, &g)| *sum += g);
        }
    }
}

/// Visits the rows of the matrix and the steps in `lines`: channel, step of the input if there is one,
/// range of numbers in the row, and span.
fn walk(
    conv: &Conv,
    group: usize,
    steps: usize,
    lines: Range<usize>,
    mut each: impl FnMut(usize, Option<usize>, Range<usize>, Span<'_>),
) {
    let window = &conv.window;
    let [height, width] = window.output;
    let (channels, total) = (conv.inputs / conv.groups, lines.len() * width);
    let [kt, kh, kw] = window.kernel;
    for row in 0..channels * kt * kh * kw {
        let (x, y) = (row % kw, row / kw % kh);
        let (t, channel) = (row / (kw * kh) % kt, group * channels + row / (kw * kh * kt));
        let offset = [window.offset(1, y), window.offset(2, x)];
        let mut line = lines.start;
        while line < lines.end {
            let step = line / height;
            let rows = line - step * height..height.min(lines.end - step * height);
            let at = row * total + (line - lines.start) * width;
            let numbers = at..at + rows.len() * width;
            line += rows.len();
            let source = step.checked_add_signed(window.offset(0, t)).filter(|&s| s < steps);
            each(channel, source, numbers, Span { window, rows, offset });
        }
    }
}

/// Writes the matrix for some lines of `x`, `[T, C, H, W]`: [`Conv::taps`] rows of `lines.len() · W'`
/// numbers.
pub(super) fn gather<R: Real>(
    conv: &Conv,
    group: usize,
    x: &[R],
    lines: Range<usize>,
    matrix: &mut [R],
) {
    let (plane, step_len) = (conv.window.plane(), conv.input_len());
    walk(conv, group, x.len() / step_len, lines, |channel, step, numbers, span| match step {
        Some(step) => {
            let at = step * step_len + channel * plane;
            span.gather(&x[at..at + plane], &mut matrix[numbers]);
        }
        None => matrix[numbers].fill(R::ZERO),
    });
}

/// Adds every number of the matrix to the number in `dx` from which [`gather`] would take it. Numbers
/// outside the input are discarded.
pub(super) fn scatter<R: Real>(
    conv: &Conv,
    group: usize,
    matrix: &mut [R],
    lines: Range<usize>,
    dx: &mut [R],
) {
    let (plane, step_len) = (conv.window.plane(), conv.input_len());
    walk(conv, group, dx.len() / step_len, lines, |channel, step, numbers, span| {
        if let Some(step) = step {
            let at = step * step_len + channel * plane;
            span.scatter(&mut matrix[numbers], &mut dx[at..at + plane]);
        }
    });
}
