//! The number types of networks.

mod exp;

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64`. Networks usually use `f32`; tests run the same code in `f64`.
pub trait Real:
    sealed::Sealed
    + Copy
    + Default
    + PartialEq
    + PartialOrd
    + Debug
    + Display
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + Sum
    + 'static
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The name of the type in files: `F32` or `F64`.
    const NAME: &'static str;

    /// The nearest number to `value`.
    fn of(value: f64) -> Self;
    /// As an `f64`, exactly.
    fn f64(self) -> f64;
    /// e to the power of this number.
    fn exp(self) -> Self;
    /// e to the power of this number, which is not positive, minus 1; accurate near 0. Of a positive number the
    /// result has no meaning.
    fn exp_m1_below(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// Whether the number is neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// 1 / (1 + e^-x).
    #[inline(always)]
    fn sigmoid(self) -> Self {
        Self::ONE / (Self::ONE + (-self).exp())
    }

    /// `max(self, 0)`, except that NaN stays NaN, as in PyTorch: invalid results of a network must not
    /// be hidden by an activation function.
    #[inline(always)]
    fn relu(self) -> Self {
        if self <= Self::ZERO { Self::ZERO } else { self }
    }

    /// The derivative of [`relu`](Self::relu) at this number: 0 up to 0, otherwise 1, also for NaN.
    #[inline(always)]
    fn relu_slope(self) -> Self {
        if self <= Self::ZERO { Self::ZERO } else { Self::ONE }
    }

    /// The nearest number in `low..=high`; NaN stays NaN.
    #[inline(always)]
    fn clamp(self, low: Self, high: Self) -> Self {
        if self < low {
            low
        } else if self > high {
            high
        } else {
            self
        }
    }
}

macro_rules! real {
    ($type:ident, $name:literal: $($function:ident = $path:path)*) => {
        impl Real for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NAME: &'static str = $name;

            #[inline(always)]
            fn of(value: f64) -> Self {
                value as $type
            }
            #[inline(always)]
            fn f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $type::is_finite(self)
            }
            $(#[inline(always)]
            fn $function(self) -> Self {
                $path(self)
            })*
        }
    };
}

// Those of `f32` are vectorised; `f64` is for verification, with the functions of the system.
real!(f32, "F32": exp = exp::exp exp_m1_below = exp::exp_m1_below ln = f32::ln sqrt = f32::sqrt
    tanh = exp::tanh abs = f32::abs);
real!(f64, "F64": exp = f64::exp exp_m1_below = f64::exp_m1 ln = f64::ln sqrt = f64::sqrt
    tanh = f64::tanh abs = f64::abs);
