//! Activation functions of many numbers, in loops that the compiler vectorises.
//!
//! They are `for` loops, because the body of a `for_each` may become a function of its own, which is then
//! compiled without the wide vectors of the function that calls it.

use multiversion::multiversion;

use crate::activation::Activation;
use crate::real::Real;

/// Evaluates `$body` with `$own` bound to the activation, once for each kind of activation, so that
/// loops in it are compiled for every kind separately.
macro_rules! by_kind {
    ($activation:expr, $own:ident => $body:expr) => {
        match $activation {
            Activation::Identity => {
                let $own = Activation::Identity;
                $body
            }
            Activation::Relu => {
                let $own = Activation::Relu;
                $body
            }
            Activation::LeakyRelu { slope } => {
                let $own = Activation::LeakyRelu { slope };
                $body
            }
            Activation::Selu => {
                let $own = Activation::Selu;
                $body
            }
            Activation::Elu { alpha } => {
                let $own = Activation::Elu { alpha };
                $body
            }
            Activation::Sigmoid => {
                let $own = Activation::Sigmoid;
                $body
            }
            Activation::Tanh => {
                let $own = Activation::Tanh;
                $body
            }
        }
    };
}
pub(super) use by_kind;

/// Arguments of `y = f(x)`.
#[derive(Debug)]
pub struct Activated<'a, R> {
    /// f.
    pub activation: Activation,
    /// x.
    pub x: &'a [R],
    /// y.
    pub y: &'a mut [R],
}

/// Arguments of its backward pass, `dx += g df/dx`, or `dx = g df/dx`.
#[derive(Debug)]
pub struct ActivatedBack<'a, R> {
    /// f.
    pub activation: Activation,
    /// x.
    pub x: &'a [R],
    /// f(x).
    pub y: &'a [R],
    /// Gradient with respect to y.
    pub g: &'a [R],
    /// Gradient with respect to x.
    pub dx: &'a mut [R],
    /// Whether `dx` is written instead of added to.
    pub write: bool,
}

#[inline(always)]
pub(super) fn forward<R: Real>(n: Activated<'_, R>) {
    by_kind!(n.activation, f => for (y, &x) in n.y.iter_mut().zip(n.x) {
        *y = f.value(x);
    });
}

#[inline(always)]
pub(super) fn backward<R: Real>(n: ActivatedBack<'_, R>) {
    let all = n.dx.iter_mut().zip(n.x.iter().zip(n.y).zip(n.g));
    by_kind!(n.activation, f => if n.write {
        for (dx, ((&x, &y), &g)) in all {
            *dx = g * f.slope(x, y);
        }
    } else {
        for (dx, ((&x, &y), &g)) in all {
            *dx += g * f.slope(x, y);
        }
    });
}

pub(super) fn plain_forward<R: Real>(n: Activated<'_, R>) {
    for (y, &x) in n.y.iter_mut().zip(n.x) {
        *y = n.activation.value(x);
    }
}

pub(super) fn plain_backward<R: Real>(n: ActivatedBack<'_, R>) {
    for (i, dx) in n.dx.iter_mut().enumerate() {
        let d = n.g[i] * n.activation.derivative(n.x[i]);
        *dx = if n.write { d } else { *dx + d };
    }
}

/// Compiles a function for the processors that have wide vectors, for one type of number.
macro_rules! compile {
    ($name:ident = $inner:ident, $argument:ty) => {
        #[multiversion(targets(
            "x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma",
            "x86_64+avx2+fma"
        ))]
        pub(super) fn $name(n: $argument) {
            $inner(n);
        }
    };
}
pub(super) use compile;

compile!(forward_f32 = forward, Activated<'_, f32>);
compile!(forward_f64 = forward, Activated<'_, f64>);
compile!(backward_f32 = backward, ActivatedBack<'_, f32>);
compile!(backward_f64 = backward, ActivatedBack<'_, f64>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::tests::ALL;
    use crate::rng::Key;

    #[test]
    fn fast_activations_are_those_of_double_precision() {
        for (activation, len) in ALL.into_iter().flat_map(|a| [1, 7, 8, 33].map(|len| (a, len))) {
            let (mut x, mut g, mut dx) = (vec![0f32; len], vec![0f32; len], vec![0f32; len]);
            for (i, numbers) in [&mut x, &mut g, &mut dx].into_iter().enumerate() {
                Key::new(i as u64).fill_normal(numbers, 0.0, 3.0);
            }
            let wide = |numbers: &[f32]| numbers.iter().map(|&x| x.f64()).collect::<Vec<_>>();
            let (wide_x, wide_g, mut wide_dx) = (wide(&x), wide(&g), wide(&dx));
            let (mut y, mut wide_y) = (vec![9f32; len], vec![9f64; len]);
            forward_f32(Activated { activation, x: &x, y: &mut y });
            plain_forward(Activated { activation, x: &wide_x, y: &mut wide_y });
            for write in [false, true] {
                let dx = &mut dx;
                backward_f32(ActivatedBack { activation, x: &x, y: &y, g: &g, dx, write });
                let (x, y, g, dx) = (&wide_x, &wide_y, &wide_g, &mut wide_dx);
                plain_backward(ActivatedBack { activation, x, y, g, dx, write });
            }
            for (fast, plain) in y.iter().chain(&dx).zip(wide_y.iter().chain(&wide_dx)) {
                let error = (fast.f64() - plain).abs();
                assert!(error <= 1e-6 * (1.0 + plain.abs()), "{activation:?}: {fast} {plain}");
            }
        }
    }
}
