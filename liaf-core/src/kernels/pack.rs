//! Between planes, in which neighbouring numbers are neighbouring pixels, and packed pixels, in which they
//! are neighbouring channels: a vector for each pixel, row by row.

use std::ops::Range;

use pulp::Simd;
use pulp::bytemuck::{cast_slice, cast_slice_mut};

/// The most lanes of a vector on any processor.
pub(super) const LANES: usize = 16;

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
        if columns.is_empty() {
            return None;
        }
        let y =
            usize::try_from(self.start[0] + row as isize).ok().filter(|&y| y < self.plane[0])?;
        let x = self.start[1] + columns.start as isize;
        Some(y * self.plane[1] + usize::try_from(x).ok()?)
    }
}

/// Packs a region of `planes`, the channels of one step. The vectors of neighbouring pixels are `apart`
/// vectors from each other. Pixels outside the plane and lanes without a channel become zeros.
#[inline(always)]
pub(super) fn pack<S: Simd>(
    simd: S,
    region: &Region,
    planes: &[f32],
    (packed, apart): (&mut [S::f32s], usize),
) {
    let lanes = S::F32_LANES;
    let (columns, plane) = (region.columns(), region.plane[0] * region.plane[1]);
    let (count, zero) = (region.channels.len(), simd.splat_f32s(0.0));
    for y in 0..region.size[0] {
        let packed = &mut packed[y * region.size[1] * apart..];
        let Some(at) = region.source(y, &columns) else {
            packed.iter_mut().step_by(apart).take(region.size[1]).for_each(|pixel| *pixel = zero);
            continue;
        };
        for x in (0..columns.start).chain(columns.end..region.size[1]) {
            packed[x * apart] = zero;
        }
        let packed = cast_slice_mut::<_, f32>(&mut packed[columns.start * apart..]);
        let mut lane = 0;
        if lanes.is_multiple_of(4) && columns.len() >= lanes {
            while lane + 4 <= count {
                let mut rows = [&planes[..0]; 4];
                for (i, row) in rows.iter_mut().enumerate() {
                    let channel = region.channels.start + lane + i;
                    *row = &planes[channel * plane + at..][..columns.len()];
                }
                pack_four(simd, rows, (&mut packed[lane..], apart * lanes));
                lane += 4;
            }
        }
        for lane in lane..lanes {
            let pixels = packed[lane..].iter_mut().step_by(apart * lanes).take(columns.len());
            if lane < count {
                let row = &planes[(region.channels.start + lane) * plane + at..];
                pixels.zip(row).for_each(|(pixel, &x)| *pixel = x);
            } else {
                pixels.for_each(|pixel| *pixel = 0.0);
            }
        }
    }
}

/// Packs a row of four channels, with at least as many pixels as a vector has lanes.
#[inline(always)]
fn pack_four<S: Simd>(simd: S, rows: [&[f32]; 4], (packed, apart): (&mut [f32], usize)) {
    let (lanes, len) = (S::F32_LANES, rows[0].len());
    for first in (0..len).step_by(lanes) {
        // The last vector of a row overlaps the one before it.
        let first = first.min(len - lanes);
        let mut vectors = [simd.splat_f32s(0.0); 4];
        for (vector, row) in vectors.iter_mut().zip(rows) {
            *vector = S::as_simd_f32s(&row[first..first + lanes]).0[0];
        }
        let vectors = simd.deinterleave_shfl_f32s(vectors);
        for (i, vector) in vectors.iter().enumerate() {
            for (piece, quad) in quads::<S>(vector).iter().enumerate() {
                packed[(first + 4 * piece + i) * apart..][..4].copy_from_slice(quad);
            }
        }
    }
}

/// A vector in pieces of four lanes. Where `deinterleave_shfl` is used here, it exchanges rows and columns
/// of four vectors within each piece: from four pixels of four channels to four channels of four pixels.
#[inline(always)]
fn quads<S: Simd>(vector: &S::f32s) -> &[[f32; 4]] {
    cast_slice(std::slice::from_ref(vector))
}

/// What becomes of the numbers that are unpacked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Store<'a> {
    /// They replace what is there.
    Write,
    /// A number for each channel is added to them, and they replace what is there.
    Bias(&'a [f32]),
    /// They are added to what is there.
    Add,
}

/// The reverse of [`pack`]. Pixels outside the plane and lanes without a channel are discarded.
#[inline(always)]
pub(super) fn unpack<S: Simd>(
    simd: S,
    region: &Region,
    (packed, apart): (&[S::f32s], usize),
    store: Store<'_>,
    planes: &mut [f32],
) {
    let (lanes, channels) = (S::F32_LANES, region.channels.clone());
    let (columns, plane) = (region.columns(), region.plane[0] * region.plane[1]);
    let mut bias = [0.0; LANES];
    if let Store::Bias(all) = store {
        bias[..channels.len()].copy_from_slice(&all[channels.clone()]);
    }
    let (add, plus) = (matches!(store, Store::Add), S::as_simd_f32s(&bias).0[0]);
    for y in 0..region.size[0] {
        let Some(at) = region.source(y, &columns) else { continue };
        let at = channels.start * plane + at;
        let packed = &packed[(y * region.size[1] + columns.start) * apart..];
        let mut x = 0;
        while lanes.is_multiple_of(4) && x + 4 <= columns.len() {
            let mut vectors = [plus; 4];
            for (i, vector) in vectors.iter_mut().enumerate() {
                *vector = simd.add_f32s(packed[(x + i) * apart], plus);
            }
            let vectors = simd.deinterleave_shfl_f32s(vectors);
            let (planes, lanes) = ((&mut planes[at + x..], plane), channels.len());
            match add {
                true => put_four::<S, true>(&vectors, planes, lanes),
                false => put_four::<S, false>(&vectors, planes, lanes),
            }
            x += 4;
        }
        for x in x..columns.len() {
            let pixel = simd.add_f32s(packed[x * apart], plus);
            let numbers = cast_slice::<_, f32>(std::slice::from_ref(&pixel));
            for (lane, &number) in numbers[..channels.len()].iter().enumerate() {
                let to = &mut planes[at + lane * plane + x];
                *to = if add { *to + number } else { number };
            }
        }
    }
}

/// Writes four pixels of as many channels as a vector has lanes, or adds them. Of the planes, which are
/// `plane` numbers from each other, the first `lanes` are written.
#[inline(always)]
fn put_four<S: Simd, const ADD: bool>(
    vectors: &[S::f32s; 4],
    (planes, plane): (&mut [f32], usize),
    lanes: usize,
) {
    for (i, vector) in vectors.iter().enumerate() {
        for (piece, quad) in quads::<S>(vector).iter().enumerate() {
            let lane = 4 * piece + i;
            if lane >= lanes {
                continue;
            }
            if let Some(to) = planes[lane * plane..].first_chunk_mut::<4>() {
                for (to, &number) in to.iter_mut().zip(quad) {
                    *to = if ADD { *to + number } else { number };
                }
            }
        }
    }
}
