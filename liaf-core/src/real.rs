//! The number types networks are made of.

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::kernels::Kernels;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64`. Users train in `f32`; tests run the same code in `f64`.
///
/// The kernels that take most of the time hang here as one table, fast and plain.
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
    /// Its name in files: `F32` or `F64`.
    const NAME: &'static str;

    /// The nearest number to `value`.
    fn of(value: f64) -> Self;
    /// As an `f64`, exactly.
    fn f64(self) -> f64;
    /// e to this power.
    fn exp(self) -> Self;
    /// e to this power, less 1; exact near 0.
    fn exp_m1(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// The larger of the two.
    fn max(self, other: Self) -> Self;
    /// The smaller of the two.
    fn min(self, other: Self) -> Self;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// The fast kernels.
    fn fast() -> &'static Kernels<Self>;
    /// The plain kernels that the fast ones are tested against.
    fn plain() -> &'static Kernels<Self>;

    /// 1 / (1 + e^-x).
    fn sigmoid(self) -> Self {
        Self::ONE / (Self::ONE + (-self).exp())
    }
}

macro_rules! real {
    ($type:ident, $name:literal, $fast:expr, $plain:expr) => {
        impl Real for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NAME: &'static str = $name;

            fn of(value: f64) -> Self {
                value as $type
            }
            fn f64(self) -> f64 {
                f64::from(self)
            }
            fn exp(self) -> Self {
                $type::exp(self)
            }
            fn exp_m1(self) -> Self {
                $type::exp_m1(self)
            }
            fn ln(self) -> Self {
                $type::ln(self)
            }
            fn sqrt(self) -> Self {
                $type::sqrt(self)
            }
            fn tanh(self) -> Self {
                $type::tanh(self)
            }
            fn abs(self) -> Self {
                $type::abs(self)
            }
            fn max(self, other: Self) -> Self {
                $type::max(self, other)
            }
            fn min(self, other: Self) -> Self {
                $type::min(self, other)
            }
            fn is_finite(self) -> bool {
                $type::is_finite(self)
            }
            fn fast() -> &'static Kernels<Self> {
                &$fast
            }
            fn plain() -> &'static Kernels<Self> {
                &$plain
            }
        }
    };
}

real!(f32, "F32", crate::kernels::FAST_F32, crate::kernels::PLAIN_F32);
real!(f64, "F64", crate::kernels::FAST_F64, crate::kernels::PLAIN_F64);
