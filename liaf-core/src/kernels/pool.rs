//! Pooling of adjacent windows of 2×2 numbers, which most networks use, and sums of channels.
//!
//! The other windows are in the layers themselves.

use multiversion::multiversion;

use super::activate::compile;
use crate::real::Real;

/// Arguments of the mean of each window.
#[derive(Debug)]
pub struct Halve<'a, R> {
    /// Height and width of a plane of the input. If they are odd, the last row or column is left out.
    pub size: [usize; 2],
    /// Input, plane after plane.
    pub x: &'a [R],
    /// Output.
    pub y: &'a mut [R],
}

/// Arguments of its backward pass.
#[derive(Debug)]
pub struct HalveBack<'a, R> {
    /// Height and width of a plane of the input.
    pub size: [usize; 2],
    /// Gradient with respect to the output.
    pub g: &'a [R],
    /// Gradient with respect to the input.
    pub dx: &'a mut [R],
    /// Whether `dx` is written instead of added to.
    pub write: bool,
}

/// Arguments of the maximum of each window.
#[derive(Debug)]
pub struct Largest<'a, R> {
    /// As in [`Halve`].
    pub size: [usize; 2],
    /// Input, plane after plane.
    pub x: &'a [R],
    /// Output.
    pub y: &'a mut [R],
    /// The index of each maximum in its plane; or empty.
    pub index: &'a mut [u32],
}

/// The part of `planes` in which there are windows, as pairs of rows: the ranges of the rows in the
/// input and the range in the output.
#[inline(always)]
fn pairs(size: [usize; 2], planes: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    let ([height, width], half) = (size, size[1] / 2);
    (0..planes).flat_map(move |plane| {
        (0..height / 2).map(move |row| {
            let above = plane * height * width + 2 * row * width;
            (above, above + width, (plane * (height / 2) + row) * half)
        })
    })
}

#[inline(always)]
pub(super) fn halve<R: Real>(n: Halve<'_, R>) {
    let (width, half) = (n.size[1], n.size[1] / 2);
    let factor = R::of(0.25);
    for (above, below, to) in pairs(n.size, n.x.len() / (n.size[0] * width)) {
        let (a, b) = (&n.x[above..][..2 * half], &n.x[below..][..2 * half]);
        let y = &mut n.y[to..to + half];
        for (y, (a, b)) in y.iter_mut().zip(a.chunks_exact(2).zip(b.chunks_exact(2))) {
            *y = (a[0] + a[1] + b[0] + b[1]) * factor;
        }
    }
}

#[inline(always)]
pub(super) fn halve_back<R: Real>(n: HalveBack<'_, R>) {
    let (width, half) = (n.size[1], n.size[1] / 2);
    let factor = R::of(0.25);
    if n.write && n.size.iter().any(|size| size % 2 == 1) {
        n.dx.fill(R::ZERO);
    }
    for (above, below, from) in pairs(n.size, n.dx.len() / (n.size[0] * width)) {
        let g = &n.g[from..from + half];
        for start in [above, below] {
            let rows = n.dx[start..start + 2 * half].chunks_exact_mut(2).zip(g);
            if n.write {
                rows.for_each(|(pair, &g)| pair.fill(g * factor));
            } else {
                rows.for_each(|(pair, &g)| pair.iter_mut().for_each(|dx| *dx += g * factor));
            }
        }
    }
}

#[inline(always)]
pub(super) fn largest<R: Real>(n: Largest<'_, R>) {
    let ([height, width], half) = (n.size, n.size[1] / 2);
    // NaN counts as the maximum, as in PyTorch.
    let over = |x: R, best: R| x > best || x.partial_cmp(&x).is_none();
    for (above, below, to) in pairs(n.size, n.x.len() / (height * width)) {
        let (a, b) = (&n.x[above..][..2 * half], &n.x[below..][..2 * half]);
        let y = &mut n.y[to..to + half];
        let windows = y.iter_mut().zip(a.chunks_exact(2).zip(b.chunks_exact(2)));
        let first = (above % (height * width)) as u32;
        if n.index.is_empty() {
            for (y, (a, b)) in windows {
                *y = [a[1], b[0], b[1]]
                    .into_iter()
                    .fold(a[0], |y, x| if over(x, y) { x } else { y });
            }
            continue;
        }
        let (width, index) = (width as u32, &mut n.index[to..to + half]);
        for ((i, (y, (a, b))), index) in (0u32..).zip(windows).zip(index) {
            let at = first + 2 * i;
            let others = [(a[1], at + 1), (b[0], at + width), (b[1], at + width + 1)];
            (*y, *index) = others
                .into_iter()
                .fold((a[0], at), |best, x| if over(x.0, best.0) { x } else { best });
        }
    }
}

