//! What this machine can do at most: the fastest convolution, and multiplications and additions
//! without memory.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::Result;
use liaf_core::graph::{Inputs, Mode, NetworkConfig, Workspace};
use liaf_core::layer::{Aggregate, AggregateKind, Conv2d};
use liaf_core::rng::Key;
use multiversion::multiversion;
use ndarray::{ArrayD, IxDyn};
use rayon::prelude::*;
use serde_json::{Value, json};

use super::measure;

/// Inputs, outputs, height and width of the convolutions that are tried: the layers that have most
/// of the products of M1 and M3.
const CONVOLUTIONS: [[usize; 3]; 5] =
    [[64, 128, 16], [128, 128, 8], [64, 128, 42], [128, 256, 21], [256, 512, 10]];

/// Steps of a sample of these convolutions, and samples of a batch.
const STEPS: usize = 10;
const SAMPLES: usize = 16;

/// Measures the limits on the threads of the current pool: `conv`, the largest rate of a forward pass
/// of one 3×3 convolution in GFLOP/s, and `peak`, that of a loop over registers.
pub fn measure(threads: usize) -> Result<Value> {
    let (mut best, mut which) = (0.0, String::new());
    for [inputs, outputs, size] in CONVOLUTIONS {
        let gflops = convolution(inputs, outputs, size)?;
        if gflops > best {
            (best, which) = (gflops, format!("{inputs}->{outputs} @{size}x{size}"));
        }
    }
    let peak = peak(threads);
    Ok(json!({
        "fw": "limits", "threads": threads, "gflops_conv": best, "conv": which, "gflops_peak": peak,
    }))
}

fn convolution(inputs: usize, outputs: usize, size: usize) -> Result<f64> {
    // Only the last step is returned, so that copying the result takes no time worth mentioning.
    let network = NetworkConfig::sequential([inputs, size, size])
        .then(Conv2d::new(outputs, 3).padding(1))
        .then(Aggregate::new(AggregateKind::Last))
        .build::<f32>(0)?;
    let mut x = ArrayD::zeros(IxDyn(&[SAMPLES, STEPS, inputs, size, size]));
    let numbers = x.iter_mut().enumerate();
    numbers.for_each(|(i, x)| *x = Key::new(0).uniform(i as u64) as f32 - 0.5);
    let mut space = Workspace::new();
    let seconds = measure::best(Duration::from_millis(300), || {
        network.forward(&Inputs::of("input", x.view()), Mode::eval(), &mut space)?;
        Ok(())
    })?;
    let macs = inputs * outputs * 9 * size * size * STEPS * SAMPLES;
    Ok(macs as f64 * 2e-9 / seconds)
}

/// Numbers that the loop keeps in registers.
const LANES: usize = 96;

/// Multiplies and adds, `rounds` times.
#[multiversion(targets("x86_64+avx512f+fma", "x86_64+avx2+fma", "aarch64+neon"))]
fn multiply_add(rounds: u32, numbers: &mut [f32; LANES], factor: f32) {
    let mut own = *numbers;
    for _ in 0..rounds {
        for number in &mut own {
            *number = number.mul_add(factor, factor);
        }
    }
    *numbers = own;
}

/// The rate of multiplications and additions in registers on all threads together, in GFLOP/s.
fn peak(threads: usize) -> f64 {
    const ROUNDS: u32 = 1 << 22;
    let rate = || {
        let start = Instant::now();
        (0..threads).into_par_iter().with_max_len(1).for_each(|_| {
            let mut numbers = [0.5; LANES];
            multiply_add(ROUNDS, &mut numbers, black_box(0.5));
            black_box(numbers);
        });
        let flop = f64::from(ROUNDS) * 2.0 * (LANES * threads) as f64;
        flop * 1e-9 / start.elapsed().as_secs_f64()
    };
    (0..5).map(|_| rate()).fold(0.0, f64::max)
}
