//! Where each input's output goes.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use liaf::data::io::{file_identity, unpacked_name};

use crate::inputs::{common_parent, place};
use crate::kind::Kind;
use crate::text;

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

/// What an output is, by its name and by what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A file, made of one input.
    File,
    /// A folder, in which each input has a file, or a folder for the images of a camera.
    Folder,
    /// Standard output, `-`.
    Standard,
}

impl Place {
    /// A name that ends in `/` or has no extension is that of a folder, whether it exists or not.
    pub fn of(output: &Path) -> Self {
        let ends_open = output.as_os_str().to_string_lossy().ends_with('/');
        match output {
            _ if output.as_os_str() == "-" => Self::Standard,
            _ if ends_open || output.is_dir() || output.extension().is_none() => Self::Folder,
            _ => Self::File,
        }
    }
}

/// Refuses an output that cannot be what its name says, or contradicts the kind of file that was asked
/// for. `are_several` says whether the inputs may be several files.
pub fn check(are_several: bool, output: &Path, kind: Option<Kind>) -> Result<Place> {
    let place = Place::of(output);
    let name = text::path(output);
    match (place, kind) {
        (Place::Standard, _) if are_several => bail!(Usage(
            "-o - writes one recording to standard output, and there are several inputs or a folder"
                .into()
        )),
        (Place::Standard, None) => bail!(Usage(
            "-o - has no name that says what to write: choose the kind with --to, as in --to csv"
                .into()
        )),
        (Place::Standard, Some(kind)) => kind.check_stream()?,
        // Without the `/` at its end, with which the file would not be found.
        (Place::Folder, _) if output.components().as_path().exists() && !output.is_dir() => {
            bail!(Usage(format!(
                "{name} is a file: an output without an extension, or with / at its end, is a folder"
            )))
        }
        (Place::File, _) if are_several => bail!(Usage(format!(
            "several inputs, a folder or a pattern, and one output file, {name}: name a folder \
             (`{}/`) to get one file for each input",
            text::path(&output.with_extension(""))
        ))),
        (Place::File, Some(kind)) if !kind.may_be_called(output) => bail!(Usage(format!(
            "{name} and --to {} contradict each other: leave out --to, or name the output {}",
            kind.name(),
            match kind.extension() {
                "" => "without an extension, as a folder".to_owned(),
                extension => text::path(&output.with_extension(extension)),
            }
        ))),
        _ => {}
    }
    Ok(place)
}

/// Plans one job per input. An output that is a folder mirrors the inputs' paths below the deepest folder
/// that contains all of them. The images of a camera become a folder for each input; if there is a
/// single one, they are in the output itself. An output that is one of the inputs is an error.
pub fn plan(inputs: &[PathBuf], are_several: bool, output: &Path, kind: Kind) -> Result<Vec<Job>> {
    let jobs = name_outputs(inputs, are_several, output, kind)?;
    check_apart(&jobs, inputs)?;
    Ok(jobs)
}

/// Returns an error if an output is one of the inputs.
pub fn check_apart(jobs: &[Job], inputs: &[PathBuf]) -> Result<()> {
    check_none_read(jobs.iter().map(|job| &*job.output), inputs)
}

/// Returns an error if one of these outputs is a file that is read.
pub fn check_none_read<'a>(
    outputs: impl IntoIterator<Item = &'a Path>,
    inputs: &[PathBuf],
) -> Result<()> {
    // What the shell connected to standard input may be a file.
    let file = |input: &Path| match input.as_os_str() == "-" {
        true => file_identity(Path::new("/dev/stdin")),
        false => file_identity(input),
    };
    let inputs: HashMap<_, _> =
        inputs.iter().filter_map(|input| Some((file(input)?, input))).collect();
    for output in outputs {
        // Standard output is no file that an input could be.
        let file = (Place::of(output) != Place::Standard).then(|| file_identity(output));
        if let Some(input) = file.flatten().and_then(|file| inputs.get(&file)) {
            bail!(Usage(format!(
                "{} is the same file as the input {}: name another output",
                text::path(output),
                text::path(input)
            )));
        }
    }
    Ok(())
}

