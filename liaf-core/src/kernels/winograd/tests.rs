//! Comparison with the plain kernels in `f64`, on every set of instructions that this processor has.

use super::*;
use crate::kernels::{Kernels, Window};
use crate::memory::Scratch;
use crate::rng::Key;

/// The sets of instructions that can be tried here.
fn archs() -> Vec<Arch> {
    let mut archs = vec![Arch::Scalar];
    #[cfg(target_arch = "x86_64")]
    {
        archs.extend(pulp::x86::V3::try_new().map(Arch::V3));
        archs.extend(pulp::x86::V4::try_new().map(Arch::V4));
    }
    #[cfg(target_arch = "aarch64")]
    archs.push(Arch::new());
    archs
}

fn conv(inputs: usize, outputs: usize, input: [usize; 2], padding: [usize; 2]) -> Conv {
    let [top, left] = padding;
    let window = Window {
        input,
        output: [input[0] + 2 * top - 2, input[1] + 2 * left - 2],
        kernel: [1, 3, 3],
        stride: [1, 1],
        padding: [0, top, left],
        dilation: [1; 3],
    };
    Conv { inputs, outputs, groups: 1, window }
}

fn random(key: u64, len: usize) -> Vec<f32> {
    let mut numbers = vec![0.0; len];
    Key::new(key).fill_normal(&mut numbers, 0.0, 1.0);
    numbers
}

/// Memory in which every number that is read before it is written shows.
fn poisoned() -> Scratch<f32> {
    let mut scratch = Scratch::default();
    scratch.put(vec![f32::NAN; 1 << 20]);
    scratch
}

/// What the three kernels compute from the same numbers.
struct Case {
    conv: Conv,
    width: usize,
    x: Vec<f32>,
    g: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Case {
    fn new(conv: Conv, steps: usize) -> Self {
        let width = conv.taps() + 3;
        Self {
            width,
            x: random(1, steps * conv.input_len()),
            g: random(2, steps * conv.output_len()),
            weight: random(3, conv.outputs * width),
            bias: random(4, conv.outputs),
            conv,
        }
    }

    /// Outputs without and with a bias, and gradients with respect to weights and inputs.
    fn fast(&self, arch: Arch) -> [Vec<f32>; 4] {
        let Self { conv, width, x, g, weight, bias } = self;
        let (width, scratch) = (*width, &mut poisoned());
        let [mut zero, mut biased] = [(); 2].map(|()| vec![f32::NAN; g.len()]);
        let (mut d_weight, mut dx) = (weight.clone(), x.clone());
        for (begin, y) in [(Begin::Zero, &mut zero), (Begin::Bias(bias), &mut biased)] {
            forward(arch, ConvForward { conv, x, weight, width, begin, y, scratch });
        }
        weights(arch, ConvWeights { conv, x, g, d_weight: &mut d_weight, width, scratch });
        inputs(arch, ConvInputs { conv, g, weight, width, dx: &mut dx, scratch });
        [zero, biased, d_weight, dx]
    }

    fn plain(&self) -> [Vec<f64>; 4] {
        let wide = |numbers: &[f32]| numbers.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        let Self { conv, width, .. } = self;
        let (width, kernels, scratch) = (*width, Kernels::<f64>::plain(), &mut Scratch::default());
        let (x, g, weight, bias) =
            (wide(&self.x), wide(&self.g), wide(&self.weight), wide(&self.bias));
        let [mut zero, mut biased] = [(); 2].map(|()| vec![0.0; g.len()]);
        let (mut d_weight, mut dx) = (weight.clone(), x.clone());
        let (x, g, weight) = (&x[..], &g[..], &weight[..]);
        for (begin, y) in [(Begin::Zero, &mut zero), (Begin::Bias(&bias), &mut biased)] {
            (kernels.conv)(ConvForward { conv, x, weight, width, begin, y, scratch });
        }
        let call = ConvWeights { conv, x, g, d_weight: &mut d_weight, width, scratch };
        (kernels.conv_weights)(call);
        (kernels.conv_inputs)(ConvInputs { conv, g, weight, width, dx: &mut dx, scratch });
        [zero, biased, d_weight, dx]
    }
}

/// Planes, channels and numbers of steps that fill no tile, vector, panel or block, and that do.
#[test]
fn winograd_agrees_with_the_definition() {
    let cases = [
        (conv(1, 1, [1, 1], [1, 1]), 1),
        (conv(1, 1, [2, 2], [1, 1]), 3),
        (conv(1, 17, [5, 4], [1, 1]), 2),
        (conv(3, 2, [7, 1], [1, 1]), 4),
        (conv(8, 8, [4, 4], [1, 1]), 7),
        (conv(9, 24, [12, 12], [1, 1]), 3),
        (conv(16, 33, [6, 9], [1, 1]), 2),
        (conv(5, 40, [3, 3], [0, 0]), 5),
        (conv(10, 6, [8, 5], [0, 1]), 2),
        (conv(4, 11, [5, 6], [2, 2]), 3),
        (conv(2, 12, [3, 210], [1, 2]), 1),
    ];
    for (case, steps) in cases {
        let case = Case::new(case, steps);
        let plain = case.plain();
        for arch in archs() {
            for (what, (fast, plain)) in case.fast(arch).iter().zip(&plain).enumerate() {
                for (i, (&fast, &plain)) in fast.iter().zip(plain).enumerate() {
                    let error = (f64::from(fast) - plain).abs() / (1.0 + plain.abs());
                    let at = format!("{arch:?}, {:?}, result {what}, number {i}", case.conv);
                    assert!(error <= 2e-5, "{at}: {fast} is not {plain}");
                }
            }
        }
    }
}

/// A step gives the same bits whatever steps are computed with it, so that frames one by one give the
/// numbers of a sequence.
#[test]
fn outputs_do_not_depend_on_the_other_steps() {
    let (conv, steps) = (conv(9, 20, [6, 7], [1, 1]), 13);
    for arch in archs() {
        let case = Case::new(conv, steps);
        let [_, whole, _, dx] = case.fast(arch);
        for step in 0..steps {
            let part = |numbers: &[f32]| {
                let len = numbers.len() / steps;
                numbers[step * len..(step + 1) * len].to_vec()
            };
            let one = Case { x: part(&case.x), g: part(&case.g), ..Case::new(conv, 1) };
            let [_, y, _, d] = one.fast(arch);
            assert_eq!(y, part(&whole), "{arch:?}, output of step {step}");
            assert_eq!(d, part(&dx), "{arch:?}, gradient of step {step}");
        }
    }
}

#[test]
fn the_work_memory_is_at_most_what_is_announced() {
    for (conv, steps) in [(conv(9, 24, [12, 12], [1, 1]), 3), (conv(40, 3, [5, 90], [0, 2]), 9)] {
        let case = Case::new(conv, steps);
        for arch in archs() {
            let mut scratch = Scratch::default();
            let (conv, g, weight, width) = (&case.conv, &case.g, &case.weight, case.width);
            let mut dx = case.x.clone();
            inputs(arch, ConvInputs { conv, g, weight, width, dx: &mut dx, scratch: &mut scratch });
            let (taken, room) = (scratch.len(), room(conv, steps));
            assert!(taken <= room, "{arch:?}: {taken} numbers, of which {room} are announced");
        }
    }
}
