//! One file through one network.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use liaf_core::graph::State;
use liaf_core::{Inputs, Mode, Network, Workspace};
use liaf_data::frames::{Binner, Frame, FrameOptions};
use liaf_data::{EventBatch, ReadOptions, Recording};
use ndarray::{ArrayD, IxDyn};

use crate::nets::{BATCH, Model};

/// Events that are read at a time.
const EVENTS: usize = 1 << 16;

/// How frames reach the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Way {
    /// One by one, as from a camera.
    Stream,
    /// In batches of 16 samples.
    Batch,
}

impl Way {
    pub fn name(self) -> &'static str {
        if self == Self::Stream { "stream" } else { "batch" }
    }
}

/// A network and the frames that it takes.
#[derive(Debug)]
pub struct Work {
    model: Model,
    network: Network<f32>,
    input: String,
    options: FrameOptions,
}

/// What was done with a file, and the seconds of every stage.
#[derive(Debug, Clone, Default)]
pub struct Stages {
    pub events: u64,
    pub frames: u64,
    /// In total.
    pub seconds: f64,
    /// Opening and decoding.
    pub read: f64,
    /// Binning.
    pub binned: f64,
    pub network: f64,
    /// The class of every sample; the last one may be shorter than the others.
    pub classes: Vec<usize>,
}

impl Work {
    pub fn new(model: Model) -> Result<Self> {
        let [_, height, width] = model.item.map(u16::try_from);
        let options = FrameOptions::default().size(width?, height?);
        let network = model.build()?;
        Ok(Self { input: model.input()?, network, options, model })
    }

    /// The whole way of a file.
    pub fn classify(&self, file: &Path, way: Way) -> Result<Stages> {
        let start = Instant::now();
        let mut stages = Stages::default();
        let mut recording = Recording::open(file, ReadOptions::default())?;
        let mut binner = Binner::new(&self.options, recording.find_sensor()?, None)?;
        let mut reader = recording.reader()?;
        let mut events = EventBatch::new();
        let mut classes = Classes::new(self, way);
        stages.read += start.elapsed().as_secs_f64();
        loop {
            let begin = Instant::now();
            events.clear();
            let count = reader.read_into(&mut events, EVENTS)?;
            stages.read += begin.elapsed().as_secs_f64();
            if count == 0 {
                break;
            }
            stages.events += count as u64;
            classes.pass(&mut stages, |sink| binner.push(&events, sink))?;
        }
        classes.pass(&mut stages, |sink| binner.finish(sink).map(|_| ()))?;
        let begin = Instant::now();
        classes.end()?;
        stages.network += begin.elapsed().as_secs_f64();
        (stages.frames, stages.classes) = (classes.frames, classes.classes);
        stages.seconds = start.elapsed().as_secs_f64();
        Ok(stages)
    }
}

/// Takes frames, and gives a class for every sample.
struct Classes<'a> {
    work: &'a Work,
    way: Way,
    state: State<f32>,
    space: Workspace<f32>,
    /// The frames of the current batch, or the current frame.
    cells: Vec<f32>,
    /// Outputs over the frames of the current sample so far.
    scores: Vec<f32>,
    frames: u64,
    classes: Vec<usize>,
    /// Seconds in the network since the last frames were passed.
    seconds: f64,
    error: Option<anyhow::Error>,
}

impl<'a> Classes<'a> {
    fn new(work: &'a Work, way: Way) -> Self {
        Self {
            work,
            way,
            state: work.network.state(),
            space: Workspace::new(),
            cells: Vec::new(),
            scores: Vec::new(),
            frames: 0,
            classes: Vec::new(),
            seconds: 0.0,
            error: None,
        }
    }

    /// Lets `bin` pass frames, and adds the times of both stages.
    fn pass(
        &mut self,
        stages: &mut Stages,
        bin: impl FnOnce(&mut dyn liaf_data::frames::FrameSink) -> liaf_data::Result<()>,
    ) -> Result<()> {
        let begin = Instant::now();
        self.seconds = 0.0;
        bin(&mut |frame: &Frame| {
            if self.error.is_none() {
                self.error = self.frame(frame).err();
            }
            Ok(())
        })?;
        stages.network += self.seconds;
        stages.binned += begin.elapsed().as_secs_f64() - self.seconds;
        self.error.take().map_or(Ok(()), Err)
    }

    fn frame(&mut self, frame: &Frame) -> Result<()> {
        let (len, steps) = (self.work.model.item.iter().product::<usize>(), self.work.model.steps);
        self.frames += 1;
        if self.way == Way::Stream {
            self.cells.clear();
        }
        let before = self.cells.len();
        self.cells.resize(before + len, 0.0);
        frame.cells.fill(&mut self.cells[before..]);
        let begin = Instant::now();
        match self.way {
            Way::Stream => {
                let Work { network, input, .. } = self.work;
                let scores = network.step(&[(input, &self.cells)], &mut self.state)?;
                self.scores.clear();
                self.scores.extend_from_slice(scores);
                if self.state.frames() == steps as u64 {
                    self.end()?;
                }
            }
            Way::Batch if self.cells.len() == BATCH * steps * len => self.end()?,
            Way::Batch => {}
        }
        self.seconds += begin.elapsed().as_secs_f64();
        Ok(())
    }

    /// Ends the current sample or batch, if there is one.
    fn end(&mut self) -> Result<()> {
        if self.cells.is_empty() {
            return Ok(());
        }
        let Work { network, input, model, .. } = self.work;
        if self.way == Way::Stream {
            self.classes.push(largest(&self.scores));
            self.state = network.state();
            self.cells.clear();
            return Ok(());
        }
        let [channels, height, width] = model.item;
        let (len, steps) = (channels * height * width, model.steps);
        let frames = self.cells.len() / len;
        let samples = frames.div_ceil(steps);
        let lengths: Vec<_> = (0..samples).map(|n| steps.min(frames - n * steps)).collect();
        // Padding of the last sample.
        self.cells.resize(samples * steps * len, 0.0);
        let shape = IxDyn(&[samples, steps, channels, height, width]);
        let batch = ArrayD::from_shape_vec(shape, std::mem::take(&mut self.cells))?;
        let inputs = Inputs::of(input, batch.view()).lengths(input, &lengths);
        let pass = network.forward(&inputs, Mode::eval(), &mut self.space)?;
        for scores in pass.output().outer_iter() {
            self.classes.push(largest(scores.as_slice().context("scores in order")?));
        }
        self.cells = batch.into_raw_vec_and_offset().0;
        self.cells.clear();
        Ok(())
    }
}

/// The index of the first of the largest numbers.
fn largest(scores: &[f32]) -> usize {
    let all = scores.iter().enumerate();
    all.fold((0, f32::NEG_INFINITY), |best, (i, &s)| if s > best.1 { (i, s) } else { best }).0
}
