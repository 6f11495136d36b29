//! The neurons: LIF and LIAF, elementwise over time.
//!
//! | | |
//! |---|---|
//! | integrate | `U_t = I_t + V_{t-1}`, `V_0 = 0` |
//! | fire | `F_t = [U_t >= V_th]` |
//! | reset | `R_t = F_t V_reset + (1 - F_t) U_t` |
//! | leak | `V_t = alpha R_t + beta` |
//! | LIF | `Y_t = F_t` |
//! | LIAF | `Y_t = act(U_t - V_th)` (threshold-related) or `act(U_t)` |
//!
//! Source: Wu et al., LIAF-Net, arXiv 2011.06176. The analog output is of `U_t` before reset and
//! leak; in a LIAF the spike exists only to reset the membrane.

use serde::{Deserialize, Serialize};

use crate::cost::Work;
use crate::layer::{Layer, only};
use crate::op::{Back, Context, Flow, SampleOp, Saved, Trace};
use crate::{Error, Op, Real, Result, Shape};

/// A layer of neurons, one for each number of its input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Neuron {
    /// What is sent onward.
    pub output: Output,
    /// Firing threshold V_th. Default 0.5.
    pub threshold: f64,
    /// Leak alpha: how much of the membrane is left a step later. Default 0.3.
    pub alpha: f64,
    /// Additive leak. Default 0.
    pub beta: f64,
    /// Membrane potential after a spike. Default 0.
    pub reset: f64,
    /// No gradient through the spike of the reset. Default false, as in the paper.
    pub detach_reset: bool,
}

/// What a neuron sends onward.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Spikes: a LIF neuron.
    Spike,
    /// `relu(U - V_th)`: a LIAF neuron, threshold-related.
    Relu,
}

impl Default for Neuron {
    fn default() -> Self {
        Self {
            output: Output::Relu,
            threshold: 0.5,
            alpha: 0.3,
            beta: 0.0,
            reset: 0.0,
            detach_reset: false,
        }
    }
}

impl Layer for Neuron {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let input = only(inputs)?;
        if !input.timed {
            return Err(Error::shape("a neuron takes a signal in time")
                .expected("[N, T, ..]")
                .found(input));
        }
        Ok(input.clone())
    }

    /// Two additions (integration, threshold) and two multiplications (leak, reset) a neuron.
    fn cost(&self, inputs: &[Shape]) -> Work {
        Work::each(inputs[0].len(), 2, 2)
    }

    fn fires(&self) -> bool {
        self.output == Output::Spike
    }

    fn op<R: Real>(&self, inputs: &[Shape]) -> Op<R> {
        Op::sample(NeuronOp { config: self.clone(), len: inputs[0].len() })
    }
}

#[derive(Debug)]
struct NeuronOp {
    config: Neuron,
    len: usize,
}

impl NeuronOp {
    fn one<R: Real>(&self, current: R, v: &mut R) -> (R, R) {
        let n = &self.config;
        let u = current + *v;
        let fired = u >= R::of(n.threshold);
        let reset = if fired { R::of(n.reset) } else { u };
        *v = R::of(n.alpha) * reset + R::of(n.beta);
        let y = match n.output {
            Output::Spike if fired => R::ONE,
            Output::Spike => R::ZERO,
            Output::Relu => (u - R::of(n.threshold)).max(R::ZERO),
        };
        (u, y)
    }
}

impl<R: Real> SampleOp<R> for NeuronOp {
    fn forward(&self, flow: Flow<'_, R>, saved: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let potentials = saved.buffer(0, flow.inputs[0].len());
        let mut v = cx.scratch.zeros(self.len);
        let steps = flow.inputs[0].chunks_exact(self.len);
        let outs = flow.output.chunks_exact_mut(self.len);
        for ((x, y), u) in steps.zip(outs).zip(potentials.chunks_exact_mut(self.len)) {
            for i in 0..self.len {
                (u[i], y[i]) = self.one(x[i], &mut v[i]);
            }
        }
        cx.scratch.put(v);
    }

    fn backward(&self, back: Back<'_, '_, R>, saved: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let n = &self.config;
        let Some(dx) = &mut back.d_inputs[0] else { return };
        let (threshold, half, alpha) = (R::of(n.threshold), R::of(0.5), R::of(n.alpha));
        // Gradient by the membrane that the step hands on.
        let mut dv = cx.scratch.zeros(self.len);
        for t in (0..back.steps).rev() {
            let at = t * self.len..(t + 1) * self.len;
            let (u, g, dx) = (&saved.get(0)[at.clone()], &back.d_output[at.clone()], &mut dx[at]);
            for i in 0..self.len {
                let over = u[i] - threshold;
                let s = if over.abs() < half { R::ONE } else { R::ZERO };
                let fired = over >= R::ZERO;
                let mut du_dv = if fired { R::ZERO } else { R::ONE };
                if !n.detach_reset {
                    du_dv += s * (R::of(n.reset) - u[i]);
                }
                let out = match n.output {
                    Output::Spike => s,
                    Output::Relu if over > R::ZERO => R::ONE,
                    Output::Relu => R::ZERO,
                };
                let du = g[i] * out + dv[i] * alpha * du_dv;
                dx[i] += du;
                dv[i] = du;
            }
        }
        cx.scratch.put(dv);
    }

    fn state_len(&self) -> usize {
        self.len
    }

    fn step(
        &self,
        flow: Flow<'_, R>,
        state: &mut [R],
        saved: &mut Saved<R>,
        _: &mut Context<'_, R>,
    ) -> Result<()> {
        let potentials = saved.buffer(0, self.len);
        for i in 0..self.len {
            (potentials[i], flow.output[i]) = self.one(flow.inputs[0][i], &mut state[i]);
        }
        Ok(())
    }

    fn record(&self, what: Trace, saved: &Saved<R>, _: &Context<'_, R>) -> Option<Vec<R>> {
        let u = saved.get(0);
        Some(match what {
            Trace::Potential => u.to_vec(),
            Trace::Spikes => {
                let fired =
                    |&u: &R| if u >= R::of(self.config.threshold) { R::ONE } else { R::ZERO };
                u.iter().map(fired).collect()
            }
        })
    }
}
