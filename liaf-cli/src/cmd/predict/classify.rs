//! A network on frames as they come: what it says of each sample so far.

use anyhow::{Result, bail, ensure};
use liaf_core::graph::State;
use liaf_core::{Network, Real};
use liaf_data::frames::{Frame, FrameShape};

/// What the network says after a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// Frames of the sample so far.
    pub frames: usize,
    /// The network's outputs, or their mean over the frames where it has one at every step.
    pub scores: Vec<f64>,
}

impl Scores {
    /// The first of the largest.
    pub fn class(&self) -> usize {
        let better = |best: usize, at: usize| self.scores[at] > self.scores[best];
        (1..self.scores.len()).fold(0, |best, at| if better(best, at) { at } else { best })
    }

    /// The first class whose score is not a number, and what it is.
    pub fn fault(&self) -> Option<(usize, f64)> {
        self.scores.iter().copied().enumerate().find(|(_, score)| !score.is_finite())
    }

    /// `exp(s) / sum exp(s)` of every class.
    pub fn probabilities(&self) -> Vec<f64> {
        let largest = self.scores[self.class()];
        let exp: Vec<_> = self.scores.iter().map(|score| (score - largest).exp()).collect();
        let sum: f64 = exp.iter().sum();
        exp.into_iter().map(|share| share / sum).collect()
    }
}

/// Takes frames one by one. After `steps` of them, a new sample begins.
pub struct Classifier<R: Real> {
    network: Network<R>,
    input: String,
    state: State<R>,
    plain: bool,
    steps: usize,
    scale: f32,
    /// Sums of the outputs of this sample, where they are of one step each.
    sums: Option<Vec<f64>>,
    frames: usize,
    dense: Vec<f32>,
    item: Vec<R>,
}

impl<R: Real> Classifier<R> {
    /// A network that takes frames of this shape, their cells times `scale`, in samples of `steps`
    /// (0: all are one sample).
    pub fn new(network: Network<R>, steps: usize, scale: f32, plain: bool) -> Result<Self> {
        let mut inputs = network.input_shapes();
        let input = match (inputs.next(), inputs.next()) {
            (Some((name, shape)), None) if shape.timed => name.to_owned(),
            _ => bail!("the network takes something else than one input of frames in time"),
        };
        drop(inputs);
        let output = network.output_shape();
        ensure!(output.item.len() == 1, "the network's output is not one number a class: {output}");
        let sums = output.timed.then(|| vec![0.0; output.len()]);
        let (state, dense, item) = (network.state(), Vec::new(), Vec::new());
        let mut new =
            Self { network, input, state, plain, steps, scale, sums, frames: 0, dense, item };
        new.begin();
        Ok(new)
    }

    /// Classes it tells apart.
    pub fn classes(&self) -> usize {
        self.network.output_shape().len()
    }

    /// Makes room for frames of this shape, which must be the network's.
    pub fn take_shape(&mut self, frames: FrameShape) -> Result<()> {
        let FrameShape { channels, height, width } = frames;
        let taken = self.network.input_shapes().map(|(_, shape)| &shape.item).next();
        ensure!(
            taken.is_some_and(|item| **item == [channels, height, width]),
            "the network takes frames of {:?}, and its recipe makes {:?} of this recording",
            taken.map_or(&[][..], Vec::as_slice),
            [channels, height, width]
        );
        self.dense.resize(frames.cells(), 0.0);
        Ok(())
    }

    /// Takes the next frame.
    pub fn take(&mut self, frame: &Frame) -> liaf_core::Result<Scores> {
        if self.is_done() {
            self.begin();
        }
        frame.cells.fill(&mut self.dense);
        self.item.clear();
        self.item.extend(self.dense.iter().map(|cell| R::of(f64::from(cell * self.scale))));
        let output = self.network.step(&[(self.input.as_str(), &self.item)], &mut self.state)?;
        let output = output.iter().map(|score| score.f64());
        self.frames += 1;
        let scores: Vec<f64> = match &mut self.sums {
            Some(sums) => {
                sums.iter_mut().zip(output).for_each(|(sum, score)| *sum += score);
                sums.iter().map(|sum| sum / self.frames as f64).collect()
            }
            None => output.collect(),
        };
        Ok(Scores { frames: self.frames, scores })
    }

    /// Whether the last frame was the last one of its sample.
    pub fn is_done(&self) -> bool {
        self.steps > 0 && self.frames == self.steps
    }

    fn begin(&mut self) {
        let state = self.network.state();
        self.state = if self.plain { state.plain() } else { state };
        self.frames = 0;
        self.sums.iter_mut().for_each(|sums| sums.fill(0.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_shares_even_of_large_scores() {
        let scores = Scores { frames: 1, scores: vec![-1e300, 800.0, 800.0, 799.0] };
        assert_eq!(scores.class(), 1);
        let p = scores.probabilities();
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!((p[0], p[1]), (0.0, p[2]));
        assert!((p[3] / p[2] - (-1.0f64).exp()).abs() < 1e-12);
    }
}
