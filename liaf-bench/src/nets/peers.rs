//! The same networks in Python, run alternately with ours.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Args, Report, number, ours, row_of};

/// The largest share of other processes with which a pair counts.
const QUIET: f64 = 0.06;

/// The jobs that are compared.
const JOBS: [&str; 3] = ["inf1", "inf16", "train16"];

/// Settings with which the C library keeps memory that was freed. Fresh arrays are then not paid for
/// page by page, which makes the peers up to twice as fast.
const MALLOC: [(&str, &str); 2] =
    [("MALLOC_MMAP_THRESHOLD_", "4294967296"), ("MALLOC_TRIM_THRESHOLD_", "4294967296")];

/// Settings that hold oneDNN, ATen and MKL to AVX2.
const AVX2: [(&str, &str); 3] = [
    ("ONEDNN_MAX_CPU_ISA", "AVX2"),
    ("ATEN_CPU_CAPABILITY", "avx2"),
    ("MKL_ENABLE_INSTRUCTIONS", "AVX2"),
];

/// The peers' program.
#[derive(Debug)]
pub(super) struct Peers {
    python: PathBuf,
    folder: PathBuf,
}

impl Peers {
    pub fn new(folder: &Path, args: &Args) -> Result<Self> {
        if !folder.join("bench.py").is_file() {
            bail!("{} has no bench.py", folder.display());
        }
        // The program is started in the folder, so that both paths must not depend on where we are.
        let folder = std::path::absolute(folder)?;
        let own = ["bin", "venv/bin", ".venv/bin"].map(|bin| folder.join(bin).join("python"));
        let python = match &args.python {
            Some(python) if python.components().count() > 1 => std::path::absolute(python)?,
            Some(python) => python.clone(),
            None => own.into_iter().find(|path| path.is_file()).unwrap_or("python3".into()),
        };
        Ok(Self { python, folder })
    }

    fn row(&self, framework: &str, model: &str, threads: usize, args: &Args) -> Result<Value> {
        let mut command = Command::new(&self.python);
        command.current_dir(&self.folder).arg("bench.py").args([framework, model]);
        command.args([threads, args.runs].map(|n| n.to_string())).envs(MALLOC);
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        if args.avx2 {
            command.envs(AVX2);
        }
        row_of(command).with_context(|| format!("{framework}, {model} on {threads} threads"))
    }

    /// Runs ours and each peer alternately, prints every row, and the median of the ratios of the pairs
    /// that were not disturbed. A network that the peers do not have is run alone.
    pub fn alternate(
        &self,
        model: &str,
        threads: usize,
        args: &Args,
        report: &mut Report,
    ) -> Result<()> {
        if !["M1", "M2", "M3"].contains(&model) {
            return report.row(&ours(model, threads, args.runs)?);
        }
        for framework in &args.frameworks {
            let mut pairs = Vec::new();
            for _ in 0..args.pairs.max(1) {
                let own = ours(model, threads, args.runs)?;
                let other = self.row(framework, model, threads, args)?;
                report.row(&own)?;
                report.row(&other)?;
                pairs.push((own, other));
            }
            for job in JOBS {
                let verdict = ratio(&pairs, job);
                report.line(&format!(
                    "{framework} / liaf, {model}, {threads} threads, {job}: {verdict}"
                ))?;
            }
            let memory = |row: &Value| number(row, "rss_train16") - number(row, "rss_base");
            let share = median(pairs.iter().map(|(own, other)| memory(own) / memory(other)));
            if let Some(share) = share {
                report.line(&format!("memory of training, liaf / {framework}: {share:.3}"))?;
            }
        }
        Ok(())
    }
}

/// The median ratio of a job, and from how many undisturbed pairs.
fn ratio(pairs: &[(Value, Value)], job: &str) -> String {
    let disturbed = |row: &Value| number(row, &format!("{job}_others")) >= QUIET;
    let quiet = pairs.iter().filter(|(own, other)| !disturbed(own) && !disturbed(other));
    let ratios: Vec<_> = quiet.map(|(own, other)| number(other, job) / number(own, job)).collect();
    let (count, all) = (ratios.len(), pairs.len());
    match median(ratios.into_iter()) {
        Some(ratio) => format!("{ratio:.2} ({count} of {all} pairs undisturbed)"),
        None => format!("none of {all} pairs was undisturbed"),
    }
}

fn median(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let mut numbers: Vec<_> = numbers.filter(|number| number.is_finite()).collect();
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    let upper = *numbers.get(middle)?;
    let even = numbers.len().is_multiple_of(2);
    Some(if even { (numbers[middle - 1] + upper) / 2.0 } else { upper })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_ratio_is_the_median_of_undisturbed_pairs() {
        let row = |seconds: f64, others: f64| json!({ "inf1": seconds, "inf1_others": others });
        let pairs = [
            (row(1.0, 0.0), row(2.0, 0.01)),
            (row(1.0, 0.0), row(9.0, 0.5)),
            (row(1.0, 0.2), row(9.0, 0.0)),
            (row(1.0, 0.0), row(3.0, 0.05)),
        ];
        assert_eq!(ratio(&pairs, "inf1"), "2.50 (2 of 4 pairs undisturbed)");
        assert_eq!(ratio(&pairs[1..3], "inf1"), "none of 2 pairs was undisturbed");
    }
}