compile!(halve_f32 = halve, Halve<'_, f32>);
compile!(halve_f64 = halve, Halve<'_, f64>);
compile!(halve_back_f32 = halve_back, HalveBack<'_, f32>);
compile!(halve_back_f64 = halve_back, HalveBack<'_, f64>);
compile!(largest_f32 = largest, Largest<'_, f32>);
compile!(largest_f64 = largest, Largest<'_, f64>);

/// The sum of numbers, computed in 16 lanes.
pub(crate) fn sum<R: Real>(numbers: &[R]) -> R {
    let mut lanes = [R::ZERO; 16];
    let whole = numbers.chunks_exact(16);
    let rest: R = whole.remainder().iter().copied().sum();
    for chunk in whole {
        lanes.iter_mut().zip(chunk).for_each(|(lane, &x)| *lane += x);
    }
    lanes.into_iter().sum::<R>() + rest
}

/// Whether all numbers are finite.
pub(crate) fn all_finite<R: Real>(numbers: &[R]) -> bool {
    // Without leaving the loop early, which would keep it from being vectorised.
    let finite = |numbers: &[R]| numbers.iter().fold(true, |all, x| all & x.is_finite());
    numbers.chunks(4096).all(finite)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Means, maxima, their indices and gradients, window by window.
    #[test]
    fn pools_of_odd_and_even_planes_are_those_of_their_windows() {
        for (size, planes) in [([1, 1], 2), ([2, 2], 1), ([3, 5], 2), ([6, 34], 3), ([7, 16], 2)] {
            let ([height, width], half) = (size, [size[0] / 2, size[1] / 2]);
            let (len, outs) = (planes * height * width, planes * half[0] * half[1]);
            let number = |i: usize| ((i * 37 + 11) % 23) as f32 - 7.0;
            let mut x: Vec<f32> = (0..len).map(number).collect();
            if len > 8 {
                x[3] = f32::NAN;
            }
            let g: Vec<f32> = (0..outs).map(|i| number(i + 5)).collect();
            let (mut mean, mut most, mut index) = (vec![9.0; outs], vec![9.0; outs], vec![9; outs]);
            halve_f32(Halve { size, x: &x, y: &mut mean });
            largest_f32(Largest { size, x: &x, y: &mut most, index: &mut index });
            let mut without = vec![9.0; outs];
            largest_f32(Largest { size, x: &x, y: &mut without, index: &mut [] });
            let (mut added, mut written) = (vec![1.0; len], vec![9.0; len]);
            halve_back_f32(HalveBack { size, g: &g, dx: &mut added, write: false });
            halve_back_f32(HalveBack { size, g: &g, dx: &mut written, write: true });
            let mut by_hand = vec![0.0; len];
            for out in 0..outs {
                let (plane, at) = (out / (half[0] * half[1]), out % (half[0] * half[1]));
                let first = 2 * (at / half[1]) * width + 2 * (at % half[1]);
                let window = [first, first + 1, first + width, first + width + 1];
                let values = window.map(|i| x[plane * height * width + i]);
                let best = (0..4).fold(0, |best, i| {
                    if values[i] > values[best] || values[i].is_nan() { i } else { best }
                });
                let sum: f32 = values.iter().sum();
                assert_eq!(mean[out].to_bits(), (sum / 4.0).to_bits(), "{size:?} {out}");
                assert_eq!(most[out].to_bits(), values[best].to_bits(), "{size:?} {out}");
                assert_eq!(without[out].to_bits(), most[out].to_bits());
                assert_eq!(index[out] as usize, window[best], "{size:?} {out}");
                window.iter().for_each(|i| by_hand[plane * height * width + i] += g[out] / 4.0);
            }
            assert_eq!(written, by_hand, "{size:?}");
            assert!(added.iter().zip(&by_hand).all(|(added, by_hand)| *added == 1.0 + by_hand));
        }
    }

    #[test]
    fn sums_and_finite_numbers_of_every_length() {
        for len in [0usize, 1, 15, 16, 33, 5000] {
            let mut numbers: Vec<f32> = (0..len).map(|i| (i % 7) as f32).collect();
            assert_eq!(sum(&numbers), numbers.iter().sum::<f32>(), "{len}");
            assert!(all_finite(&numbers));
            for at in [0, len / 2, len.saturating_sub(1)].into_iter().filter(|&at| at < len) {
                for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    let good = std::mem::replace(&mut numbers[at], bad);
                    assert!(!all_finite(&numbers), "{len} {at}");
                    numbers[at] = good;
                }
            }
        }
    }
}
