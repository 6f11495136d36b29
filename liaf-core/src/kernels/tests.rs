//! Comparison of the fast kernels with the plain ones, and the checks of a product.

use super::*;
use crate::memory::Scratch;
use crate::rng::Key;

/// Random matrices of odd sizes, in every layout, written and added.
fn compare<R: Real>(tolerance: f64) {
    for (case, (m, n, k)) in [
        (1, 1, 1),
        (3, 5, 7),
        (16, 16, 16),
        (17, 1, 33),
        (1, 40, 9),
        (64, 31, 130),
        (0, 3, 2),
        (4, 4, 0),
    ]
    .into_iter()
    .enumerate()
    {
        let key = Key::new(case as u64);
        let (mut a, mut b) = (vec![R::ZERO; m * k], vec![R::ZERO; k * n]);
        key.child(0).fill_normal(&mut a, 0.0, 1.0);
        key.child(1).fill_normal(&mut b, 0.0, 1.0);
        for layout in 0..8 {
            let a = if layout & 1 == 0 { Matrix::rows(&a, k) } else { Matrix::transposed(&a, m) };
            let b = if layout & 2 == 0 { Matrix::rows(&b, n) } else { Matrix::transposed(&b, k) };
            let run = |kernels: &Kernels<R>| {
                let mut c = vec![R::ONE; m * (n + 2)];
                let c_width = n + 2;
                (kernels.product)(Product {
                    m,
                    n,
                    k,
                    a,
                    b,
                    c: &mut c,
                    c_width,
                    add: layout & 4 != 0,
                });
                c
            };
            for (fast, plain) in
                run(Kernels::<R>::fast()).into_iter().zip(run(Kernels::<R>::plain()))
            {
                let error = (fast - plain).f64().abs();
                assert!(
                    error <= tolerance * (k as f64 + 1.0),
                    "{m} {n} {k} layout {layout}: {error}"
                );
            }
        }
    }
}

