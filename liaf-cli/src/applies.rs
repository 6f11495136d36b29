//! Which options apply to which inputs and outputs. An option that would do nothing is refused.

use std::path::{Path, PathBuf};

use anyhow::Result;
use liaf::data::tensor::Container;
use liaf::data::write::Compression;
use liaf::data::{ReadOptions, Recording};

use crate::hints;
use crate::kind::Kind;
use crate::outputs::Usage;

/// How frames are divided, as far as options depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Windows {
    /// On a grid of time.
    Time,
    /// In any other way.
    Other,
}

/// An output and the options on which others depend.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub kind: Kind,
    pub windows: Windows,
    pub npz_deflate: bool,
    pub compress: Option<Compression>,
    /// Whether it is standard output.
    pub is_standard: bool,
}

/// What an option depends on.
enum Rule {
    /// Nothing, or what other code checks: it is never without effect.
    Always,
    /// Another option.
    With(&'static str),
    /// The output.
    Output(fn(&Output) -> bool),
    /// The format of the input, by its name.
    Format(fn(&str) -> bool),
    /// The input is a file, not standard input.
    File,
}

/// An option, what it applies to in words, and how that is found out.
struct Row(&'static str, &'static str, Rule);

/// Every option of the commands that read recordings.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    // How the input is read.
    Row("format", "every input", Rule::Always),
    Row("stream", "every input", Rule::Always),
    Row("sensor", "every input", Rule::Always),
    Row("strict", "every input", Rule::Always),
    Row("threads", "every input", Rule::Always),
    Row("mmap", "files", Rule::File),
    Row("aedat2", "AEDAT 1.0 and 2.0", Rule::Format(is_old_aedat)),
    Row("clock-reset", "AEDAT 1.0 and 2.0", Rule::Format(is_old_aedat)),
    Row("imu-ranges", "AEDAT 2.0", Rule::Format(|format| format == "AEDAT 2.0")),
    Row("keep-invalid", "AEDAT 3", Rule::Format(|format| format.starts_with("AEDAT 3"))),
    Row("evt21-order", "EVT 2.1", Rule::Format(|format| format == "EVT 2.1")),
    Row("time-shift", "EVT", Rule::Format(|format| format.starts_with("EVT"))),
    Row("atis-overflow", "ATIS bin", Rule::Format(|format| format == "ATIS bin")),
    Row("keys", "formats of columns: CSV, npy, npz, MAT 5 and HDF5", Rule::Format(has_columns)),
    Row("time-unit", "formats of columns: CSV, npy, npz, MAT 5 and HDF5", Rule::Format(has_columns)),
    Row("polarity-values", "formats of columns: CSV, npy, npz, MAT 5 and HDF5", Rule::Format(has_columns)),
    Row("round", "formats of columns: CSV, npy, npz, MAT 5 and HDF5", Rule::Format(has_columns)),
    Row("scale", "formats of columns: CSV, npy, npz, MAT 5 and HDF5", Rule::Format(has_columns)),
    Row("join", "every input", Rule::Always),
    Row("t-offset", "HDF5", Rule::Format(|format| format == "HDF5")),
    Row("data-offset", "AEDAT 1.0 to 3, EVT, DAT and ATIS bin", Rule::Format(|format| {
        is_old_aedat(format) || ["AEDAT 3", "EVT", "DAT", "ATIS bin"].iter().any(|one| format.starts_with(one))
    })),
    // Which events are taken.
    Row("from", "every output", Rule::Always),
    Row("to", "every output", Rule::Always),
    Row("only", "events", Rule::Always),
    Row("filter", "events", Rule::Always),
    Row("crop", "events", Rule::Always),
    Row("sort", "events", Rule::Always),
    Row("sort-memory", "conversions with --sort", Rule::With("sort")),
    Row("index", "files", Rule::File),
    // Frames.
    Row("window", "tensor files", Rule::Output(is_tensor)),
    Row("count", "tensor files", Rule::Output(is_tensor)),
    Row("bins", "tensor files", Rule::Output(is_tensor)),
    Row("event-bins", "tensor files", Rule::Output(is_tensor)),
    Row("overlap", "tensor files", Rule::Output(is_tensor)),
    Row("edge", "tensor files", Rule::Output(is_tensor)),
    Row("repr", "tensor files", Rule::Output(is_tensor)),
    Row("dtype", "tensor files", Rule::Output(is_tensor)),
    Row("binary", "tensor files", Rule::Output(is_tensor)),
    Row("polarity", "tensor files", Rule::Output(is_tensor)),
    Row("size", "tensor files", Rule::Output(is_tensor)),
    Row("max-frames", "tensor files", Rule::Output(is_tensor)),
    Row("slack", "tensor files whose windows are by time (--window or --bins)", Rule::Output(|output| {
        is_tensor(output) && output.windows == Windows::Time
    })),
    Row("npz-deflate", "tensor files of the kind npz", Rule::Output(is_npz)),
    // Event files.
    Row("zero-time", "event files", Rule::Output(is_events)),
    Row("clamp-time", "event files", Rule::Output(is_events)),
    Row("wrap", "event files whose times have a range that wraps", Rule::Output(|output| {
        matches!(output.kind, Kind::Events(target) if target.capabilities.wraps.is_some())
    })),
    // The output.
    Row("compress", "event files, .h5, and .npz with --npz-deflate", Rule::Output(|output| match output.kind {
        Kind::Events(_) | Kind::Tensor(Container::H5) => true,
        // What is refused by its name.
        _ if matches!(output.compress, Some(Compression::Lz4 | Compression::Zstd)) => true,
        _ => output.compress == Some(Compression::None) || (is_npz(output) && output.npz_deflate),
    })),
    Row("output", "every output", Rule::Always),
    Row("force", "files", Rule::Output(|output| !output.is_standard)),
    Row("no-sync", "files", Rule::Output(|output| !output.is_standard)),
    Row("json", "files", Rule::Output(|output| !output.is_standard)),
    Row("dry-run", "every output", Rule::Always),
    Row("verbose", "every output", Rule::Always),
    Row("quiet", "every output", Rule::Always),
];

