//! `liaf simulate`: makes the events that a camera would make of pictures that move, and data sets of them.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use liaf::data::Limits;
use liaf::data::io::AtomicFile;
use liaf::data::simulate::sets::SetProgress;
use liaf::data::simulate::{SimulationProgress, load, write_scene};
use liaf::data::write::Target;

use super::simulate_args::Args;
use crate::kind::Kind;
use crate::outputs::{self, Place, Usage};
use crate::progress::bar;
use crate::text::{self, bytes, say, thousands};

/// Writes the events of pictures, or a set.
pub fn run(args: &Args) -> Result<ExitCode> {
    args.check()?;
    match &args.set {
        Some(name) => run_set(args, name),
        None => run_scene(args),
    }
}

fn run_scene(args: &Args) -> Result<ExitCode> {
    let Some(input) = &args.input else {
        return Err(Usage("name a picture, or a set with --set".into()).into());
    };
    let output = &args.output;
    let given = args.to.as_deref().map(kind_named).transpose()?;
    if outputs::check(false, output, given)? == Place::Folder {
        let name = output.display();
        let what =
            format!("{name}: the output is a file, such as events.aedat4; --set makes folders");
        return Err(Usage(what).into());
    }
    let target = events(given.map_or_else(|| Kind::of_path(output), Ok)?)?;
    outputs::check_none_read([output.as_path()], &files_of(input))?;
    if Place::of(output) == Place::File {
        AtomicFile::check(output, args.force)?;
    }
    let (scene, sensor) = args.scene(load::pictures(input, &Limits::default())?)?;
    let duration = scene.duration_us().unsigned_abs();
    let bar = bar(args.quiet, duration, "{bar:30} {msg} {eta} left");
    let mut tell = |progress: &SimulationProgress| {
        bar.set_position(progress.time_us.unsigned_abs());
        bar.set_message(format!("{} events", thousands(progress.events)));
        ControlFlow::Continue(())
    };
    let options = args.write_options();
    let (model, threads) = (args.model(), args.pool()?);
    let written = threads
        .install(|| write_scene(&scene, sensor, &model, output, target, &options, &mut tell));
    bar.finish_and_clear();
    let written = written?;
    if !args.quiet {
        say(format_args!(
            "{}: {} events of {} on {sensor}, {}",
            text::path(output),
            thousands(written.events),
            text::duration(duration),
            bytes(written.bytes)
        ));
        written.notes.iter().for_each(|note| say(format_args!("  note: {note}")));
    }
    Ok(ExitCode::SUCCESS)
}

/// The files of an input: itself, or what is in the folder.
fn files_of(input: &Path) -> Vec<PathBuf> {
    let entries = input.read_dir().into_iter().flatten();
    let within = entries.filter_map(|entry| Some(entry.ok()?.path()));
    within.chain([input.to_path_buf()]).collect()
}

fn run_set(args: &Args, name: &str) -> Result<ExitCode> {
    let folder = args.output.as_path();
    if Place::of(folder) != Place::Folder || folder.is_file() {
        return Err(Usage(format!(
            "{}: the output of a set is a folder: a name without an extension, or with / at its end",
            folder.display()
        ))
        .into());
    }
    let target = events(kind_named(args.to.as_deref().unwrap_or("aedat4"))?)?;
    let set = args.generated(name)?;
    if let Some(data) = &args.data {
        let outputs: Vec<_> =
            (0..set.len()).map(|i| folder.join(set.file_name(i, target))).collect();
        outputs::check_none_read(outputs.iter().map(PathBuf::as_path), &files_of(data))?;
    }
    let bar = bar(args.quiet, set.len() as u64, "{bar:30} {pos}/{len} files, {msg} {eta} left");
    let tell = |progress: &SetProgress| {
        bar.set_position(progress.files as u64);
        bar.set_message(format!("{} events", thousands(progress.events)));
        ControlFlow::Continue(())
    };
    let options = args.write_options();
    let done = args.pool()?.install(|| set.write(folder, target, &options, &tell));
    bar.finish_and_clear();
    let done = done?;
    if !args.quiet {
        say(format_args!(
            "{}: {} files of {} in {} classes, {} events, {}",
            text::path(folder),
            thousands(done.files as u64),
            text::duration(set.duration_us().unsigned_abs()),
            set.class_names().len(),
            thousands(done.events),
            bytes(done.bytes)
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn kind_named(name: &str) -> Result<Kind> {
    Kind::named(name).ok_or_else(|| {
        let names = Kind::names();
        Usage(format!("--to {name}: there is no such kind of file, as there are {names}")).into()
    })
}

fn events(kind: Kind) -> Result<&'static Target> {
    match kind {
        Kind::Events(target) => Ok(target),
        Kind::Tensor(_) | Kind::Png => Err(Usage(format!(
            "{} is no kind of event file: name one (.aedat4, .raw, .csv, …), and make frames of it with \
             `liaf convert`; HDF5 and npz files of events are --to h5-events and --to npz-events",
            kind.name()
        ))
        .into()),
    }
}