/// Every kind of window, with tiles of a part of a step, of one step and of several steps.
fn compare_convolutions<R: Real>(tolerance: f64) {
    let base = Window {
        input: [7, 6],
        output: [7, 6],
        kernel: [1, 3, 3],
        stride: [1, 1],
        padding: [0, 1, 1],
        dilation: [1; 3],
    };
    let conv = |inputs, outputs, groups, window| Conv { inputs, outputs, groups, window };
    let cases = [
        conv(2, 3, 1, base),
        conv(4, 6, 2, base),
        conv(3, 3, 3, Window { output: [4, 2], stride: [2, 3], padding: [0, 1, 0], ..base }),
        conv(3, 2, 1, Window { kernel: [1, 1, 1], padding: [0; 3], ..base }),
        conv(4, 4, 2, Window { kernel: [1, 1, 1], padding: [0; 3], ..base }),
        conv(
            2,
            2,
            1,
            Window { kernel: [1, 1, 1], output: [4, 3], stride: [2, 2], padding: [0; 3], ..base },
        ),
        conv(2, 2, 1, Window { kernel: [1, 5, 7], padding: [0, 2, 3], ..base }),
        conv(1, 2, 1, Window { output: [9, 8], padding: [0, 2, 2], ..base }),
        conv(2, 2, 1, Window { padding: [0, 2, 2], dilation: [1, 2, 2], ..base }),
        conv(2, 2, 1, Window { output: [3, 6], padding: [0, 0, 3], dilation: [1, 2, 3], ..base }),
        conv(2, 3, 1, Window { kernel: [3, 3, 3], padding: [1, 1, 1], ..base }),
        conv(
            2,
            3,
            1,
            Window { kernel: [2, 1, 1], padding: [0, 0, 0], dilation: [2, 1, 1], ..base },
        ),
        // Enough channels for Winograd's method.
        conv(16, 17, 1, base),
        // One step has more columns than a tile.
        conv(40, 5, 1, Window { input: [40, 25], output: [40, 25], ..base }),
    ];
    for (case, conv) in cases.iter().enumerate() {
        let steps = if conv.inputs > 4 { 2 } else { 5 };
        let window = &conv.window;
        let later = (window.kernel[0] - 1) * window.dilation[0];
        let outs = steps + 2 * window.padding[0] - later;
        let width = conv.taps() + 2;
        let random = |len: usize, part: u64| {
            let mut numbers = vec![R::ZERO; len];
            Key::new(case as u64).child(part).fill_normal(&mut numbers, 0.0, 1.0);
            numbers
        };
        let x = random(steps * conv.input_len(), 0);
        let weight = random(conv.outputs * width, 1);
        let (bias, g) = (random(conv.outputs, 2), random(outs * conv.output_len(), 3));
        let run = |kernels: &Kernels<R>| {
            let scratch = &mut Scratch::default();
            let (mut d_weight, mut dx) = (weight.clone(), x.clone());
            let mut all = Vec::new();
            for begin in [Begin::Zero, Begin::Bias(&bias)] {
                let mut y = g.clone();
                let (x, weight, y, scratch) = (&x, &weight, &mut y, &mut *scratch);
                (kernels.conv)(ConvForward { conv, x, weight, width, begin, y, scratch });
                all.extend_from_slice(y);
            }
            (kernels.conv_weights)(ConvWeights {
                conv,
                x: &x,
                g: &g,
                d_weight: &mut d_weight,
                width,
                scratch,
            });
            all.extend(d_weight);
            for write in [false, true] {
                let (g, weight, dx, scratch) = (&g, &weight, &mut dx, &mut *scratch);
                (kernels.conv_inputs)(ConvInputs { conv, g, weight, width, dx, write, scratch });
                all.extend_from_slice(dx);
            }
            all
        };
        for (i, (fast, plain)) in
            run(Kernels::<R>::fast()).into_iter().zip(run(Kernels::<R>::plain())).enumerate()
        {
            let error = (fast - plain).f64().abs() / (1.0 + plain.f64().abs());
            assert!(error <= tolerance, "case {case}, number {i}: {fast} is not {plain}");
        }
    }
}

/// If the products of distances wrap to a small number, the matrix must not be taken to fit in a slice.
#[test]
fn a_matrix_that_reaches_too_far_is_refused_whatever_its_distances() {
    let half = 1usize << (usize::BITS - 1);
    let numbers = [1.0f32; 8];
    // (m - 1) · rows is 2 · 2^63 = 0 in wrapping arithmetic, and so on.
    for (rows, cols) in [(half, 1), (1, half), (usize::MAX, 1), (half, half), (half - 1, 3)] {
        let far = Matrix { data: &numbers, rows, cols };
        let near = Matrix::rows(&numbers[..], 2);
        for kernels in [Kernels::<f32>::fast(), Kernels::plain()] {
            let run = |a, b, c_width| {
                let mut c = [0.0f32; 8];
                std::panic::catch_unwind(move || {
                    let (m, n, k) = (3, 2, 3);
                    let c = &mut c[..];
                    (kernels.product)(Product { m, n, k, a, b, c, c_width, add: true });
                })
                .map_err(|panic| panic.downcast_ref::<&str>().copied().unwrap_or_default())
            };
            assert_eq!(run(far, near, 2), Err("left factor is too short"), "{rows} {cols}");
            assert_eq!(run(Matrix::rows(&numbers, 2), far, 2), Err("right factor is too short"));
            let square = Matrix::rows(&numbers[..], 2);
            assert_eq!(run(square, square, half), Err("result is too short"));
        }
    }
}

#[test]
fn the_fast_convolution_is_the_plain_one() {
    compare_convolutions::<f64>(1e-13);
    compare_convolutions::<f32>(1e-4);
}

#[test]
fn the_fast_product_is_the_plain_product() {
    compare::<f64>(1e-14);
    compare::<f32>(2e-6);
}
