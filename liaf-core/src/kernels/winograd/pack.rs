//! Between planes, in which neighbouring numbers are neighbouring pixels, and packed pixels, in which they
//! are neighbouring channels: pixel `(y, x)` of `lanes` channels is at `(y * width + x) * lanes`.

use std::ops::Range;

/// The part of the planes of some channels that is packed.
#[derive(Debug, Clone)]
pub(super) struct Region {
    /// Height and width of a plane.
    pub plane: [usize; 2],
    pub channels: Range<usize>,
    /// The first row and column, which may be outside the plane.
    pub start: [isize; 2],
    /// Number of rows and columns.
    pub size: [usize; 2],
}

impl Region {
    /// The columns that are inside the plane, counted from the first of the region.
    fn columns(&self) -> Range<usize> {
        let inside =
            |column: isize| (column - self.start[1]).clamp(0, self.size[1] as isize) as usize;
        inside(0)..inside(self.plane[1] as isize)
    }

    /// The offset, in the plane, of the first column of `columns` in row `row` of the region, if that is
    /// inside the plane.
    fn source(&self, row: usize, columns: &Range<usize>) -> Option<usize> {
        let y =
            usize::try_from(self.start[0] + row as isize).ok().filter(|&y| y < self.plane[0])?;
        let x = self.start[1] + columns.start as isize;
        Some(y * self.plane[1] + usize::try_from(x).ok()?)
    }
}

/// Packs a region of `planes`, the channels of one step. Pixels outside the plane and lanes without a
/// channel become zeros.
#[inline(always)]
pub(super) fn pack(lanes: usize, region: &Region, planes: &[f32], packed: &mut [f32]) {
    let (columns, plane) = (region.columns(), region.plane[0] * region.plane[1]);
    for (row, packed) in
        packed.chunks_exact_mut(region.size[1] * lanes).take(region.size[0]).enumerate()
    {
        let Some(at) = region.source(row, &columns).filter(|_| !columns.is_empty()) else {
            packed.fill(0.0);
            continue;
        };
        packed[..columns.start * lanes].fill(0.0);
        packed[columns.end * lanes..].fill(0.0);
        let packed = &mut packed[columns.start * lanes..columns.end * lanes];
        let planes = &planes[region.channels.start * plane + at..];
        for lane in 0..lanes {
            let pixels = packed[lane..].iter_mut().step_by(lanes);
            if lane < region.channels.len() {
                let row = &planes[lane * plane..][..columns.len()];
                pixels.zip(row).for_each(|(pixel, &x)| *pixel = x);
            } else {
                pixels.for_each(|pixel| *pixel = 0.0);
            }
        }
    }
}

/// What becomes of the numbers that are unpacked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Store<'a> {
    /// They replace what is there.
    Write,
    /// They replace what is there, after a number is added for each channel.
    Bias(&'a [f32]),
    /// They are added to what is there.
    Add,
}

/// The reverse of [`pack`]. Pixels outside the plane and lanes without a channel are discarded.
#[inline(always)]
pub(super) fn unpack(
    lanes: usize,
    region: &Region,
    packed: &[f32],
    store: Store<'_>,
    planes: &mut [f32],
) {
    let (columns, plane) = (region.columns(), region.plane[0] * region.plane[1]);
    for (row, packed) in
        packed.chunks_exact(region.size[1] * lanes).take(region.size[0]).enumerate()
    {
        let Some(at) = region.source(row, &columns).filter(|_| !columns.is_empty()) else {
            continue;
        };
        let packed = &packed[columns.start * lanes..columns.end * lanes];
        for (lane, channel) in region.channels.clone().enumerate() {
            let row = &mut planes[channel * plane + at..][..columns.len()];
            let pixels = row.iter_mut().zip(packed[lane..].iter().step_by(lanes));
            match store {
                Store::Write => pixels.for_each(|(y, &pixel)| *y = pixel),
                Store::Bias(bias) => {
                    let bias = bias[channel];
                    pixels.for_each(|(y, &pixel)| *y = pixel + bias);
                }
                Store::Add => pixels.for_each(|(y, &pixel)| *y += pixel),
            }
        }
    }
}
