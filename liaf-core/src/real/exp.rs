//! Exponential functions of `f32` without branches or tables, so that loops over them are vectorised.
//!
//! `x = n ln 2 + r` with an integer n and `|r| <= ln 2 / 2` (Cody and Waite 1980), and `e^r - 1` is a
//! polynomial of degree 6, whose error is below 2^-25 of it. Fused multiplications and additions are written
//! out, and never left to the compiler, so that results are the same on every processor.

use std::f32::consts::{LN_2, LOG2_E};

/// ln 2 in two parts. The first has so few bits that its product with n is exact.
const LN_2_PARTS: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// A number so large that adding it rounds to an integer, which is then in its lowest bits.
const ROUND: f32 = 12_582_912.0;

/// `(e^r - 1 - r) / r²` interpolated at Chebyshev's points, from the highest power on.
const CURVE: [f32; 5] = [1.392_618_4e-3, 8.363_179e-3, 4.166_655_6e-2, 0.166_665_76, 0.5];

/// `e^r - 1`.
#[inline(always)]
fn polynomial(r: f32) -> f32 {
    let [mut p, rest @ ..] = CURVE;
    for factor in rest {
        p = p * r + factor;
    }
    p * (r * r) + r
}

/// 2^n for n from -126 to 127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// Limits `x`; NaN stays NaN.
#[inline(always)]
fn limit(x: f32, low: f32, high: f32) -> f32 {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// e^x, to within 2 units in the last place.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // Beyond these limits the result is 0 or infinite.
    let x = limit(x, -104.0, 89.0);
    let shifted = x * LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let r = (x - whole * LN_2_PARTS[0]) - whole * LN_2_PARTS[1];
    let n = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    // A single factor could be subnormal or infinite where the result is neither.
    let half = n >> 1;
    (1.0 + polynomial(r)) * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// e^x - 1 of an x that is not positive, to within 2 units in the last place. What it gives of a positive
/// one has no meaning. Sums of products are rounded once, which is as fast as two roundings in a loop for
/// processors that have an instruction for it, and much slower elsewhere; the results are the same.
#[inline(always)]
pub(super) fn exp_m1_below(x: f32) -> f32 {
    // Below the limit the result is -1.
    let x = if x < -30.0 { -30.0 } else { x };
    let shifted = x.mul_add(LOG2_E, ROUND);
    // What this rounds away is small beside 1.
    let r = (ROUND - shifted).mul_add(LN_2, x);
    // 2^n: the lowest bits of `shifted` are n, and the others leave at the top.
    let scale = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1f32.to_bits()));
    let [mut p, rest @ ..] = CURVE;
    for factor in rest {
        p = p.mul_add(r, factor);
    }
    scale.mul_add(p.mul_add(r * r, r), scale - 1.0)
}

/// tanh x, to within 3 units in the last place.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    let t = exp_m1_below(-2.0 * x.abs());
    (-t / (2.0 + t)).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest distance of `ours` from `theirs`, computed in double precision, in units in the
    /// last place of a float, over floats of all magnitudes up to `most`.
    fn largest_error(ours: fn(f32) -> f32, theirs: fn(f64) -> f64, most: f32) -> (f64, f32) {
        let mut worst = (0.0, 0.0);
        for bits in (0..=u32::MAX).step_by(1021) {
            let x = f32::from_bits(bits);
            if x.is_nan() || x > most {
                continue;
            }
            let (y, exact) = (ours(x), theirs(f64::from(x)));
            let nearest = exact as f32;
            if nearest.is_infinite() {
                // A float just below the largest one may round up to infinity.
                assert!(y.is_infinite() || y > 3.4e38, "{x:e}: {y:e} is not {exact:e}");
                continue;
            }
            let unit = f64::from(nearest.abs().next_up()) - f64::from(nearest.abs());
            let error = (f64::from(y) - exact).abs() / unit;
            if error > worst.0 {
                worst = (error, x);
            }
        }
        worst
    }

    #[test]
    fn functions_are_within_two_units_of_the_mathematical_library() {
        let cases = [
            ("exp", largest_error(exp, f64::exp, f32::INFINITY), 2.0),
            ("exp_m1_below", largest_error(exp_m1_below, f64::exp_m1, 0.0), 2.0),
            ("tanh", largest_error(tanh, f64::tanh, f32::INFINITY), 3.0),
        ];
        for (name, (error, x), most) in cases {
            assert!(error <= most, "{name}: {error} units at {x:e}");
        }
    }

    #[test]
    fn what_is_no_number_stays_so_and_limits_are_reached() {
        for f in [exp, exp_m1_below, tanh] {
            assert!(f(f32::NAN).is_nan());
        }
        assert_eq!([f32::INFINITY, f32::NEG_INFINITY, 0.0].map(exp), [f32::INFINITY, 0.0, 1.0]);
        assert_eq!([f32::NEG_INFINITY, -0.0, 0.0].map(exp_m1_below), [-1.0, -0.0, 0.0]);
        assert_eq!([f32::INFINITY, f32::NEG_INFINITY].map(tanh), [1.0, -1.0]);
    }
}
