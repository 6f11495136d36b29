//! Optimisers, schedules of the learning rate, clipping of gradients, and averages of weights, by the
//! rules of `torch.optim` and with its order of operations.

mod clip;
mod ema;
mod rules;
mod schedule;

pub use clip::Clip;
pub use ema::Ema;
pub use schedule::{Curve, Schedule, Warmup};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::graph::{Gradients, Param};
use crate::real::Real;

/// An optimiser, as it is written in a configuration: `type = "adam"` and the options of that type.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum OptimizerConfig {
    /// Stochastic gradient descent with momentum.
    Sgd(Sgd),
    /// Adam; weight decay is added to the gradient.
    Adam(Adam),
    /// AdamW; weight decay shrinks the weights themselves.
    #[serde(rename = "adamw")]
    AdamW(AdamW),
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::Adam(Adam::default())
    }
}

/// The parameters to which weight decay applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decay {
    /// All parameters, as in PyTorch.
    #[default]
    All,
    /// Weights, but not biases, norms or constants of neurons.
    Weights,
}

/// `g += weight_decay · p; b = momentum · b + (1 - dampening) · g; p -= rate · b`, in the first step
/// `b = g`; with Nesterov's momentum `p -= rate · (g + momentum · b)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sgd {
    /// Learning rate before the schedule. Default 0.001.
    pub learning_rate: f64,
    /// Momentum. Default 0.
    pub momentum: f64,
    /// The share of a gradient that is not added to the momentum. Default 0.
    pub dampening: f64,
    /// Nesterov's momentum. Default false.
    pub nesterov: bool,
    /// Weight decay. Default 0.
    pub weight_decay: f64,
    /// The parameters to which it applies. Default all.
    pub decay: Decay,
}

impl Default for Sgd {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            momentum: 0.0,
            dampening: 0.0,
            nesterov: false,
            weight_decay: 0.0,
            decay: Decay::All,
        }
    }
}

macro_rules! adam {
    ($(#[$doc:meta])* $name:ident, $weight_decay:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            /// Learning rate before the schedule. Default 0.001.
            pub learning_rate: f64,
            /// b1 and b2. Default 0.9 and 0.999.
            pub betas: [f64; 2],
            /// eps. Default 1e-8.
            pub epsilon: f64,
            #[doc = concat!("Weight decay. Default ", $weight_decay, ".")]
            pub weight_decay: f64,
            /// The parameters to which it applies. Default all.
            pub decay: Decay,
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    learning_rate: 1e-3,
                    betas: [0.9, 0.999],
                    epsilon: 1e-8,
                    weight_decay: $weight_decay,
                    decay: Decay::All,
                }
            }
        }
    };
}

adam! {
    /// `g += weight_decay · p; m += (1 - b1)(g - m); v = b2 · v + (1 - b2) g²;
    /// p -= rate / (1 - b1^t) · m / (√v / √(1 - b2^t) + eps)` (Kingma and Ba, ICLR 2015).
    Adam, 0.0
}

adam! {
    /// As [`Adam`], except that `p -= rate · weight_decay · p` replaces the first line (Loshchilov and
    /// Hutter, ICLR 2019).
    AdamW, 0.01
}

impl OptimizerConfig {
    /// Learning rate before the schedule.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Sgd(sgd) => sgd.learning_rate,
            Self::Adam(adam) => adam.learning_rate,
            Self::AdamW(adam) => adam.learning_rate,
        }
    }

    fn decay(&self) -> (f64, Decay) {
        match self {
            Self::Sgd(sgd) => (sgd.weight_decay, sgd.decay),
            Self::Adam(adam) => (adam.weight_decay, adam.decay),
            Self::AdamW(adam) => (adam.weight_decay, adam.decay),
        }
    }

    /// Returns an error if a value is invalid.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config).
    pub fn check(&self) -> Result<()> {
        let refuse = |what: &str, expected: &str, found: f64| {
            Err(Error::config(format!("invalid {what}")).expected(expected).found(found))
        };
        let positive = |x: f64| x.is_finite() && x >= 0.0;
        let share = |x: f64| (0.0..1.0).contains(&x);
        if !positive(self.learning_rate()) {
            return refuse("learning rate", "0 or more", self.learning_rate());
        }
        if !positive(self.decay().0) {
            return refuse("weight decay", "0 or more", self.decay().0);
        }
        match *self {
            Self::Sgd(sgd) => {
                if !positive(sgd.momentum) {
                    return refuse("momentum", "0 or more", sgd.momentum);
                }
                if !sgd.dampening.is_finite() {
                    return refuse("dampening", "a finite number", sgd.dampening);
                }
                if sgd.nesterov && (sgd.momentum == 0.0 || sgd.dampening != 0.0) {
                    return Err(Error::config("Nesterov's momentum needs momentum")
                        .expected("momentum above 0 and dampening 0")
                        .found(format!("{} and {}", sgd.momentum, sgd.dampening)));
                }
            }
            Self::Adam(Adam { betas, epsilon, .. }) | Self::AdamW(AdamW { betas, epsilon, .. }) => {
                if let Some(&beta) = betas.iter().find(|&&beta| !share(beta)) {
                    return refuse("beta", "0 or more and less than 1", beta);
                }
                if !positive(epsilon) {
                    return refuse("epsilon", "0 or more", epsilon);
                }
            }
        }
        Ok(())
    }
}

