//! The prediction for a sample.

use std::ops::Range;

/// The predicted class of a sample, with the outputs of the network.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Prediction {
    /// Index of the sample in its recording, counted from 0.
    pub sample: u64,
    /// Start of the first frame of the sample, in µs of the recording's clock.
    pub start: i64,
    /// End of the last frame so far, in µs (exclusive).
    pub end: i64,
    /// Number of frames of the sample so far.
    pub frames: usize,
    /// Whether the sample has all its frames, and the recording does not end within the window of the
    /// last one. It is `false` for the last sample of a recording that is cut short by its end, and for
    /// a sample so far ([`Classifier::each_frame`](super::Classifier::each_frame)).
    pub complete: bool,
    /// Index of the class with the largest score; the first one if there are several.
    pub class: usize,
    /// Name of that class.
    pub name: String,
    /// The outputs of the network, one for each class. If the network has outputs at every step, this
    /// is their mean over the frames of the sample so far.
    pub scores: Vec<f64>,
}

impl Prediction {
    /// The prediction from the scores of a complete sample. `time` is from the start of its first frame to
    /// the end of its last frame. A class without a name is named by its index.
    ///
    /// ```
    /// let scores = vec![0.0, 3f64.ln()];
    /// let seen = liaf::Prediction::new(0, 0..20_000, 2, scores, &["wave", "clap"]);
    /// assert_eq!((seen.class, seen.name.as_str()), (1, "clap"));
    /// assert!((seen.probability() - 0.75).abs() < 1e-12);
    /// ```
    pub fn new(
        sample: u64,
        time: Range<i64>,
        frames: usize,
        scores: Vec<f64>,
        names: &[impl AsRef<str>],
    ) -> Self {
        let class = best(&scores);
        let name = names.get(class).map_or(class.to_string(), |name| name.as_ref().to_owned());
        let Range { start, end } = time;
        Self { sample, start, end, frames, complete: true, class, name, scores }
    }

    /// The softmax of the scores, `exp(s) / sum exp(s)`, one number for each class.
    pub fn probabilities(&self) -> Vec<f64> {
        softmax(&self.scores)
    }

    /// The probability of [`class`](Self::class).
    pub fn probability(&self) -> f64 {
        self.probabilities().get(self.class).copied().unwrap_or(0.0)
    }
}

/// The index of the largest score; the first one if there are several.
fn best(scores: &[f64]) -> usize {
    let better = |best: usize, at: usize| scores[at] > scores[best];
    (1..scores.len()).fold(0, |best, at| if better(best, at) { at } else { best })
}

/// `exp(s) / sum exp(s)` of each score.
pub(crate) fn softmax(scores: &[f64]) -> Vec<f64> {
    // Subtracting the largest score keeps exp from overflowing.
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exp: Vec<_> = scores.iter().map(|score| (score - largest).exp()).collect();
    let sum: f64 = exp.iter().sum();
    exp.into_iter().map(|share| share / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_shares_even_of_large_scores() {
        let scores = vec![-1e300, 800.0, 800.0, 799.0];
        assert_eq!(best(&scores), 1);
        let p = softmax(&scores);
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!((p[0], p[1]), (0.0, p[2]));
        assert!((p[3] / p[2] - (-1.0f64).exp()).abs() < 1e-12);
    }
}
