//! Networks for questions about stories in words, in which the question gates the words of the story.

use super::build::recurrent;
use super::{Entry, Kind, Options};
use crate::activation::Activation;
use crate::error::Result;
use crate::graph::NetworkConfig;
use crate::init::{Scheme, WeightInit};
use crate::layer::{
    Activate, Aggregate, AggregateKind, Concat, Dense, Dropout, Embedding, Gru, LayerConfig, Lstm,
    Multiply, RecurrentInit, Rnn,
};
use crate::neuron::{Constant, First, Neuron, Output, Sharing};
use crate::shape::Shape;

/// Number of steps of the longest question, over which the slowest neurons of that branch remember.
const QUESTION: f64 = 10.0;

/// How the neurons of a network remember.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memory {
    /// A matrix on the membranes that starts as the identity, and a leak of each neuron, both learned.
    Learned,
    /// One fixed leak of 0.3, and nothing else.
    Leak,
}

/// The network with the memory that is learned.
pub(super) fn babi_gated(entry: &Entry, kind: Kind, options: &Options) -> Result<NetworkConfig> {
    Ok(Words::new(entry, kind, options).network(Memory::Learned))
}

/// The network whose neurons have a fixed leak.
pub(super) fn babi_leak(entry: &Entry, kind: Kind, options: &Options) -> Result<NetworkConfig> {
    Ok(Words::new(entry, kind, options).network(Memory::Leak))
}

/// What the layers of a network for words depend on.
struct Words {
    kind: Kind,
    tokens: usize,
    classes: usize,
    /// Length of a row of the embeddings, and number of units of each branch.
    row: usize,
    units: usize,
    /// Number of steps of the longest story.
    steps: usize,
}

impl Words {
    fn new(entry: &Entry, kind: Kind, options: &Options) -> Self {
        let wide = |count: usize| ((count as f64 * options.width).round() as usize).max(1);
        Self {
            kind,
            tokens: options.tokens,
            classes: options.classes.unwrap_or(options.tokens),
            row: wide(50),
            units: wide(100),
            steps: options.steps.unwrap_or(entry.steps),
        }
    }

    /// The question, read at its last word, sets a gate for each number of an embedded word: twice a
    /// sigmoid. The head takes the last output and the mean output of the story, and those of the question.
    fn network(&self, memory: Memory) -> NetworkConfig {
        let longest = (self.steps as f64).max(QUESTION);
        let config = NetworkConfig::default()
            .input("question", Shape::timed([]))
            .input("story", Shape::timed([]));
        let config = self.embedded(config, "question");
        let config = self
            .core(config, "question", memory, QUESTION)
            .node("question_last", &[], Aggregate::new(AggregateKind::Last))
            .node("gate", &[], dense(self.row, Scheme::Torch, None))
            .node("gate_sigmoid", &[], Activate::new(Activation::Sigmoid));
        let gated = ["story_dropout", "gate_sigmoid"];
        let config =
            self.embedded(config, "story").node("story_gated", &gated, Multiply { factor: 2.0 });
        self.core(config, "story", memory, longest)
            .node("story_read", &[], Aggregate::new(AggregateKind::LastAndMean))
            .node("both", &["story_read", "question_last"], Concat {})
            .node("both_dropout", &[], Dropout::new(0.3))
            .node("head", &[], dense(self.classes, Scheme::Torch, None))
    }

    /// An embedding with dropout of the words of `branch`.
    fn embedded(&self, config: NetworkConfig, branch: &str) -> NetworkConfig {
        let embedding = Embedding {
            padding: Some(0),
            deviation: 3.0 / (self.row as f64).sqrt(),
            ..Embedding::new(self.tokens, self.row)
        };
        config.node(&format!("{branch}_embedding"), &[branch], embedding).node(
            &format!("{branch}_dropout"),
            &[],
            Dropout::new(0.3),
        )
    }

    /// Neurons after a matrix, or the layer that replaces both. `longest` is the longest time constant.
    fn core(
        &self,
        config: NetworkConfig,
        branch: &str,
        memory: Memory,
        longest: f64,
    ) -> NetworkConfig {
        if let Some(layer) = recurrent(self.kind, self.units) {
            return config.node(&format!("{branch}_recurrent"), &[], orthogonal(layer));
        }
        // The matrix on the membranes has a bias of its own.
        let bias = (memory == Memory::Leak).then_some(0.0);
        let matrix =
            Dense { bias: bias.is_some(), ..dense(self.units, Scheme::XavierUniform, bias) };
        let config = config.node(&format!("{branch}_fc"), &[], matrix);
        config.node(&format!("{branch}_neuron"), &[], self.neuron(memory, longest))
    }

    fn neuron(&self, memory: Memory, longest: f64) -> Neuron {
        let output = match self.kind {
            Kind::Lif => Output::Spike,
            _ => Output::Analog(Activation::Selu),
        };
        let neuron = Neuron { output, threshold_related: false, ..Neuron::default() };
        if memory == Memory::Leak {
            return neuron;
        }
        let alpha = Constant { init: First::Tau([2.0, longest]), learn: true, ..0.0.into() };
        Neuron {
            alpha: alpha.per(Sharing::Neuron),
            recurrent: true,
            init: WeightInit { weight: Scheme::Identity, bias: Some(0.0) },
            ..neuron
        }
    }
}

fn dense(units: usize, weight: Scheme, bias: Option<f64>) -> Dense {
    Dense { init: WeightInit { weight, bias }, ..Dense::new(units) }
}

/// A recurrent layer with first values by the rules of Keras, which the rivals of the published figures have.
fn orthogonal(layer: LayerConfig) -> LayerConfig {
    let init = RecurrentInit::Orthogonal;
    match layer {
        LayerConfig::Rnn(layer) => Rnn { init, ..layer }.into(),
        LayerConfig::Lstm(layer) => Lstm { init, ..layer }.into(),
        LayerConfig::Gru(layer) => Gru { init, ..layer }.into(),
        other => other,
    }
}