/// A running optimiser: its configuration, its moments, and its number of steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimizer<R> {
    config: OptimizerConfig,
    steps: u64,
    /// Momentum or first moments, by parameter; empty for optimisers without them.
    first: Vec<Vec<R>>,
    /// Second moments.
    second: Vec<Vec<R>>,
}

impl<R: Real> Optimizer<R> {
    /// An optimiser for these parameters.
    ///
    /// # Errors
    /// If the configuration has invalid values.
    pub fn new(config: OptimizerConfig, params: &[Param<R>]) -> Result<Self> {
        config.check()?;
        let zeros = |needed: bool| -> Vec<Vec<R>> {
            let all = params.iter().filter(|_| needed);
            all.map(|param| vec![R::ZERO; param.data.len()]).collect()
        };
        let (first, second) = match config {
            OptimizerConfig::Sgd(sgd) => (sgd.momentum != 0.0, false),
            OptimizerConfig::Adam(_) | OptimizerConfig::AdamW(_) => (true, true),
        };
        Ok(Self { config, steps: 0, first: zeros(first), second: zeros(second) })
    }

    /// The configuration of the optimiser.
    pub fn config(&self) -> &OptimizerConfig {
        &self.config
    }

    /// Number of steps so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The moments by parameter, with their names in checkpoints.
    pub fn moments(&self) -> [(&'static str, &[Vec<R>]); 2] {
        [("first", &self.first), ("second", &self.second)]
    }

    /// Restores the moments and the number of steps of an optimiser.
    pub fn restore(&mut self, steps: u64, first: Vec<Vec<R>>, second: Vec<Vec<R>>) {
        (self.steps, self.first, self.second) = (steps, first, second);
    }

    /// Makes one step with this learning rate. `gradients` are in the order of `params`.
    ///
    /// # Errors
    /// If the gradients do not belong to these parameters. Nothing has been changed then.
    pub fn step(
        &mut self,
        params: &mut [Param<R>],
        gradients: &Gradients<R>,
        rate: f64,
    ) -> Result<()> {
        let gradients = gradients.all();
        let fits = |kept: &[Vec<R>]| {
            kept.is_empty()
                || kept.len() == params.len()
                    && kept.iter().zip(&*params).all(|(kept, p)| kept.len() == p.data.len())
        };
        if gradients.len() != params.len()
            || !fits(gradients)
            || !fits(&self.first)
            || !fits(&self.second)
        {
            return Err(Error::shape("the gradients do not belong to the optimiser's parameters"));
        }
        self.steps += 1;
        let (decay, scope) = self.config.decay();
        for (i, (param, gradient)) in params.iter_mut().zip(gradients).enumerate() {
            let decay = if scope == Decay::All || param.decay { decay } else { 0.0 };
            let p = &mut param.data;
            match &self.config {
                OptimizerConfig::Sgd(sgd) => {
                    let momentum = self.first.get_mut(i).map(Vec::as_mut_slice);
                    rules::sgd(p, gradient, momentum, sgd, decay, rate, self.steps == 1);
                }
                OptimizerConfig::Adam(Adam { betas, epsilon, .. })
                | OptimizerConfig::AdamW(AdamW { betas, epsilon, .. }) => {
                    let step = rules::AdamStep::new(*betas, *epsilon, self.steps, rate);
                    let decoupled = matches!(self.config, OptimizerConfig::AdamW(_));
                    let (decay, shrink) =
                        if decoupled { (0.0, rate * decay) } else { (decay, 0.0) };
                    step.apply(p, gradient, &mut self.first[i], &mut self.second[i], decay, shrink);
                }
            }
        }
        Ok(())
    }
}
