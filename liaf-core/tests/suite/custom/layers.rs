//! Layers as a user of the crate writes them.

use liaf_core::init::{Fan, Init, WeightInit};
use liaf_core::layer::{CustomBackward, CustomForward, CustomLayer, CustomSpec, TensorSpec};
use liaf_core::{Error, Real, Result, Shape};
use serde::{Deserialize, Serialize};

fn only(inputs: &[Shape]) -> Result<&Shape> {
    match inputs {
        [input] => Ok(input),
        _ => Err(Error::config("one input").found(inputs.len())),
    }
}

/// `Y_t = W X_t + b`, as `Dense`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Linear {
    pub units: usize,
}

impl CustomLayer for Linear {
    const NAME: &'static str = "linear";

    fn describe(&self, inputs: &[Shape]) -> Result<CustomSpec> {
        let input = only(inputs)?;
        let (length, units, init) = (input.len(), self.units, WeightInit::default());
        let fan = Fan { inputs: length, outputs: units };
        let weight = TensorSpec::new("weight", [units, length], init.weight(fan)).decaying();
        let bias = TensorSpec::new("bias", [units], init.bias(fan));
        Ok(CustomSpec::new(input.with_item([units])).params([weight, bias]).each_step())
    }

    fn forward<R: Real>(&self, pass: CustomForward<'_, R>) {
        let length = pass.shapes[0].len();
        let rows = pass.output.chunks_exact_mut(self.units);
        for (x, y) in pass.inputs[0].chunks_exact(length).zip(rows) {
            let weights = pass.params[0].chunks_exact(length).zip(pass.params[1]);
            for (y, (w, &b)) in y.iter_mut().zip(weights) {
                *y = w.iter().zip(x).map(|(&w, &x)| w * x).sum::<R>() + b;
            }
        }
    }

    fn backward<R: Real>(&self, pass: CustomBackward<'_, '_, R>) {
        let length = pass.shapes[0].len();
        for t in 0..pass.steps {
            for unit in 0..self.units {
                let g = pass.d_output[t * self.units + unit];
                pass.d_params[1][unit] += g;
                for i in 0..length {
                    pass.d_params[0][unit * length + i] += g * pass.inputs[0][t * length + i];
                    if let Some(dx) = &mut pass.d_inputs[0] {
                        dx[t * length + i] += g * pass.params[0][unit * length + i];
                    }
                }
            }
        }
    }
}

/// `Y_t = X_t · sin(w X_t)` with a frequency for each channel.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sine {
    pub first: f64,
    #[serde(default)]
    pub note: Option<Note>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Note {
    pub texts: Vec<String>,
    pub single: f32,
    pub missing: Option<u8>,
}

impl Sine {
    pub fn new(first: f64) -> Self {
        Self { first, note: None }
    }

    fn frequency<R: Real>(shape: &Shape, w: &[R], index: usize) -> (usize, R) {
        let (channels, each) = shape.channels();
        let channel = index / each % channels;
        (channel, w[channel])
    }
}

impl CustomLayer for Sine {
    const NAME: &'static str = "sine";

    fn describe(&self, inputs: &[Shape]) -> Result<CustomSpec> {
        let input = only(inputs)?;
        let w = TensorSpec::new("frequency", [input.channels().0], Init::Constant(self.first));
        Ok(CustomSpec::new(input.clone()).params([w]).each_step())
    }

    fn forward<R: Real>(&self, pass: CustomForward<'_, R>) {
        for (i, (y, &x)) in pass.output.iter_mut().zip(pass.inputs[0]).enumerate() {
            let (_, w) = Self::frequency(&pass.shapes[0], pass.params[0], i);
            *y = x * R::of((w * x).f64().sin());
        }
    }

    fn backward<R: Real>(&self, pass: CustomBackward<'_, '_, R>) {
        for (i, (&x, &g)) in pass.inputs[0].iter().zip(pass.d_output).enumerate() {
            let (channel, w) = Self::frequency(&pass.shapes[0], pass.params[0], i);
            let (sin, cos) = (w * x).f64().sin_cos();
            pass.d_params[0][channel] += g * x * x * R::of(cos);
            if let Some(dx) = &mut pass.d_inputs[0] {
                dx[i] += g * (R::of(sin) + w * x * R::of(cos));
            }
        }
    }
}

