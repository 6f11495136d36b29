//! The run itself: epochs, evaluations, checkpoints.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use liaf_core::checkpoint::Series;
use liaf_core::train::Trainer;
use liaf_core::{Error, Network};
use liaf_data::frames::SampleRecipe;

use super::Experiment;
use super::activity::activity;
use super::assess::{CLASSES, SCALE};
use super::evaluate::{Evaluation, Score, evaluate};
use super::folder::{Folder, SUMMARY};
use super::identity::{Identity, fingerprint};
use super::network::only_input;
use super::prepare::{Plan, Prepared, Watch, prepare, was_stopped};
use super::record::{EpochRecord, Position, StepRecord, Summary, best};
use super::report::Report;

use crate::error::Result;
use crate::samples::{Examples, Loader};

/// What a run tells while it goes on.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// So many recordings of all are samples now.
    Data {
        /// Number of recordings that are done.
        done: usize,
        /// Number of all recordings.
        of: usize,
    },
    /// Something unusual about the data.
    Remark(&'a str),
    /// Everything was checked, and training begins, or continues after so many epochs and steps.
    Ready {
        /// What the run is going to do.
        plan: &'a Plan,
        /// The epochs that are done.
        epochs: &'a [EpochRecord],
        /// Number of steps that are done.
        steps: u64,
    },
    /// A step was made.
    Step {
        /// The step.
        record: &'a StepRecord,
        /// Number of batches of the epoch that are done.
        batch: usize,
        /// Number of batches of the epoch.
        batches: usize,
    },
    /// So many samples of all were evaluated.
    Evaluated {
        /// Number of samples that are done.
        done: usize,
        /// Number of all samples.
        of: usize,
    },
    /// An epoch ended.
    Epoch(&'a EpochRecord),
    /// A checkpoint was written.
    Saved(&'a Path),
}

/// The result of a run.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// What is in `summary.json`.
    pub summary: Summary,
    /// The epochs.
    pub epochs: Vec<EpochRecord>,
    /// The network after the last epoch on the test samples; `None` if the run was stopped.
    pub last: Option<Evaluation>,
    /// The network of the best epoch on the test samples. `None` if the run was stopped, or has no folder
    /// and the best epoch is not the last one.
    pub best: Option<Evaluation>,
    /// Whether the watcher stopped the run.
    pub stopped: bool,
    /// The network, with the weights that are used for evaluation.
    pub network: Network<f32>,
}

/// A run that goes on.
struct Run<'a> {
    experiment: &'a Experiment,
    plan: Plan,
    data: super::data::Data,
    loader: Loader,
    trainer: Trainer<f32>,
    position: Position,
    folder: Option<(Folder, Series)>,
    begun: Instant,
    saved: Instant,
}

/// Trains, and evaluates the result.
pub(super) fn run(experiment: &Experiment, watch: &mut Watch<'_>) -> Result<Outcome> {
    if let Some(out) = &experiment.out {
        Folder::check(out, experiment.resume, experiment.document.path())?;
    }
    let mut run = Run::new(experiment, prepare(experiment, watch)?)?;
    let (epochs, steps) = (&run.position.epochs, run.trainer.steps());
    let _ = watch(Event::Ready { plan: &run.plan, epochs, steps });
    let stopped = run.train(watch)?;
    run.finish(stopped)
}

