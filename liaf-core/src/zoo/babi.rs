//! Networks for questions about stories in words (bAbI).

use super::build::{neuron, recurrent};
use super::{Entry, Kind, Options};
use crate::activation::Activation;
use crate::error::Result;
use crate::graph::NetworkConfig;
use crate::layer::{Aggregate, AggregateKind, Concat, Dense, Dropout, Embedding};
use crate::shape::Shape;

/// Two branches, story and question, with separate tables: embedding of 50, dropout 0.3, a fully
/// connected layer of 100 neurons (or the layer that replaces it), the last step. They are
/// concatenated, and followed by one score per word.
pub(super) fn babi(entry: &Entry, kind: Kind, options: &Options) -> Result<NetworkConfig> {
    let wide = |count: usize| ((count as f64 * options.width).round() as usize).max(1);
    let tokens = options.tokens;
    let classes = options.classes.unwrap_or(if entry.classes > 0 { entry.classes } else { tokens });
    let mut config = NetworkConfig::default()
        .input("question", Shape::timed([]))
        .input("story", Shape::timed([]));
    for branch in ["story", "question"] {
        let name = |part: &str| format!("{branch}_{part}");
        let embedding = Embedding { padding: Some(0), ..Embedding::new(tokens, wide(50)) };
        config = config.node(&name("embedding"), &[branch], embedding).node(
            &name("dropout"),
            &[],
            Dropout::new(0.3),
        );
        config = match recurrent(kind, wide(100)) {
            Some(layer) => config.node(&name("recurrent"), &[], layer),
            None => config.node(&name("fc"), &[], Dense::new(wide(100))).node(
                &name("neuron"),
                &[],
                neuron(kind, Activation::Selu),
            ),
        };
        config = config.node(&name("last"), &[], Aggregate::new(AggregateKind::Last));
    }
    Ok(config.node("both", &["story_last", "question_last"], Concat {}).node(
        "head",
        &[],
        Dense::new(classes),
    ))
}
