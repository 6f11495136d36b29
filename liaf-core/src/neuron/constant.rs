//! The constants of neurons: one for all, one per channel or one per neuron; fixed or learned.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::First;
use super::cell::Constants;
use crate::error::{Error, Result};
use crate::layer::contract::TensorSpec;
use crate::memory::Buffer;
use crate::op::Context;
use crate::real::Real;
use crate::shape::Shape;

/// Which neurons share a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// All neurons of the layer: a tensor `[]`.
    #[default]
    All,
    /// The neurons of a channel: `[C]`. In a vector every neuron is a channel.
    Channel,
    /// Every neuron has a separate constant: a tensor with the shape of the item.
    Neuron,
}

impl Sharing {
    fn shape(self, item: &Shape) -> Vec<usize> {
        match self {
            Self::All => Vec::new(),
            Self::Channel => vec![item.channels().0],
            Self::Neuron => item.item.clone(),
        }
    }

    /// Number of consecutive neurons, in an item of this shape, that share a value: entry `i` of the
    /// tensor belongs to the neurons from `i * run` to `(i + 1) * run`.
    ///
    /// ```
    /// use liaf_core::Shape;
    /// use liaf_core::neuron::Sharing;
    /// let item = Shape::timed([2, 4, 4]);
    /// assert_eq!(Sharing::All.run(&item), 32);
    /// assert_eq!(Sharing::Channel.run(&item), 16);
    /// assert_eq!(Sharing::Neuron.run(&item), 1);
    /// ```
    pub fn run(self, item: &Shape) -> usize {
        match self {
            Self::All => item.len(),
            Self::Channel => item.channels().1,
            Self::Neuron => 1,
        }
    }
}

/// A constant of neurons. In a configuration it is a number, `0.3`, or a table,
/// `{ init = 0.6225, learn = true, per = "channel" }`, whose first values may be different time constants,
/// `{ init = { tau = [2, 64] }, learn = true, per = "neuron" }`.
///
/// A fixed number for all neurons is stored in the configuration only. One per channel or neuron is a
/// buffer of the network, and a learned one is a parameter, so that both are in a checkpoint.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
// `remote` derives the table form only; the impls below add the number form.
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Constant {
    /// Its values, or its first values.
    pub init: First,
    /// Whether it is learned.
    #[serde(default)]
    pub learn: bool,
    /// Which neurons share it.
    #[serde(default)]
    pub per: Sharing,
    /// The layer whose learned constant of the same name is used instead of a separate one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_with: Option<String>,
}

impl From<f64> for Constant {
    fn from(value: f64) -> Self {
        Self { init: value.into(), ..Self::default() }
    }
}

impl Constant {
    /// A learned constant that starts as `init`, shared by all neurons.
    pub fn learned(init: f64) -> Self {
        Self { init: init.into(), learn: true, ..Self::default() }
    }

    /// Sets which neurons share it.
    #[must_use]
    pub fn per(self, per: Sharing) -> Self {
        Self { per, ..self }
    }

    /// Uses the constant of another layer.
    #[must_use]
    pub fn shared_with(self, layer: &str) -> Self {
        Self { shared_with: Some(layer.into()), ..self }
    }

    pub(super) fn check(&self, name: &str, form: Form) -> Result<()> {
        self.init.check(name, form, self.learn, self.per == Sharing::All)?;
        if self.shared_with.is_some() && !self.learn {
            return Err(Error::config(format!(
                "{name} is fixed, and only learned constants can be shared"
            ))
            .advice("write its value in both layers, or set learn = true"));
        }
        Ok(())
    }

    /// The tensor in which it is stored, if there is one.
    pub(super) fn tensor(
        &self,
        name: &'static str,
        form: Form,
        item: &Shape,
    ) -> Option<TensorSpec> {
        if !self.learn && self.per == Sharing::All {
            return None;
        }
        let init = self.init.init(self.learn && form != Form::Plain);
        let spec = TensorSpec::new(name, self.per.shape(item), init);
        Some(TensorSpec { shared_with: self.shared_with.clone(), ..spec })
    }

