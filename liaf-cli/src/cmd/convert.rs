//! `liaf convert`: recordings to tensor files.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result};
use liaf_data::convert::{Conversion, ConvertOptions, convert};
use liaf_data::frames::FrameOptions;
use liaf_data::tensor::TensorOptions;
use liaf_data::{Coords, Oddity, ReadOptions, Recording};

use super::convert_args::Args;
use super::info::report_lines;
use crate::outputs::{self, Job};
use crate::progress::Bar;
use crate::{inputs, text};

/// Converts every input; fails if one of them could not be.
pub fn run(args: &Args) -> Result<ExitCode> {
    let frames = args.frames()?;
    let files = inputs::expand(&args.inputs)?;
    let jobs = outputs::plan(&files, &args.output, args.kind()?)?;
    let work = Work {
        frames,
        tensor: args.tensor(),
        read: args.read.options(Coords::Canonical)?,
        dry_run: args.dry_run,
        bar: Bar::new(&files, args.quiet),
        quiet: args.quiet,
    };
    let threads = args.read.threads();
    let failed = if jobs.len() >= threads && jobs.len() > 1 {
        many(&work, &jobs, threads)
    } else {
        args.read.on_threads(|| jobs.iter().filter(|job| !one(&work, job, threads > 1)).count())?
    };
    work.bar.finish();
    if failed > 0 && jobs.len() > 1 {
        eprintln!("liaf: {failed} of {} files failed", jobs.len());
    }
    Ok(if failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What is the same for every file.
struct Work {
    frames: FrameOptions,
    tensor: TensorOptions,
    read: ReadOptions,
    dry_run: bool,
    bar: Bar,
    quiet: bool,
}

/// Enough files to give each thread its own: none of them then needs more than one thread.
fn many(work: &Work, jobs: &[Job], threads: usize) -> usize {
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if !one(work, job, false) {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    failed.into_inner()
}

/// Converts one file and says how it went.
fn one(work: &Work, job: &Job, parallel: bool) -> bool {
    let result = try_one(work, job, parallel);
    work.bar.file_done();
    match result {
        Ok(done) => {
            if !work.quiet {
                work.bar.say(&account(job, &done));
            }
            for warning in warnings(&done) {
                work.bar.say(&format!("liaf: {}: warning: {warning}", job.input.display()));
            }
            true
        }
        Err(error) => {
            work.bar.say(&format!("liaf: {error:#}"));
            false
        }
    }
}

fn try_one(work: &Work, job: &Job, parallel: bool) -> Result<Conversion> {
    let mut recording = Recording::open(&job.input, ReadOptions { parallel, ..work.read.clone() })?;
    let options = ConvertOptions {
        frames: work.frames,
        container: job.container,
        tensor: TensorOptions { parallel, ..work.tensor },
    };
    let output = (!work.dry_run).then_some(job.output.as_path());
    if let Some(folder) = output.and_then(Path::parent)
        && !folder.as_os_str().is_empty()
    {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let mut bar = work.bar.file();
    let done = convert(&mut recording, output, &options, &mut |progress| bar.tell(progress))
        .map_err(|error| error.in_file(&job.input))?;
    Ok(done)
}

/// The closing lines of a file: what it holds, and where every byte and event went.
fn account(job: &Job, done: &Conversion) -> String {
    let (read, frames) = (&done.report, &done.frames);
    let bytes = &read.bytes;
    let what = format!(
        "{} frames of {}x{}x{}, {}",
        text::thousands(frames.frames),
        done.shape.channels,
        done.shape.height,
        done.shape.width,
        match done.written {
            Some(written) => text::bytes(written.bytes),
            None => format!("{} to be written before compression", text::bytes(done.tensor_bytes)),
        }
    );
    let mut lines = vec![format!("{}: {what}", job.output.display())];
    let count = text::thousands;
    lines.push(format!(
        "  {}: read {} bytes ({} of events, {} of headers, {} of other streams, {} unusable)",
        job.input.display(),
        count(bytes.total()),
        count(bytes.events),
        count(bytes.header),
        count(bytes.other),
        count(bytes.skipped),
    ));
    let outside = read.count(Oddity::OutOfSensor);
    lines.push(format!(
        "  {} events: {} kept, {} out of window, {} out of crop, {} out of sensor",
        count(read.events + outside),
        count(frames.kept),
        count(frames.out_of_window),
        count(frames.out_of_crop),
        count(outside),
    ));
    for also in report_lines(read) {
        lines.push(format!("  also {also}"));
    }
    lines.join("\n")
}

fn warnings(done: &Conversion) -> Vec<String> {
    let mut warnings = done.report.notes.clone();
    warnings.extend(done.frames.notes.iter().cloned());
    if done.report.events == 0 {
        warnings.push("the recording holds no events: the file has no frames".into());
    }
    if done.frames.late > 0 {
        let late = text::thousands(done.frames.late);
        warnings.push(format!("{late} events came late and are in the oldest open frame"));
    }
    if done.frames.saturated_cells > 0 {
        let cells = text::thousands(done.frames.saturated_cells);
        warnings.push(format!("{cells} cells are full: choose a wider --dtype"));
    }
    warnings
}
