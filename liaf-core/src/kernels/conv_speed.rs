//! Times the ways to compute convolutions on one thread:
//! `cargo test --release -p liaf-core --lib conv_speed -- --ignored --nocapture`.
//!
//! The ways run alternately, and the shortest of their times counts, because other programs can only make
//! a run longer.

use std::time::{Duration, Instant};

use pulp::Arch;

use super::conv_f32::Way;
use super::conv_tests::{Case, conv};

/// Name, steps, channels of input and output, height and width, and which part of the input is not zero.
const SHAPES: &[(&str, usize, [usize; 2], usize, f64)] = &[
    ("M1, frames, 4 % of them not zero", 60, [2, 64], 32, 0.04),
    ("M1, second convolution", 60, [64, 128], 16, 1.0),
    ("M1, third convolution", 60, [128, 128], 8, 1.0),
    ("M2, frames, 4 % of them not zero", 20, [2, 16], 28, 0.04),
    ("M2, second convolution", 20, [16, 32], 14, 1.0),
    ("M3, second convolution", 10, [64, 128], 42, 1.0),
    ("M3, third convolution", 10, [128, 256], 21, 1.0),
    ("M3, fourth convolution", 10, [256, 512], 10, 1.0),
    ("8 to 8 channels", 20, [8, 8], 16, 1.0),
    ("4 to 16 channels", 20, [4, 16], 16, 1.0),
    ("one step, 64 to 128 channels", 1, [64, 128], 16, 1.0),
    ("one step, 128 to 128 channels", 1, [128, 128], 8, 1.0),
];

const ROUNDS: usize = 9;

#[test]
#[ignore = "measures, and needs a release build to mean anything"]
fn convolutions_in_effective_gflops() {
    println!("{:?}; GFLOP/s of forward, weights, inputs", Arch::new());
    for &(name, steps, [inputs, outputs], size, density) in SHAPES {
        let conv = conv(inputs, outputs, [size; 2], [1, 1]);
        let mut case = Case::new(conv, steps);
        case.thin(density);
        let other = if density < 1.0 { Way::Few } else { Way::Winograd };
        let mut best = [[Duration::MAX; 3]; 2];
        for _ in 0..ROUNDS {
            for (best, way) in best.iter_mut().zip([Way::Columns, other]) {
                for (best, pass) in
                    best.iter_mut().zip([Case::forward, Case::weights, Case::inputs])
                {
                    let start = Instant::now();
                    pass(&mut case, way, Arch::new());
                    *best = (*best).min(start.elapsed());
                }
            }
        }
        let work = 2e-9 * (steps * conv.output_len() * conv.taps()) as f64;
        let speeds = best.map(|way| way.map(|time| work / time.as_secs_f64()));
        let show = |[f, w, i]: [f64; 3]| format!("{f:6.1} {w:6.1} {i:6.1}");
        println!("{name:34} columns {} {other:?} {}", show(speeds[0]), show(speeds[1]));
    }
}