    /// Where an operation finds it. The counters of parameters and buffers advance with each call.
    pub(super) fn value(
        &self,
        form: Form,
        item: &Shape,
        params: &mut usize,
        buffers: &mut usize,
    ) -> Value {
        let next = |count: &mut usize| {
            *count += 1;
            *count - 1
        };
        let (source, form) = match (self.learn, self.per) {
            (true, _) => (Source::Param(next(params)), form),
            (false, Sharing::All) => (Source::Fixed(self.init.value()), Form::Plain),
            (false, _) => (Source::Buffer(next(buffers)), Form::Plain),
        };
        Value { source, form, run: self.per.run(item) }
    }
}

/// How the value depends on the learned number w.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Form {
    /// w.
    Plain,
    /// `offset + scale σ(w)`.
    Sigmoid { offset: f64, scale: f64 },
}

impl Form {
    /// σ(w).
    pub const SIGMOID: Self = Self::Sigmoid { offset: 0.0, scale: 1.0 };

    fn of<R: Real>(self, w: R) -> R {
        match self {
            Self::Plain => w,
            Self::Sigmoid { offset, scale } => R::of(offset) + R::of(scale) * w.sigmoid(),
        }
    }

    fn slope<R: Real>(self, w: R) -> R {
        match self {
            Self::Plain => R::ONE,
            Self::Sigmoid { scale, .. } => {
                let y = w.sigmoid();
                R::of(scale) * y * (R::ONE - y)
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Source {
    Fixed(f64),
    Param(usize),
    Buffer(usize),
}

/// A constant as an operation uses it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value {
    pub source: Source,
    pub form: Form,
    /// Number of consecutive neurons that share a number.
    pub run: usize,
}

impl Value {
    pub fn fixed(value: f64) -> Self {
        Self { source: Source::Fixed(value), form: Form::Plain, run: 1 }
    }

    /// The number, if it is not stored in a tensor.
    pub fn number(&self) -> Option<f64> {
        match self.source {
            Source::Fixed(value) => Some(value),
            _ => None,
        }
    }

    pub fn learned(&self) -> bool {
        matches!(self.source, Source::Param(_))
    }

    /// Fills `each` with one number per neuron.
    pub fn fill<R: Real>(&self, each: &mut [R], cx: &Context<'_, R>) {
        let tensor = match self.source {
            Source::Fixed(value) => return each.fill(R::of(value)),
            Source::Param(index) => cx.params[index],
            Source::Buffer(index) => cx.buffers[index],
        };
        for (run, &w) in each.chunks_mut(self.run).zip(tensor) {
            run.fill(self.form.of(w));
        }
    }

    /// Adds the gradients with respect to the value, one per neuron, to those with respect to the
    /// learned number.
    pub fn add_gradient<R: Real>(&self, each: &[R], params: &[&[R]], d_params: &mut [Vec<R>]) {
        let Source::Param(index) = self.source else { return };
        let runs = each.chunks(self.run).zip(params[index]).zip(&mut d_params[index]);
        for ((run, &w), gradient) in runs {
            let sum: f64 = run.iter().map(|g| g.f64()).sum();
            *gradient += R::of(sum) * self.form.slope(w);
        }
    }
}

impl Constants<Value> {
    /// All constants, for each of `len` neurons.
    pub fn each<R: Real>(&self, len: usize, cx: &mut Context<'_, R>) -> Constants<Buffer<R>> {
        self.map(|value| {
            let mut each = cx.scratch.take(len);
            value.fill(&mut each, cx);
            each
        })
    }
}

impl Serialize for Constant {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let value = self.init.value();
        if *self == Self::from(value) {
            return serializer.serialize_f64(value);
        }
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Constant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(NumberOrTable)
    }
}

/// Accepts floating-point and whole numbers.
macro_rules! visit_numbers {
    ($value:ty, $($visit:ident $number:ty),*) => {
        $(fn $visit<E: serde::de::Error>(self, number: $number) -> std::result::Result<$value, E> {
            Ok((number as f64).into())
        })*
    };
    ($value:ty) => {
        visit_numbers!($value, visit_f64 f64, visit_i64 i64, visit_u64 u64);
    };
}
pub(super) use visit_numbers;

struct NumberOrTable;

impl<'de> Visitor<'de> for NumberOrTable {
    type Value = Constant;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or { init = .., learn = .., per = .., shared_with = .. }")
    }

    visit_numbers!(Constant);

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Constant, A::Error> {
        Constant::deserialize(MapAccessDeserializer::new(map))
    }
}
