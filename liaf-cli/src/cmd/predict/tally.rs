//! How many samples are of which class, and how many of those that are known are right.

use crate::text::thousands;

/// Counts of the samples of recordings.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Number of samples of each class.
    votes: Vec<u64>,
    /// Number of samples of which the class is known, and of those that were taken for it.
    known: u64,
    right: u64,
    /// Number of samples of a class that the network does not know.
    foreign: u64,
    /// Number of samples that were left out because the recording cuts them short.
    pub dropped: u64,
    /// The sample of the last prediction, which is not counted yet.
    last: Option<Seen>,
}

/// A sample: its number, its predicted class, and its class if that is known, which is `None` if the network
/// does not know it.
type Seen = (u64, usize, Option<Option<usize>>);

impl Tally {
    /// Nothing of so many classes.
    pub fn new(classes: usize) -> Self {
        Self { votes: vec![0; classes], ..Self::default() }
    }

    /// Takes a prediction. Of several for a sample, the last one counts.
    pub fn see(&mut self, sample: u64, class: usize, label: Option<Option<usize>>) {
        if self.last.is_some_and(|(last, ..)| last != sample) {
            self.end();
        }
        self.last = Some((sample, class, label));
    }

    /// Ends a recording.
    pub fn end(&mut self) {
        let Some((_, class, label)) = self.last.take() else { return };
        self.votes[class] += 1;
        match label {
            Some(Some(label)) => {
                self.known += 1;
                self.right += u64::from(label == class);
            }
            Some(None) => self.foreign += 1,
            None => {}
        }
    }

    /// Adds the samples of a recording that has ended.
    pub fn add(&mut self, other: &Self) {
        self.votes.iter_mut().zip(&other.votes).for_each(|(all, more)| *all += more);
        self.known += other.known;
        self.right += other.right;
        self.foreign += other.foreign;
        self.dropped += other.dropped;
    }

    /// Number of samples by class, the most frequent first, and the accuracy.
    pub fn summary(&self, names: &[String]) -> String {
        let mut votes: Vec<_> = self.votes.iter().enumerate().filter(|(_, n)| **n > 0).collect();
        votes.sort_by_key(|&(class, &n)| (u64::MAX - n, class));
        let classes = votes.iter().map(|&(class, &n)| format!("{} {}", names[class], thousands(n)));
        let classes: Vec<_> = classes.collect();
        let all = thousands(self.votes.iter().sum());
        let mut text = match classes.is_empty() {
            true => "no samples".to_owned(),
            false => format!("{all} samples: {}", classes.join(", ")),
        };
        if self.known > 0 {
            let share = 100.0 * self.right as f64 / self.known as f64;
            let (right, known) = (thousands(self.right), thousands(self.known));
            text += &format!("; accuracy {share:.2} % ({right} of {known})");
        }
        if self.foreign > 0 {
            text += &format!("; {} of classes that the network does not know", self.foreign);
        }
        if self.dropped > 0 {
            text += &format!("; {} cut short and left out", self.dropped);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_prediction_of_each_sample_counts() {
        let names = ["a".to_owned(), "b".to_owned()];
        let mut one = Tally::new(2);
        assert_eq!(one.summary(&names), "no samples");
        for (sample, class, label) in [
            (0, 1, Some(Some(0))),
            (0, 0, Some(Some(0))),
            (1, 1, Some(Some(0))),
            (2, 1, Some(None)),
            (3, 1, None),
        ] {
            one.see(sample, class, label);
        }
        one.end();
        let mut all = Tally::new(2);
        all.add(&one);
        all.dropped += 1;
        assert_eq!(
            all.summary(&names),
            "4 samples: b 3, a 1; accuracy 50.00 % (1 of 2); 1 of classes that the network does not know; \
             1 cut short and left out"
        );
    }
}
