//! Everything before the first step: data, network, checks, memory.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex};

use liaf_core::checkpoint::LoadOptions;
use liaf_core::cost::{Cost, CountRule};
use liaf_core::graph::MemoryEstimate;
use liaf_core::train::Trainer;
use liaf_core::{Error, Network, NetworkConfig};
use liaf_data::{ErrorKind, Hint};

use super::config::{Measured, Scale};
use super::data::{Data, Loading, Section, table};
use super::document::Document;
use super::identity::Identity;
use super::run::Event;
use super::{Experiment, VERSION, checks};
use crate::error::Result;
use crate::samples::{Examples, Loader};

/// What a run is going to do.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// Name of the experiment.
    pub name: String,
    /// The experiment with every default and everything that was set, as TOML.
    pub resolved: String,
    /// The network.
    pub network: NetworkConfig,
    /// Numbers of samples for training, validation and test.
    pub samples: [usize; 3],
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Number of steps of the longest sample.
    pub steps: usize,
    /// The cost of a sample.
    pub cost: Cost,
    /// Memory that the run needs at most, in bytes.
    pub memory: u64,
    /// The factor of the cells of frames.
    pub scale: f32,
    /// Number of epochs.
    pub epochs: u64,
    /// Number of batches of an epoch.
    pub batches: usize,
}

/// A run that can begin.
pub(super) struct Prepared {
    pub plan: Plan,
    pub data: Data,
    pub network: Network<f32>,
    pub loader: Loader,
    pub identity: Identity,
}

/// Is told what a run does, and says whether to go on.
pub(super) type Watch<'w> = dyn FnMut(Event<'_>) -> ControlFlow<()> + Send + 'w;

/// Loads the data and checks everything.
pub(super) fn prepare(experiment: &Experiment, watch: &mut Watch<'_>) -> Result<Prepared> {
    let Experiment { document, recipe, .. } = experiment;
    let data = load(experiment, watch)?;
    for remark in &data.remarks {
        let _ = watch(Event::Remark(remark));
    }
    checks::samples(document, &data)?;
    for (name, set) in [("validation", data.validation.as_ref()), ("test", Some(&data.test))] {
        if let (Some(own), Some(learned)) = (set.and_then(|set| set.recipe()), data.train.recipe())
            && let Some(other) = checks::other_frames(&own, &learned)
        {
            let remark =
                format!("the samples for {name} were not made as those for train: {other}");
            let _ = watch(Event::Remark(&remark));
        }
    }
    let config = experiment.network.resolve(document, &*data.train)?;
    let steps = longest(&data);
    let refuse = |error: Error| document.at(&["network"], error);
    let needs = config.step_estimate::<f32>().map_err(refuse)?;
    let checked = needs.check(experiment.max_memory);
    checked.map_err(|error| beyond_memory(document, &["network"], error, needs.total()))?;
    let mut network = config.build::<f32>(recipe.seed).map_err(refuse)?;
    if let Some(path) = &recipe.weights {
        let loaded = network.load_weights(path, &LoadOptions::default());
        loaded.map_err(|error| document.at(&["recipe", "weights"], error))?;
    }
    // The trainer knows what can be frozen.
    let trainer = Trainer::new(network, recipe.training());
    let network = trainer.map_err(|e| document.at(&["recipe", "freeze"], e))?.into_network();
    checks::network(document, &network, &data.train)?;
    let scale = factor(experiment, &data)?;
    let loader = Loader {
        threads: experiment.loaders,
        augment: recipe.augment,
        scale,
        bucket: recipe.bucket,
        ..Loader::new(recipe.batch)
    };
    let memory = memory(experiment, &network, &data, steps);
    if memory > experiment.max_memory {
        let error = Error::limit("training needs too much memory")
            .expected(format!("at most {} bytes", experiment.max_memory))
            .found(format!("{memory} bytes"))
            .advice("a smaller batch, or `micro_batch` samples at a time, needs less");
        return Err(beyond_memory(document, &["recipe", "batch"], error, memory));
    }
    let plan = Plan {
        name: experiment.name.clone(),
        resolved: resolved(experiment, &config)?,
        samples: [
            data.train.len(),
            data.validation.as_ref().map_or(0, |set| set.len()),
            data.test.len(),
        ],
        classes: data.train.classes().to_vec(),
        steps,
        cost: config.cost(steps, CountRule::Textbook)?,
        memory,
        scale,
        epochs: recipe.epochs,
        batches: data.train.len().div_ceil(recipe.batch),
        network: config,
    };
    let identity = Identity::new(&plan.network, recipe, &data)?;
    Ok(Prepared { plan, data, network, loader, identity })
}

/// The test samples of an experiment whose run is in `out`.
pub(super) fn test_samples(experiment: &Experiment, out: &Path) -> Result<Arc<dyn Examples>> {
    let section = Section::read(&experiment.document)?;
    let tell = |_: usize, _: usize| true;
    let out = out.is_dir().then_some(out);
    let loading = Loading { document: &experiment.document, out, tell: &tell };
    Ok(section.load(&loading, experiment.recipe.seed)?.test)
}

