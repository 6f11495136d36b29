//! The choice of a polarity, as a stage of the chain.

use super::Filter;
use crate::model::{EventBatch, Polarity};

/// Keeps the events of one polarity.
#[derive(Debug)]
pub(super) struct OfPolarity(pub Polarity);

impl Filter for OfPolarity {
    fn apply(&mut self, events: &mut EventBatch) {
        let wanted = u8::from(self.0);
        events.retain(|event| event.p.min(1) == wanted);
    }
}