fn name_outputs(
    inputs: &[PathBuf],
    are_several: bool,
    output: &Path,
    kind: Kind,
) -> Result<Vec<Job>> {
    let is_whole = Place::of(output) != Place::Folder || matches!(kind, Kind::Png);
    if let ([input], false, true) = (inputs, are_several, is_whole) {
        return Ok(vec![Job { input: input.clone(), output: output.into(), kind }]);
    }
    let places: Vec<_> = inputs.iter().map(|input| place(input)).collect();
    let parent = common_parent(&places);
    let mut jobs: Vec<_> = inputs
        .iter()
        .zip(&places)
        .map(|(input, place)| {
            let below = match input.as_os_str() == "-" {
                true => Path::new("stdin"),
                false => place.strip_prefix(&parent).unwrap_or(place),
            };
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
            text::path(&job.input),
            text::path(&job.output)
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

    fn planned(inputs: &[&str], output: &str, kind: &str) -> Result<Vec<String>> {
        let inputs: Vec<_> = inputs.iter().map(PathBuf::from).collect();
        let kind = Kind::named(kind).unwrap();
        let jobs = plan(&inputs, inputs.len() > 1, Path::new(output), kind)?;
        Ok(jobs.into_iter().map(|job| job.output.display().to_string()).collect())
    }

    fn outputs(inputs: &[&str], output: &str, kind: &str) -> Vec<String> {
        planned(inputs, output, kind).unwrap()
    }

    #[test]
    fn several_inputs_mirror_their_folders() {
        let inputs = ["rec/a/1.raw", "rec/b/1.raw"];
        assert_eq!(outputs(&inputs, "out", "npy"), ["out/a/1.npy", "out/b/1.npy"]);
        assert_eq!(outputs(&["rec/1.raw"], "out/", "npz"), ["out/1.npz"]);
        assert_eq!(outputs(&["rec/1.raw"], "out", "npz"), ["out/1.npz"]);
        assert_eq!(outputs(&["-"], "out", "npz"), ["out/stdin.npz"]);
        assert_eq!(outputs(&["rec/1.raw"], "x.npy", "npy"), ["x.npy"]);
        assert_eq!(outputs(&["rec/1.raw"], "frames", "png"), ["frames"]);
        assert_eq!(outputs(&inputs, "out", "aedat2"), ["out/a/1.aedat", "out/b/1.aedat"]);
    }

    #[test]
    fn names_that_would_meet_keep_their_extension() {
        let inputs = ["r/a.raw", "r/a.aedat", "r/b.raw"];
        assert_eq!(outputs(&inputs, "o", "npz"), ["o/a.raw.npz", "o/a.aedat.npz", "o/b.npz"]);
    }

    #[test]
    fn no_output_is_written_twice() {
        let inputs = ["r/a.raw", "r/a.aedat", "r/a.raw.aedat4"];
        let error = planned(&inputs, "o", "npz").unwrap_err();
        assert!(error.is::<Usage>() && error.to_string().contains("o/a.raw.npz"), "{error}");
    }

    #[test]
    fn outputs_stay_in_their_folder_however_inputs_are_written() {
        let here = std::env::current_dir().unwrap();
        let inside = here.join("src/main.rs").display().to_string();
        let inputs = ["src/../Cargo.toml", &inside, "./src/args.rs"];
        let expected = ["o/Cargo.npz", "o/src/main.npz", "o/src/args.npz"];
        assert_eq!(outputs(&inputs, "o", "npz"), expected);
    }

    #[test]
    fn the_name_decides_between_file_and_folder() {
        for (output, place) in [
            ("out", Place::Folder),
            ("out/", Place::Folder),
            ("out.npz/", Place::Folder),
            ("src", Place::Folder),
            (".hidden", Place::Folder),
            ("out.npz", Place::File),
            ("a/out.v2", Place::File),
            ("-", Place::Standard),
            ("./-", Place::Folder),
        ] {
            assert_eq!(Place::of(Path::new(output)), place, "{output}");
        }
    }

    #[test]
    fn outputs_that_contradict_the_inputs_or_the_kind_are_usage_errors() {
        let check = |are_several, output, kind| {
            let done = check(are_several, Path::new(output), Option::and_then(kind, Kind::named));
            done.inspect_err(|error| assert!(error.is::<Usage>(), "{error}")).is_ok()
        };
        assert!(!check(true, "x.npz", None) && check(false, "x.npz", None));
        assert!(check(true, "x", None) && check(false, "x", Some("npz")));
        // A file that is there.
        assert!(!check(false, "Cargo.toml/", None));
        for (output, kind, fits) in [
            ("x.npz", "npz", true),
            ("x.NPZ", "npz-events", true),
            ("x.tmp", "npz", true),
            ("x.raw", "evt21", true),
            ("x.npz", "npy", false),
            ("x.aedat4", "aedat2", false),
            ("x.csv", "npz", false),
            ("x.npz", "png", false),
            ("x.frames", "png", true),
            ("-", "csv", true),
            ("-", "dat", true),
            ("-", "npz", false),
            ("-", "png", false),
        ] {
            assert_eq!(check(false, output, Some(kind)), fits, "{output} {kind}");
        }
        assert!(!check(false, "-", None) && !check(true, "-", Some("csv")));
    }
}