fn load(experiment: &Experiment, watch: &mut Watch<'_>) -> Result<Data> {
    if let Some([train, test]) = &experiment.own {
        let (train, test) = (train.clone(), test.clone());
        return Ok(Data { train, validation: None, test, remarks: Vec::new() });
    }
    // Without a table, reading it says what is missing.
    let read;
    let section = match &experiment.section {
        Some(section) => section,
        None => {
            read = Section::read(&experiment.document)?;
            &read
        }
    };
    // Recordings are read on several threads, which tell this one watcher.
    let watch = Mutex::new((watch, false));
    let tell = |done: usize, of: usize| {
        let Ok(mut watch) = watch.lock() else { return false };
        if of > 0 && !watch.1 {
            watch.1 = (watch.0)(Event::Data { done, of }).is_break();
        }
        !watch.1
    };
    let out = experiment.out.as_deref();
    let loading = Loading { document: &experiment.document, out, tell: &tell };
    section.load(&loading, experiment.recipe.seed)
}

/// Number of steps of the longest sample.
fn longest(data: &Data) -> usize {
    let sets = [Some(&data.train), data.validation.as_ref(), Some(&data.test)];
    let inputs = sets.into_iter().flatten().flat_map(|set| set.inputs());
    inputs.map(|input| input.steps).max().unwrap_or(1)
}

/// The factor of the cells.
fn factor(experiment: &Experiment, data: &Data) -> Result<f32> {
    let rms = match experiment.recipe.scale {
        Scale::Factor(factor) => return Ok(factor),
        Scale::Measured(Measured::Rms) => {
            let loader = Loader { threads: experiment.loaders, ..Loader::new(16) };
            let (mut squares, mut cells) = (0.0_f64, 0_usize);
            loader.run_stored(&*data.train, |mut batch| {
                for array in batch.arrays_mut().filter(|array| array.ndim() == 5) {
                    squares += array.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>();
                    cells += array.len();
                }
                Ok(())
            })?;
            (squares / cells.max(1) as f64).sqrt()
        }
    };
    if rms > 0.0 && rms.is_finite() {
        return Ok((1.0 / rms) as f32);
    }
    let error = Error::data("the cells of the training samples have no root mean square");
    let error = error.expected("frames with events").found(rms);
    Err(experiment.document.at(&["recipe", "scale"], error))
}

/// Memory that training needs at most, in bytes.
fn memory(experiment: &Experiment, network: &Network<f32>, data: &Data, steps: usize) -> u64 {
    let recipe = &experiment.recipe;
    // A batch has no more samples than there are.
    let in_batch = recipe.batch.min(data.train.len());
    let samples = recipe.micro_batch.unwrap_or(in_batch).min(in_batch);
    let in_a_pass = recipe.truncate.map_or(steps, |most| most.min(steps));
    // What is known of firing rates in the end comes from a pass of the whole batch.
    let training = network.memory_estimate(samples, in_a_pass, true);
    let ending = network.memory_estimate(recipe.batch.min(data.test.len()), steps, true);
    let passes = MemoryEstimate::total(&training).max(ending.total());
    let sets = [Some(&data.train), Some(&data.test)];
    let held: u64 = sets.into_iter().flatten().map(|set| set.bytes()).sum();
    let item = |input: crate::samples::Input| input.shape.len().max(1) * input.steps;
    let sample: usize = data.train.inputs().into_iter().map(item).sum();
    let batches = 2 * experiment.loaders as u64 + 1;
    let batch = (size_of::<f32>() * sample) as u64 * in_batch as u64;
    // The moments of the optimiser, the average of the weights, and the bytes of a checkpoint.
    let beside = training.weights.saturating_mul(3 + 4);
    passes.saturating_add(held).saturating_add(batch.saturating_mul(batches)).saturating_add(beside)
}

/// An error about the memory of the run, which needs so many bytes. If it is more than the limit, the user may
/// raise that.
fn beyond_memory(
    document: &Document,
    keys: &[&str],
    error: Error,
    needs: u64,
) -> crate::error::Error {
    if error.kind() != liaf_core::ErrorKind::Limit {
        return document.at(keys, error);
    }
    let text = format!("{}: {error}", document.whereabouts(keys));
    let hint = Hint::RaiseLimit { limit: "memory".into(), to: Some(needs) };
    liaf_data::Error::new(ErrorKind::Limit, text).hint(hint).into()
}

/// The experiment with everything that was decided, as TOML.
fn resolved(experiment: &Experiment, network: &NetworkConfig) -> Result<String> {
    let mut all = toml::Table::new();
    all.insert("version".into(), i64::from(VERSION).into());
    all.insert("name".into(), experiment.name.clone().into());
    if let (Some(section), None) = (&experiment.section, &experiment.own) {
        all.insert("data".into(), section.resolved.clone().into());
    }
    all.insert("network".into(), table(network)?.into());
    all.insert("recipe".into(), table(&experiment.recipe)?.into());
    let text = toml::to_string(&all);
    Ok(text.map_err(|error| Error::config(format!("cannot be written as TOML: {error}")))?)
}

/// Whether an error is that of a watcher that stopped the run.
pub(super) fn was_stopped(error: &crate::error::Error) -> bool {
    matches!(error, crate::error::Error::Data(error) if error.kind() == ErrorKind::Cancelled)
}