impl<'a> Run<'a> {
    fn new(experiment: &'a Experiment, prepared: Prepared) -> Result<Self> {
        let Prepared { plan, data, network, loader, identity } = prepared;
        let out = experiment.out.as_deref();
        let resumed = out.filter(|_| experiment.resume).map(Folder::checkpoints);
        let training = experiment.recipe.training();
        let resumed = resumed.map(|series| series.resume_with::<f32>(&training)).transpose()?;
        let (mut trainer, position) = match resumed.flatten() {
            Some(trainer) => {
                let notes = trainer.notes();
                let checked = identity.check(notes.get(Identity::NOTE));
                checked.map_err(|error| match out {
                    Some(out) => error.in_file(out),
                    None => error,
                })?;
                let position = notes.get(Position::NOTE).map(String::as_str).unwrap_or_default();
                let position = serde_json::from_str(position).map_err(|error| {
                    Error::checkpoint("the checkpoint does not say where it was written")
                        .found(error)
                })?;
                (trainer, position)
            }
            None => (Trainer::new(network, training)?, Position::default()),
        };
        if let Some(loss) = &experiment.loss {
            trainer = trainer.with_loss(Arc::clone(loss));
        }
        let identity =
            serde_json::to_string(&identity).map_err(|e| Error::config(e.to_string()))?;
        trainer.notes_mut().insert(Identity::NOTE.into(), identity);
        trainer.notes_mut().insert("experiment".into(), plan.resolved.clone());
        trainer.notes_mut().insert(SCALE.into(), plan.scale.to_string());
        let classes = serde_json::to_string(&plan.classes);
        let classes = classes.map_err(|error| Error::config(error.to_string()))?;
        trainer.notes_mut().insert(CLASSES.into(), classes);
        if let Some(recipe) = data.train.recipe() {
            let recipe = SampleRecipe { scale: recipe.scale * plan.scale, ..recipe };
            trainer.notes_mut().insert(SampleRecipe::NOTE.into(), recipe.to_json()?);
        }
        let known = (trainer.steps(), trainer.epochs());
        let folder = match out {
            Some(out) => {
                let folder = Folder::open(out, (known.0 > 0).then_some(known))?;
                folder.experiment(&plan.resolved)?;
                Some((folder, Folder::checkpoints(out)))
            }
            None => None,
        };
        let (begun, saved) = (Instant::now(), Instant::now());
        Ok(Self { experiment, plan, data, loader, trainer, position, folder, begun, saved })
    }

    /// Runs the epochs that are left. Returns whether the watcher stopped it.
    fn train(&mut self, watch: &mut Watch<'_>) -> Result<bool> {
        while !self.is_finished() {
            match self.epoch(watch) {
                Ok(ControlFlow::Continue(())) => {}
                // The epoch is saved, with its score.
                Ok(ControlFlow::Break(())) => return Ok(true),
                Err(error) if was_stopped(&error) => {
                    self.save(None, watch)?;
                    return Ok(true);
                }
                Err(error) => {
                    if let Some((folder, _)) = &mut self.folder {
                        folder.flush()?;
                    }
                    return Err(error);
                }
            }
        }
        Ok(false)
    }

    fn is_finished(&self) -> bool {
        let epochs = &self.position.epochs;
        let waited = best(epochs).map_or(0, |best| self.trainer.epochs() - best.epoch);
        let patience = self.experiment.recipe.patience;
        self.trainer.epochs() >= self.experiment.recipe.epochs
            || patience.is_some_and(|patience| waited >= patience)
    }

    /// Runs what is left of an epoch and saves the result. Returns whether the watcher goes on.
    fn epoch(&mut self, watch: &mut Watch<'_>) -> Result<ControlFlow<()>> {
        let (epoch, seed) = (self.trainer.epochs(), self.experiment.recipe.seed);
        let set = self.data.train.clone();
        let loader = self.loader;
        let batches = loader.shuffled(&*set, seed, epoch);
        let only = only_input(self.trainer.network());
        let left = batches.get(self.position.batches..).unwrap_or_default();
        loader.run(&*set, left, seed, epoch, |batch| {
            let Some(inputs) = batch.inputs(only.as_deref()) else { return Ok(()) };
            let report = self.trainer.step(&inputs, batch.labels()).map_err(|error| {
                let place = format!("epoch {}, step {}: {error}", epoch + 1, self.trainer.steps());
                let error = Error::new(error.kind(), place);
                self.experiment.document.at(&["recipe", "optimizer"], error)
            })?;
            let record = StepRecord {
                step: report.step,
                epoch: epoch + 1,
                loss: report.loss,
                correct: report.correct,
                samples: report.samples,
                gradient_norm: report.gradient_norm,
                learning_rate: report.learning_rate,
            };
            self.position.add(&record);
            if let Some((folder, _)) = &mut self.folder {
                folder.line(&record)?;
            }
            let (batch, batches) = (self.position.batches, batches.len());
            go_on(watch(Event::Step { record: &record, batch, batches }))?;
            let since = self.saved.elapsed().as_secs_f64();
            if since >= self.experiment.save_every && batch < batches {
                self.save(None, watch)?;
            }
            Ok(())
        })?;
        let train = self.position.train();
        let validation = self.data.validation.clone();
        let validation = validation.map(|set| self.score(&*set, watch)).transpose()?;
        let test = self.data.test.clone();
        let test = self.score(&*test, watch)?;
        self.trainer.end_epoch();
        let record = EpochRecord {
            epoch: epoch + 1,
            steps: self.trainer.steps(),
            train,
            validation,
            test,
            seconds: self.seconds(),
        };
        self.position.end(record);
        if let Some((folder, _)) = &mut self.folder {
            folder.line(&record)?;
        }
        let flow = watch(Event::Epoch(&record));
        self.save(Some(record.deciding().accuracy()), watch)?;
        Ok(flow)
    }

