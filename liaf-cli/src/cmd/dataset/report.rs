//! What is said about a data set: what was found, how far the work is, and what was made.

use indicatif::ProgressBar;
use liaf::data::dataset::{Built, Estimate, EventCounts, Listing, Prepared, SourceKind};

use super::Args;
use crate::cmd::account::{late_warning, saturated_warning};
use crate::progress;
use crate::text::{bytes, say, thousands};

/// What was found in the folder.
pub fn listing(args: &Args, listing: &Listing) {
    let size: u64 = listing.recordings.iter().map(|entry| entry.bytes).sum();
    let what = match listing.source {
        SourceKind::Recordings => "recordings",
        SourceKind::Texts => "texts",
    };
    let classes = match listing.classes.len() {
        0 => String::new(),
        n => format!(", {n} classes"),
    };
    let n = thousands(listing.recordings.len() as u64);
    say(format_args!("{}: {n} {what}, {}{classes}", args.folder(), bytes(size)));
    for remark in listing.remarks.iter().take(20) {
        say(format_args!("  note: {remark}"));
    }
    if listing.remarks.len() > 20 {
        say(format_args!("  note: and {} more remarks", listing.remarks.len() - 20));
    }
    if args.check {
        for (class, count) in listing.classes.iter().zip(listing.counts()) {
            say(format_args!("  {class}: {}", thousands(count)));
        }
    }
}

/// What is known before the work begins.
pub fn prepared(prepared: &Prepared<'_>) {
    for remark in &prepared.remarks {
        say(format_args!("  note: {remark}"));
    }
    let Estimate { samples, bytes: size, is_exact, .. } = prepared.estimate;
    let about = if is_exact { "" } else { "about " };
    let samples = thousands(samples);
    say(format_args!("  {about}{samples} samples, {} before compression", bytes(size)));
}

/// The progress of the work.
pub fn bar(quiet: bool, listing: &Listing) -> ProgressBar {
    let bytes = listing.recordings.iter().map(|entry| entry.bytes).sum();
    progress::bar(quiet, bytes, "{bar:30} {msg} {eta} left")
}

/// What was made.
pub fn summary(built: &Built, source: SourceKind) {
    for (path, samples, size) in &built.files {
        let what = if built.was_complete { "is complete already: " } else { "" };
        let each = match (source, built.steps) {
            (_, 0) => "samples".to_owned(),
            (SourceKind::Recordings, steps) => format!("samples of {steps} frames"),
            (SourceKind::Texts, words) => format!("questions about stories of up to {words} words"),
        };
        let samples = thousands(*samples);
        say(format_args!("{}: {what}{samples} {each}, {}", path.display(), bytes(*size)));
    }
    if built.was_complete {
        return;
    }
    if built.resumed > 0 {
        let n = thousands(built.resumed as u64);
        say(format_args!("  {n} recordings were finished before"));
    }
    let width =
        built.classes.iter().map(|row| row.class.chars().count()).max().unwrap_or(0).clamp(5, 40);
    // A column for each split that has any, or for all samples.
    let heads = ["samples", "train", "val", "test"];
    let used = |column: &usize| built.classes.iter().any(|row| row.samples[*column] > 0);
    let used: Vec<usize> = (0..heads.len()).filter(used).collect();
    let head: Vec<&str> = used.iter().map(|&column| heads[column]).collect();
    let columns: Vec<_> = head.iter().map(|name| format!("{name:>9}")).collect();
    let first = if source == SourceKind::Texts { "task" } else { "class" };
    say(format_args!("  {first:width$}{}", columns.join("")));
    for row in &built.classes {
        let count = |&column: &usize| format!("{:>9}", thousands(row.samples[column]));
        let counts: Vec<_> = used.iter().map(count).collect();
        say(format_args!("  {:width$}{}", row.class, counts.join("")));
    }
    if source == SourceKind::Texts {
        return;
    }
    say(format_args!("  {}", events(built)));
    for remark in built.remarks.iter().take(20) {
        say(format_args!("  note: {remark}"));
    }
    for (note, recordings) in built.notes.iter().take(10) {
        say(format_args!("  note ({recordings} recordings): {note}"));
    }
}

/// What a user should know even with `--quiet`.
pub fn warnings(built: &Built) {
    let EventCounts { late, saturated_cells, .. } = built.events;
    for warning in late_warning(late).into_iter().chain(saturated_warning(saturated_cells)) {
        say(format_args!("liaf: warning: {warning}"));
    }
}

/// Where the events went.
fn events(built: &Built) -> String {
    let EventCounts { kept, left_out, in_no_sample, .. } = built.events;
    let rest = match built.with_rest {
        0 => String::new(),
        n => format!(
            "; the rest of {} recordings was not needed, and its events are not counted",
            thousands(n)
        ),
    };
    format!(
        "{} events in samples, {} filtered or outside the sensor, {} in no sample{rest}; {} samples \
         were cut short by the end of their recording and left out",
        thousands(kept),
        thousands(left_out),
        thousands(in_no_sample),
        thousands(built.cut_short)
    )
}
