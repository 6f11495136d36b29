//! Where each input's output goes.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use liaf::data::io::unpacked_name;
use liaf::data::tensor::Container;

use crate::inputs::{common_parent, identity, place};
use crate::kind::Kind;

/// One file to make.
#[derive(Debug, Clone)]
pub struct Job {
    /// The recording.
    pub input: PathBuf,
    /// The file to make of it.
    pub output: PathBuf,
    /// Its kind.
    pub kind: Kind,
}

/// Plans one job per input. With several inputs, or an output that ends in `/` or is a folder, the
/// output is a folder that mirrors the inputs' paths below the deepest folder that contains all of
/// them. The images of a camera become a folder for each input. An output that is one of the inputs is
/// an error.
pub fn plan(inputs: &[PathBuf], output: &Path, kind: Option<Kind>) -> Result<Vec<Job>> {
    let jobs = name_outputs(inputs, output, kind)?;
    check_apart(&jobs, inputs)?;
    Ok(jobs)
}

/// Returns an error if an output is one of the inputs.
pub fn check_apart(jobs: &[Job], inputs: &[PathBuf]) -> Result<()> {
    let inputs: HashMap<_, _> =
        inputs.iter().filter_map(|input| Some((identity(input)?, input))).collect();
    for job in jobs {
        if let Some(input) = identity(&job.output).and_then(|file| inputs.get(&file)) {
            bail!(Usage(format!(
                "{} is the same file as the input {}: name another output",
                job.output.display(),
                input.display()
            )));
        }
    }
    Ok(())
}

/// Whether an output is a folder by its name, or is one.
pub fn is_folder(output: &Path) -> bool {
    output.as_os_str().to_string_lossy().ends_with('/') || output.is_dir()
}

fn name_outputs(inputs: &[PathBuf], output: &Path, kind: Option<Kind>) -> Result<Vec<Job>> {
    let is_folder = is_folder(output);
    if let ([input], Some(Kind::Png)) = (inputs, kind) {
        return Ok(vec![Job { input: input.clone(), output: output.into(), kind: Kind::Png }]);
    }
    if let ([input], false) = (inputs, is_folder) {
        let kind = match kind {
            Some(kind) => kind,
            None => Kind::of_path(output)?,
        };
        return Ok(vec![Job { input: input.clone(), output: output.into(), kind }]);
    }
    if !is_folder && output.extension().is_some() {
        bail!(Usage(format!(
            "{} inputs and one output file, {}: name a folder (`{}/`) to get one file for each input",
            inputs.len(),
            output.display(),
            output.with_extension("").display()
        )));
    }
    let kind = kind.unwrap_or(Kind::Tensor(Container::H5));
    let places: Vec<_> = inputs.iter().map(|input| place(input)).collect();
    let parent = common_parent(&places);
    let mut jobs: Vec<_> = inputs
        .iter()
        .zip(&places)
        .map(|(input, place)| {
            let below = place.strip_prefix(&parent).unwrap_or(place);
            // `recording.aedat4.gz` is a packed `recording.aedat4`.
            let below = unpacked_name(below).unwrap_or_else(|| below.to_path_buf());
            let output = output.join(below).with_extension(kind.extension());
            Job { input: input.clone(), output, kind }
        })
        .collect();
    keep_apart(&mut jobs);
    let mut outputs = HashSet::new();
    if let Some(job) = jobs.iter().find(|job| !outputs.insert(&job.output)) {
        bail!(Usage(format!(
            "two inputs, one of them {}, would both be written to {}: convert one of them separately",
            job.input.display(),
            job.output.display()
        )));
    }
    Ok(jobs)
}

/// Keeps the input's extension in the output's name where two inputs differ only by it (`a.aedat`,
/// `a.raw`).
fn keep_apart(jobs: &mut [Job]) {
    let mut count: HashMap<PathBuf, u32> = HashMap::new();
    for job in jobs.iter() {
        *count.entry(job.output.clone()).or_default() += 1;
    }
    for job in jobs.iter_mut().filter(|job| count[&job.output] > 1) {
        let name = job.input.file_name().unwrap_or_default().to_string_lossy();
        job.output.set_file_name(match job.kind.extension() {
            "" => format!("{name}_frames"),
            extension => format!("{name}.{extension}"),
        });
    }
}

/// An error in the command line.
#[derive(Debug)]
pub struct Usage(pub String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(inputs: &[&str], output: &str, kind: Option<Kind>) -> Vec<String> {
        let inputs: Vec<_> = inputs.iter().map(PathBuf::from).collect();
        let jobs = plan(&inputs, Path::new(output), kind).unwrap();
        jobs.into_iter().map(|job| job.output.display().to_string()).collect()
    }

    #[test]
    fn several_inputs_mirror_their_folders() {
        let inputs = ["rec/a/1.raw", "rec/b/1.raw"];
        assert_eq!(outputs(&inputs, "out", None), ["out/a/1.h5", "out/b/1.h5"]);
        let npz = Some(Kind::Tensor(Container::Npz));
        assert_eq!(outputs(&["rec/1.raw"], "out/", npz), ["out/1.npz"]);
        assert_eq!(outputs(&["rec/1.raw"], "x.npy", None), ["x.npy"]);
        let aedat2 = Kind::named("aedat2");
        assert_eq!(outputs(&inputs, "out", aedat2), ["out/a/1.aedat", "out/b/1.aedat"]);
    }

    #[test]
    fn names_that_would_meet_keep_their_extension() {
        let inputs = ["r/a.raw", "r/a.aedat", "r/b.raw"];
        assert_eq!(outputs(&inputs, "o", None), ["o/a.raw.h5", "o/a.aedat.h5", "o/b.h5"]);
    }

    #[test]
    fn no_output_is_written_twice() {
        let inputs = ["r/a.raw", "r/a.aedat", "r/a.raw.aedat4"].map(PathBuf::from);
        let error = plan(&inputs, Path::new("o"), None).unwrap_err();
        assert!(error.is::<Usage>() && error.to_string().contains("o/a.raw.h5"), "{error}");
    }

    #[test]
    fn outputs_stay_in_their_folder_however_inputs_are_written() {
        let here = std::env::current_dir().unwrap();
        let inside = here.join("src/main.rs").display().to_string();
        let inputs = ["src/../Cargo.toml", &inside, "./src/args.rs"];
        assert_eq!(outputs(&inputs, "o", None), ["o/Cargo.h5", "o/src/main.h5", "o/src/args.h5"]);
    }

    #[test]
    fn several_inputs_and_one_file_is_a_usage_error() {
        let inputs = ["a.raw", "b.raw"].map(PathBuf::from);
        let error = plan(&inputs, Path::new("x.h5"), None).unwrap_err();
        assert!(
            error.is::<Usage>() && error.to_string().contains("2 inputs and one output file"),
            "{error}"
        );
    }
}