    /// Loss and accuracy on a set.
    fn score(&mut self, set: &dyn Examples, watch: &mut Watch<'_>) -> Result<Score> {
        let mut all = Score::default();
        let only = only_input(self.trainer.network());
        let loader = self.loader;
        loader.run_stored(set, |batch| {
            let Some(inputs) = batch.inputs(only.as_deref()) else { return Ok(()) };
            let own = self.trainer.evaluate(&inputs, batch.labels())?;
            all.loss += own.loss * batch.len() as f64;
            all.correct += own.correct;
            all.samples += batch.len();
            go_on(watch(Event::Evaluated { done: all.samples, of: set.len() }))
        })?;
        all.loss /= all.samples.max(1) as f64;
        Ok(all)
    }

    /// Seconds of this run and of those that it continues.
    fn seconds(&self) -> f64 {
        self.position.seconds + self.begun.elapsed().as_secs_f64()
    }

    /// Writes a checkpoint.
    fn save(&mut self, score: Option<f64>, watch: &mut Watch<'_>) -> Result<()> {
        let seconds = self.seconds();
        let Some((folder, series)) = &mut self.folder else { return Ok(()) };
        folder.flush()?;
        let position = Position { seconds, ..self.position.clone() };
        let position =
            serde_json::to_string(&position).map_err(|e| Error::config(e.to_string()))?;
        self.trainer.notes_mut().insert(Position::NOTE.into(), position);
        let path: PathBuf = series.save(&self.trainer, score)?;
        self.saved = Instant::now();
        let _ = watch(Event::Saved(&path));
        Ok(())
    }

    fn finish(self, stopped: bool) -> Result<Outcome> {
        let summary = self.summary(stopped)?;
        let Self { plan, data, loader, position, folder, trainer, .. } = self;
        let epochs = position.epochs;
        let loss = &trainer.loss().clone();
        let network = trainer.into_network();
        let (mut last, mut of_best) = (None, None);
        if !stopped {
            last = Some(evaluate(&network, &*data.test, &loader, loss)?);
            let path = folder.as_ref().map(|(_, series)| series.best()).transpose()?.flatten();
            of_best = match (best(&epochs), path) {
                (Some(best), _) if best.epoch == summary.epochs => last.clone(),
                (_, Some((_, path))) => {
                    let (network, _) = Network::from_checkpoint(path)?;
                    Some(evaluate(&network, &*data.test, &loader, loss)?)
                }
                _ => None,
            };
        }
        if let Some((mut folder, _)) = folder {
            folder.flush()?;
            folder.json(SUMMARY, &summary)?;
            let activity = match stopped {
                true => Vec::new(),
                false => activity(&network, &data.test, &loader)?,
            };
            folder.report(&Report {
                plan: &plan,
                summary: &summary,
                epochs: &epochs,
                last: last.as_ref(),
                best: of_best.as_ref(),
                activity: &activity,
                test: &*data.test,
            })?;
        }
        Ok(Outcome { summary, epochs, last, best: of_best, stopped, network })
    }

    fn summary(&self, stopped: bool) -> Result<Summary> {
        let epochs = &self.position.epochs;
        let best = best(epochs);
        let total = self.plan.cost.total();
        Ok(Summary {
            name: self.plan.name.clone(),
            test_accuracy_last: epochs.last().map(|epoch| epoch.test.accuracy()),
            test_accuracy_best: best.map(|epoch| epoch.test.accuracy()),
            best_epoch: best.map(|epoch| epoch.epoch),
            best_by: if self.data.validation.is_some() { "validation" } else { "test" }.into(),
            epochs: self.trainer.epochs(),
            steps: self.trainer.steps(),
            train_samples: self.data.train.len(),
            test_samples: self.data.test.len(),
            test_data: fingerprint([&self.data.test])?,
            parameters: self.trainer.network().parameter_count(),
            weights: total.weights,
            macs: total.macs,
            seconds: self.seconds(),
            seed: self.experiment.recipe.seed,
            version: env!("CARGO_PKG_VERSION").into(),
            finished: !stopped && self.is_finished(),
        })
    }
}

/// An error if the watcher stops the run.
fn go_on(flow: ControlFlow<()>) -> Result<()> {
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => {
            let stop = liaf_data::ErrorKind::Cancelled;
            Err(liaf_data::Error::new(stop, "training was stopped").into())
        }
    }
}
