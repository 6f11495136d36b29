//! Finished runs side by side: accuracy against weights, operations and time.

mod notation;
mod page;
mod run;

use std::path::Path;

use serde::Serialize;

pub use run::RunRecord;

use crate::error::Result;

/// Runs that differ in their seed alone.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RunGroup {
    /// What tells it from other groups: the name of the experiment, or, if others have the same name, of the
    /// folder.
    pub name: String,
    /// The runs, at least one.
    pub runs: Vec<RunRecord>,
}

/// A number of several runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation of a sample (divided by n - 1); `None` for a single run.
    pub deviation: Option<f64>,
}

impl Spread {
    /// The mean and the standard deviation of these numbers.
    ///
    /// ```
    /// use liaf::experiment::Spread;
    /// let spread = Spread::of([1.0, 3.0]);
    /// assert_eq!((spread.mean, spread.deviation), (2.0, Some(2f64.sqrt())));
    /// assert_eq!(Spread::of([1.0]).deviation, None);
    /// ```
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        let numbers: Vec<f64> = numbers.into_iter().collect();
        let count = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / count.max(1.0);
        let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
        let deviation = (numbers.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
        Self { mean, deviation }
    }

    /// The mean, and the deviation if it is known, times a factor and with so many digits: `97.30 ± 0.52`.
    pub fn text(&self, factor: f64, digits: usize) -> String {
        let mean = format!("{:.digits$}", factor * self.mean);
        match self.deviation {
            Some(deviation) => format!("{mean} ± {:.digits$}", factor * deviation),
            None => mean,
        }
    }

    /// A share in per cent: `97.30 ± 0.52 %`.
    pub fn percent(&self) -> String {
        format!("{} %", self.text(100.0, 2))
    }
}

impl RunGroup {
    /// Test accuracy after the last epoch, 0 to 1.
    pub fn accuracy_last(&self) -> Spread {
        self.spread(|run| run.summary.test_accuracy_last.unwrap_or(0.0))
    }

    /// Test accuracy of the best epoch, 0 to 1.
    pub fn accuracy_best(&self) -> Spread {
        self.spread(|run| run.summary.test_accuracy_best.unwrap_or(0.0))
    }

    /// Seconds of training and evaluation.
    pub fn seconds(&self) -> Spread {
        self.spread(|run| run.summary.seconds)
    }

    /// The network in one line.
    pub fn net(&self) -> &str {
        self.runs.first().map_or("", |run| &run.net)
    }

    /// Number of weights, without biases.
    pub fn weights(&self) -> u64 {
        self.runs.first().map_or(0, |run| run.summary.weights)
    }

    /// Multiply-accumulates for one sample.
    pub fn macs(&self) -> u64 {
        self.runs.first().map_or(0, |run| run.summary.macs)
    }

    /// The seeds, in the order of the runs.
    pub fn seeds(&self) -> Vec<u64> {
        self.runs.iter().map(|run| run.summary.seed).collect()
    }

    fn spread(&self, of: impl Fn(&RunRecord) -> f64) -> Spread {
        Spread::of(self.runs.iter().map(of))
    }
}

/// Runs side by side, those that differ in their seed alone together.
///
/// ```no_run
/// use liaf::experiment::Comparison;
///
/// let comparison = Comparison::read(["runs/liaf-1", "runs/liaf-2", "runs/lif-1"])?;
/// for group in &comparison.groups {
///     println!("{}: {:.2} %", group.name, 100.0 * group.accuracy_last().mean);
/// }
/// std::fs::write("compare.html", comparison.html()).expect("a page");
/// # Ok::<(), liaf::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Comparison {
    /// The groups, in the order in which their first runs were given.
    pub groups: Vec<RunGroup>,
    /// What makes the comparison unfair: runs on different data, the same run twice.
    pub remarks: Vec<String>,
}

impl Comparison {
    /// Reads the folders of finished runs.
    ///
    /// # Errors
    /// As [`RunRecord::read`], for the first folder that cannot be compared.
    pub fn read(folders: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Self> {
        let runs = folders.into_iter().map(RunRecord::read).collect::<Result<Vec<_>>>()?;
        Ok(Self::of(runs))
    }

    /// Compares runs.
    pub fn of(runs: impl IntoIterator<Item = RunRecord>) -> Self {
        let mut groups: Vec<RunGroup> = Vec::new();
        let mut remarks = Vec::new();
        for run in runs {
            let same = groups.iter_mut().find(|group| group.runs[0].experiment == run.experiment);
            match same {
                Some(group) if group.seeds().contains(&run.summary.seed) => remarks.push(format!(
                    "{} has the experiment and the seed of another run, and is left out",
                    run.folder.display()
                )),
                Some(group) => group.runs.push(run),
                None => groups.push(RunGroup { name: run.summary.name.clone(), runs: vec![run] }),
            }
        }
        tell_apart(&mut groups);
        remarks.extend(different_data(&groups));
        Self { groups, remarks }
    }

    /// A page that shows the comparison: one file, that needs no other.
    pub fn html(&self) -> String {
        page::html(self)
    }
}

/// Names groups of the same name after their folders.
fn tell_apart(groups: &mut [RunGroup]) {
    let names: Vec<String> = groups.iter().map(|group| group.name.clone()).collect();
    for group in groups {
        if names.iter().filter(|name| **name == group.name).count() > 1 {
            let folder = &group.runs[0].folder;
            let folder = folder.file_name().unwrap_or(folder.as_os_str());
            group.name = format!("{} ({})", group.name, folder.to_string_lossy());
        }
    }
}

/// Says which groups were tested on the same samples, if not all were.
fn different_data(groups: &[RunGroup]) -> Option<String> {
    let mut sets: Vec<((usize, &str), Vec<&str>)> = Vec::new();
    for group in groups {
        let summary = &group.runs[0].summary;
        let key = (summary.test_samples, summary.test_data.as_str());
        // Earlier versions did not say which samples they were.
        let same = |known: (usize, &str)| {
            known.0 == key.0 && (known.1 == key.1 || known.1.is_empty() || key.1.is_empty())
        };
        match sets.iter_mut().find(|(known, _)| same(*known)) {
            Some((_, names)) => names.push(&group.name),
            None => sets.push((key, vec![&group.name])),
        }
    }
    let list = |((samples, _), names): &((usize, &str), Vec<&str>)| {
        format!("{} ({samples} samples)", names.join(", "))
    };
    (sets.len() > 1).then(|| {
        let sets: Vec<String> = sets.iter().map(list).collect();
        format!("not all runs were tested on the same samples: {}", sets.join(" / "))
    })
}

#[cfg(test)]
mod tests;
