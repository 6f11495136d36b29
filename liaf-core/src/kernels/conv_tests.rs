//! Comparison of the convolutions of `f32` with the plain ones of `f64`, on every set of instructions that
//! this processor has.

use pulp::Arch;

use super::conv_f32::Way;
use super::{Begin, Conv, ConvForward, ConvInputs, ConvWeights, Kernels, Window};
use super::{conv_fast, conv_few, winograd};
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

/// A convolution with a window of 3×3 and stride 1.
pub(super) fn conv(inputs: usize, outputs: usize, input: [usize; 2], padding: [usize; 2]) -> Conv {
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

/// The three kernels on the same numbers.
pub(super) struct Case {
    conv: Conv,
    width: usize,
    x: Vec<f32>,
    g: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    y: Vec<f32>,
    d_weight: Vec<f32>,
    dx: Vec<f32>,
    scratch: Scratch<f32>,
}

impl Case {
    pub(super) fn new(conv: Conv, steps: usize) -> Self {
        let width = conv.taps() + 3;
        let (x, g) = (random(1, steps * conv.input_len()), random(2, steps * conv.output_len()));
        let weight = random(3, conv.outputs * width);
        // Numbers that are read before they are written show.
        let mut scratch = Scratch::default();
        let mut invalid = scratch.take(1 << 20);
        invalid.fill(f32::NAN);
        scratch.put(invalid);
        Self {
            width,
            bias: random(4, conv.outputs),
            y: vec![f32::NAN; g.len()],
            d_weight: weight.clone(),
            dx: x.clone(),
            conv,
            x,
            g,
            weight,
            scratch,
        }
    }

    /// Replaces all inputs by zeros, except for about this part of them.
    pub(super) fn thin(&mut self, part: f64) {
        let mut uniform = self.x.clone();
        Key::new(9).fill_normal(&mut uniform, 0.0, 1.0);
        uniform.sort_by(f32::total_cmp);
        let last = uniform[((uniform.len() - 1) as f64 * part) as usize];
        Key::new(9).fill_normal(&mut uniform, 0.0, 1.0);
        let kept = |(x, &key): (&mut f32, &f32)| *x = if key <= last { *x } else { 0.0 };
        self.x.iter_mut().zip(&uniform).for_each(kept);
    }

    pub(super) fn forward(&mut self, way: Way, arch: Arch) {
        let begin = Begin::Bias(&self.bias);
        let call = ConvForward {
            conv: &self.conv,
            x: &self.x,
            weight: &self.weight,
            width: self.width,
            begin,
            y: &mut self.y,
            scratch: &mut self.scratch,
        };
        match way {
            Way::Columns => conv_fast::forward(call),
            Way::Few => conv_few::forward(arch, call),
            Way::Winograd => winograd::forward(arch, call),
        }
    }

    pub(super) fn weights(&mut self, way: Way, arch: Arch) {
        let call = ConvWeights {
            conv: &self.conv,
            x: &self.x,
            g: &self.g,
            d_weight: &mut self.d_weight,
            width: self.width,
            scratch: &mut self.scratch,
        };
        match way {
            Way::Columns => conv_fast::weights(call),
            Way::Few => conv_few::weights(arch, call),
            Way::Winograd => winograd::weights(arch, call),
        }
    }

    pub(super) fn inputs(&mut self, way: Way, arch: Arch) {
        self.inputs_into(way, arch, false);
    }

    fn inputs_into(&mut self, way: Way, arch: Arch, write: bool) {
        let call = ConvInputs {
            conv: &self.conv,
            g: &self.g,
            weight: &self.weight,
            width: self.width,
            dx: &mut self.dx,
            write,
            scratch: &mut self.scratch,
        };
        match way {
            Way::Columns | Way::Few => conv_fast::inputs(call),
            Way::Winograd => winograd::inputs(arch, call),
        }
    }

    /// Outputs, and gradients with respect to weights and inputs, which are added to what is there; and the
    /// last of them once more, written.
    fn fast(&self, way: Way, arch: Arch) -> [Vec<f32>; 4] {
        let steps = self.x.len() / self.conv.input_len();
        let mut case = Self { x: self.x.clone(), g: self.g.clone(), ..Self::new(self.conv, steps) };
        case.dx.clone_from(&case.x);
        case.forward(way, arch);
        case.weights(way, arch);
        case.inputs(way, arch);
        let added = case.dx.clone();
        case.inputs_into(way, arch, true);
        [case.y, case.d_weight, added, case.dx]
    }

    fn plain(&self) -> [Vec<f64>; 4] {
        let wide = |numbers: &[f32]| numbers.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        let Self { conv, width, .. } = self;
        let (width, kernels, scratch) = (*width, Kernels::<f64>::plain(), &mut Scratch::default());
        let (x, g, weight, bias) =
            (wide(&self.x), wide(&self.g), wide(&self.weight), wide(&self.bias));
        let (mut y, mut d_weight, mut dx) = (vec![0.0; g.len()], weight.clone(), x.clone());
        let (x, g, weight, begin) = (&x[..], &g[..], &weight[..], Begin::Bias(&bias));
        (kernels.conv)(ConvForward { conv, x, weight, width, begin, y: &mut y, scratch });
        let call = ConvWeights { conv, x, g, d_weight: &mut d_weight, width, scratch };
        (kernels.conv_weights)(call);
        let [added, written] = [false, true].map(|write| {
            let dx = &mut dx;
            (kernels.conv_inputs)(ConvInputs { conv, g, weight, width, dx, write, scratch });
            dx.clone()
        });
        [y, d_weight, added, written]
    }
}

/// Compares a way with the definition.
fn compare(case: &Case, way: Way) {
    let plain = case.plain();
    for arch in archs() {
        for (what, (fast, plain)) in case.fast(way, arch).iter().zip(&plain).enumerate() {
            for (i, (&fast, &plain)) in fast.iter().zip(plain).enumerate() {
                let error = (f64::from(fast) - plain).abs() / (1.0 + plain.abs());
                let at = format!("{arch:?}, {:?}, result {what}, number {i}", case.conv);
                assert!(error <= 2e-5, "{at}: {fast} is not {plain}");
            }
        }
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
    for (conv, steps) in cases {
        compare(&Case::new(conv, steps), Way::Winograd);
    }
}

/// Every kind of window, on inputs that are zero in chunks, now and then, and never.
#[test]
fn few_channels_agree_with_the_definition() {
    let base = conv(2, 19, [7, 21], [1, 1]).window;
    let windows = [
        base,
        Window { kernel: [1, 5, 3], padding: [0, 2, 1], ..base },
        Window { output: [4, 7], stride: [2, 3], ..base },
        Window { output: [5, 11], stride: [1, 2], dilation: [1, 2, 1], ..base },
        Window { kernel: [1, 1, 1], padding: [0; 3], ..base },
        Window { output: [11, 19], padding: [0, 3, 0], ..base },
    ];
    for (case, window) in windows.into_iter().enumerate() {
        for (inputs, outputs) in [(1, 3), (2, 19), (3, 8), (4, 16)] {
            let mut case = Case::new(Conv { inputs, outputs, groups: 1, window }, 2 + case % 2);
            compare(&case, Way::Few);
            for (i, x) in case.x.iter_mut().enumerate() {
                if i % 40 < 20 || i % 3 > 0 {
                    *x = 0.0;
                }
            }
            compare(&case, Way::Few);
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
        let [whole, _, dx, _] = case.fast(Way::Winograd, arch);
        for step in 0..steps {
            let part = |numbers: &[f32]| {
                let len = numbers.len() / steps;
                numbers[step * len..(step + 1) * len].to_vec()
            };
            let one = Case { x: part(&case.x), g: part(&case.g), ..Case::new(conv, 1) };
            let [y, _, d, _] = one.fast(Way::Winograd, arch);
            assert_eq!(y, part(&whole), "{arch:?}, output of step {step}");
            assert_eq!(d, part(&dx), "{arch:?}, gradient of step {step}");
        }
    }
}

#[test]
fn the_work_memory_is_at_most_what_is_announced() {
    for (conv, steps) in [(conv(9, 24, [12, 12], [1, 1]), 3), (conv(40, 3, [5, 90], [0, 2]), 9)] {
        for arch in archs() {
            let mut case = Case { scratch: Scratch::default(), ..Case::new(conv, steps) };
            case.inputs(Way::Winograd, arch);
            let (taken, room) = (case.scratch.len(), winograd::room(&conv, steps));
            assert!(taken <= room, "{arch:?}: {taken} numbers, of which {room} are announced");
        }
    }
}