fn is_old_aedat(format: &str) -> bool {
    matches!(format, "AEDAT 1.0" | "AEDAT 2.0")
}

fn has_columns(format: &str) -> bool {
    matches!(format, "CSV" | "npy" | "npz" | "MAT 5" | "HDF5")
}

fn is_tensor(output: &Output) -> bool {
    matches!(output.kind, Kind::Tensor(_))
}

fn is_npz(output: &Output) -> bool {
    matches!(output.kind, Kind::Tensor(Container::Npz))
}

fn is_events(output: &Output) -> bool {
    matches!(output.kind, Kind::Events(_))
}

fn given() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(|Row(option, ..)| hints::is_given(option))
}

/// Refuses the first given option that does nothing for this output.
pub fn check_output(output: &Output) -> Result<(), Usage> {
    for Row(option, applies_to, rule) in given() {
        let found = match rule {
            Rule::Output(applies) if !applies(output) => match output.is_standard {
                true => "standard output".to_owned(),
                false => output.kind.title(),
            },
            Rule::With(other) if !hints::is_given(other) => {
                return Err(Usage(format!(
                    "--{option} applies to {applies_to}, and the command has none"
                )));
            }
            _ => continue,
        };
        return Err(Usage(format!(
            "--{option} applies to {applies_to}, and the output is {found}"
        )));
    }
    Ok(())
}

/// The first given option that applies to recordings of some formats or to files of recordings: it does nothing
/// for what is no recording.
pub fn given_of_recordings() -> Option<&'static str> {
    let found = given().find(|Row(_, _, rule)| matches!(rule, Rule::Format(_) | Rule::File));
    found.map(|Row(option, ..)| *option)
}

/// Refuses the first given option that does nothing for any of these inputs. Inputs that cannot be opened
/// count as fitting: their own error is to be reported.
pub fn check_inputs(files: &[PathBuf], read: &ReadOptions) -> Result<(), Usage> {
    let is_pipe = |file: &Path| file.as_os_str() == "-";
    if !files.is_empty() && files.iter().all(|file| is_pipe(file)) {
        let on_files = given().find(|Row(_, _, rule)| matches!(rule, Rule::File));
        if let Some(Row(option, ..)) = on_files {
            return Err(Usage(format!(
                "--{option} applies to files, and the input is standard input"
            )));
        }
        // The format of a pipe is known when it is read.
        return Ok(());
    }
    if !given().any(|Row(_, _, rule)| matches!(rule, Rule::Format(_))) {
        return Ok(());
    }
    let mut formats: Vec<&str> = Vec::new();
    // Where data begins elsewhere, a file of another format is an error of its own.
    let read = ReadOptions { data_offset: None, ..read.clone() };
    for file in files {
        match Recording::open(file, read.clone()) {
            Ok(recording) if !is_pipe(file) => formats.push(recording.info().format),
            _ => return Ok(()),
        }
        // One input to which every option applies is enough.
        if check_formats(&formats).is_ok() {
            return Ok(());
        }
    }
    check_formats(&formats)
}

/// Refuses the first given option that does nothing for inputs of any of these formats.
pub fn check_formats(formats: &[&str]) -> Result<(), Usage> {
    for Row(option, applies_to, rule) in given() {
        if let (Rule::Format(applies), [first, rest @ ..]) = (rule, formats)
            && !formats.iter().any(|format| applies(format))
        {
            let found = match rest {
                [] => format!("the input is {first}"),
                _ => format!("no input is, the first is {first}"),
            };
            return Err(Usage(format!("--{option} applies to {applies_to}, and {found}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::help;

    /// Options of commands about recordings that concern the command itself.
    const OTHERS: &[&str] = &[
        "help",
        "version",
        "fingerprint",
        "hot-pixels",
        "hot-factor",
        "hot-events",
        "coords",
        "steps",
        "each-frame",
        "partial",
        "class-from",
        "labels",
        "csv",
        "plain",
        "max-memory",
    ];

    #[test]
    fn every_option_has_a_row_and_every_row_is_an_option() {
        let program = help::complete();
        let names = |command: &str| {
            let command = program.find_subcommand(command).unwrap();
            command.get_arguments().filter_map(|argument| argument.get_long()).collect::<Vec<_>>()
        };
        let rows: Vec<_> = ROWS.iter().map(|Row(option, ..)| *option).collect();
        for option in [names("convert"), names("info"), names("predict")].concat() {
            assert!(rows.contains(&option) || OTHERS.contains(&option), "{option}");
        }
        for (i, option) in rows.iter().enumerate() {
            assert!(names("convert").contains(option), "{option}");
            assert!(!rows[..i].contains(option), "{option} twice");
        }
    }

    #[test]
    fn rows_name_formats_that_exist() {
        for Row(option, _, rule) in ROWS {
            if let Rule::Format(applies) = rule {
                let formats = liaf::data::FORMATS.iter().map(|format| format.name);
                let fits: Vec<_> = formats.clone().filter(|format| applies(format)).collect();
                let needs_hdf5 = *option == "t-offset" && !cfg!(feature = "hdf5");
                assert!(needs_hdf5 || !fits.is_empty(), "{option}");
                assert!(fits.len() < formats.count(), "{option}");
            }
        }
    }
}