/// `S_t = a S_{t-1} + X_t` and `Y_t = S_t²`, with a learned share `a` for each number.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Leak {}

impl CustomLayer for Leak {
    const NAME: &'static str = "leak";

    fn describe(&self, inputs: &[Shape]) -> Result<CustomSpec> {
        let (input, len) = (only(inputs)?, only(inputs)?.len());
        let share = TensorSpec::new("share", [len], Init::Uniform(0.9));
        let spec = CustomSpec::new(input.clone()).params([share]);
        Ok(spec.saved(len).working(len).state(len))
    }

    fn forward<R: Real>(&self, pass: CustomForward<'_, R>) {
        let (len, x) = (pass.state.len(), pass.inputs[0]);
        for (i, &x) in x.iter().enumerate() {
            let state = &mut pass.state[i % len];
            *state = pass.params[0][i % len] * *state + x;
            pass.saved[i] = *state;
            pass.output[i] = *state * *state;
        }
    }

    fn backward<R: Real>(&self, pass: CustomBackward<'_, '_, R>) {
        let len = pass.state.len();
        let later = &mut pass.working[..len];
        later.fill(R::ZERO);
        for i in (0..pass.saved.len()).rev() {
            let (number, a) = (i % len, pass.params[0][i % len]);
            let before = if i < len { pass.state[i] } else { pass.saved[i - len] };
            let g = R::of(2.0) * pass.saved[i] * pass.d_output[i] + a * later[number];
            later[number] = g;
            pass.d_params[0][number] += g * before;
            if let Some(dx) = &mut pass.d_inputs[0] {
                dx[i] += g;
            }
        }
    }
}

/// `Y = ln sum_t exp X_t`, for which all steps are needed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogSum {}

impl CustomLayer for LogSum {
    const NAME: &'static str = "log_sum";

    fn describe(&self, inputs: &[Shape]) -> Result<CustomSpec> {
        Ok(CustomSpec::new(Shape::once(only(inputs)?.item.clone())))
    }

    fn forward<R: Real>(&self, pass: CustomForward<'_, R>) {
        pass.output.fill(R::ZERO);
        for (i, x) in pass.inputs[0].iter().enumerate() {
            pass.output[i % pass.shapes[0].len()] += x.exp();
        }
        pass.output.iter_mut().for_each(|y| *y = y.ln());
    }

    fn backward<R: Real>(&self, pass: CustomBackward<'_, '_, R>) {
        let Some(dx) = &mut pass.d_inputs[0] else { return };
        for (i, (dx, &x)) in dx.iter_mut().zip(pass.inputs[0]).enumerate() {
            let number = i % pass.output.len();
            *dx += pass.d_output[number] * (x - pass.output[number]).exp();
        }
    }
}

/// `Y_t = X_t · G · N_t` with `G` without time, and in training random factors `N_t`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NoisyGate {}

impl NoisyGate {
    fn factor<R: Real>(training: bool, key: liaf_core::rng::Key, index: usize) -> R {
        if training { R::of(1.0 + 0.5 * key.normal(index as u64)) } else { R::ONE }
    }
}

impl CustomLayer for NoisyGate {
    const NAME: &'static str = "noisy_gate";

    fn describe(&self, inputs: &[Shape]) -> Result<CustomSpec> {
        Ok(CustomSpec::new(inputs[0].clone()).each_step())
    }

    fn forward<R: Real>(&self, pass: CustomForward<'_, R>) {
        let numbers = pass.inputs[0].iter().zip(pass.inputs[1].iter().cycle());
        for (i, (y, (&x, &gate))) in pass.output.iter_mut().zip(numbers).enumerate() {
            *y = x * gate * Self::factor(pass.training, pass.key, i);
        }
    }

    fn backward<R: Real>(&self, pass: CustomBackward<'_, '_, R>) {
        let gates = pass.inputs[1];
        let [dx, d_gates] = pass.d_inputs else { return };
        for (i, (&x, &g)) in pass.inputs[0].iter().zip(pass.d_output).enumerate() {
            let g = g * Self::factor::<R>(pass.training, pass.key, i);
            if let Some(dx) = dx {
                dx[i] += g * gates[i % gates.len()];
            }
            if let Some(d_gates) = d_gates {
                d_gates[i % gates.len()] += g * x;
            }
        }
    }
}
