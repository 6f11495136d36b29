//! Embedding: a row of a table for each token.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::init::Init;
use crate::layer::contract::{Description, Layer, TensorSpec, only};
use crate::memory::Saved;
use crate::op::{Back, Context, Flow, SampleOp};
use crate::real::Real;
use crate::shape::Shape;
use crate::shape::size;

/// Looks up row `X_t` of a table, for tokens 0 to `tokens - 1`: `[N, T]` to `[N, T, length]`.
///
/// The parameter is that of `torch.nn.Embedding`: `weight` `[tokens, length]`, at first normal with a
/// standard deviation of 1 unless `deviation` is another. The layer takes an input of the network, whose
/// tokens must be whole numbers in range; others are refused. After another layer, where tokens cannot be
/// checked, an invalid token gives zeros.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    /// Number of tokens, at most 2^24.
    pub tokens: usize,
    /// Length of a row.
    pub length: usize,
    /// The padding token: its row starts as zeros and has no gradient. Default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub padding: Option<usize>,
    /// Standard deviation of the first values. Default 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub deviation: f64,
}

fn one() -> f64 {
    1.0
}

fn is_one(deviation: &f64) -> bool {
    *deviation == one()
}

/// Every whole number up to this one can be represented in `f32`.
const MOST: usize = 1 << 24;

impl Embedding {
    /// A table of `tokens` rows of `length` numbers, without padding.
    pub fn new(tokens: usize, length: usize) -> Self {
        Self { tokens, length, padding: None, deviation: one() }
    }
}

impl Layer for Embedding {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        let input = only(inputs)?;
        if !input.item.is_empty() {
            return Err(Error::shape("an embedding needs tokens").expected("[N, T]").found(input));
        }
        if self.tokens == 0 || self.length == 0 || self.tokens > MOST {
            return Err(Error::config("the table of an embedding must not be empty")
                .expected(format!("1 to {MOST} tokens, a length of 1 or more"))
                .found(format!("{} tokens, length {}", self.tokens, self.length)));
        }
        size("an embedding", &[self.tokens, self.length])?;
        if let Some(padding) = self.padding.filter(|&padding| padding >= self.tokens) {
            return Err(Error::config("the padding token must be one of the tokens")
                .expected(format!("0 to {}", self.tokens - 1))
                .found(padding));
        }
        let deviation = self.deviation;
        if !(deviation.is_finite() && deviation >= 0.0) {
            return Err(Error::config("invalid standard deviation of the rows of an embedding")
                .expected("a finite number, 0 or more")
                .found(deviation));
        }
        let init = match self.padding {
            None => Init::Normal(deviation),
            Some(row) => Init::NormalBut { deviation, from: row * self.length, len: self.length },
        };
        let weight = TensorSpec::new("weight", [self.tokens, self.length], init).decaying();
        let output = input.with_item([self.length]);
        Ok(Description::sample(output, EmbeddingOp(*self)).params([weight]))
    }
}

#[derive(Debug)]
struct EmbeddingOp(Embedding);

impl EmbeddingOp {
    fn token<R: Real>(&self, x: R) -> Option<usize> {
        let (x, tokens) = (x.f64(), self.0.tokens);
        ((0.0..tokens as f64).contains(&x) && x.fract() == 0.0).then_some(x as usize)
    }

    fn refuse<R: Real>(&self, x: &[R]) -> Result<()> {
        match x.iter().enumerate().find(|&(_, &x)| self.token(x).is_none()) {
            None => Ok(()),
            Some((t, x)) => Err(Error::data(format!("the token at step {t} is invalid"))
                .expected(format!("a whole number, 0 to {}", self.0.tokens - 1))
                .found(x)),
        }
    }
}

impl<R: Real> SampleOp<R> for EmbeddingOp {
    fn check(&self, _: usize, inputs: &[&[R]]) -> Result<()> {
        inputs.iter().try_for_each(|x| self.refuse(x))
    }

    fn forward(&self, flow: Flow<'_, R>, _: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let length = self.0.length;
        for (row, &x) in flow.output.chunks_exact_mut(length).zip(flow.inputs[0]) {
            match self.token(x) {
                Some(token) => row.copy_from_slice(&cx.params[0][token * length..][..length]),
                None => row.fill(R::ZERO),
            }
        }
    }

    fn backward(&self, back: Back<'_, '_, R>, _: &mut Saved<R>, _: &mut Context<'_, R>) {
        let length = self.0.length;
        for (g, &x) in back.d_output.chunks_exact(length).zip(back.inputs[0]) {
            let Some(token) = self.token(x).filter(|&token| self.0.padding != Some(token)) else {
                continue;
            };
            let row = &mut back.d_params[0][token * length..][..length];
            row.iter_mut().zip(g).for_each(|(sum, &g)| *sum += g);
        }
    }

    fn step(
        &self,
        flow: Flow<'_, R>,
        _: &mut [R],
        saved: &mut Saved<R>,
        cx: &mut Context<'_, R>,
    ) -> Result<()> {
        self.refuse(flow.inputs[0])?;
        self.forward(flow, saved, cx);
        Ok(())
    }
}
