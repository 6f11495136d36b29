//! What is printed about many files together: totals in place of the closing lines of each file, and a
//! warning that many files share only once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use liaf::data::Report;
use liaf::data::filter::Filtered;
use liaf::data::model::FindingCount;

use super::account::{Counts, Done, bytes, events};
use super::info::report_lines;
use crate::text::{self, thousands as count};

/// With more inputs than this, one summary replaces the closing lines of all of them.
const MANY: usize = 10;

/// Collects what is printed about the files of one command.
#[derive(Debug, Default)]
pub struct Summary {
    /// Whether everything is printed for each file.
    each: bool,
    /// Whether totals replace the closing lines.
    has_totals: bool,
    totals: Totals,
    /// Warnings, by their text without numbers and the file's name.
    warnings: BTreeMap<String, Warning>,
}

/// A warning that was printed for the first file that had it.
#[derive(Debug)]
struct Warning {
    text: String,
    more: u64,
}

#[derive(Debug, Default)]
struct Totals {
    files: u64,
    frames: u64,
    measurements: bool,
    dry_run: bool,
    stream: String,
    report: Report,
    counts: Counts,
}

impl Summary {
    /// A summary for this many inputs. With `verbose`, everything is printed for each file.
    pub fn new(inputs: usize, verbose: bool) -> Self {
        let each = verbose || inputs < 2;
        Self { each, has_totals: inputs > MANY && !verbose, ..Self::default() }
    }

    /// Whether the closing lines of each file are printed.
    pub fn says_each(&self) -> bool {
        !self.has_totals
    }

    /// Counts a file in.
    pub fn add(&mut self, done: &Done) {
        let totals = &mut self.totals;
        totals.files += 1;
        totals.stream = done.stream().to_owned();
        totals.measurements |= matches!(done, Done::Measurements(_));
        totals.dry_run |= !done.is_written();
        if let Done::Tensor(done) = done {
            totals.frames += done.frames.frames;
        }
        // The first offset of a finding differs from file to file, and the notes are printed as
        // warnings.
        let mut report = done.report().clone();
        report.notes.clear();
        for FindingCount { first_offset, first_event, .. } in report.findings.values_mut() {
            (*first_offset, *first_event) = (None, None);
        }
        totals.report.merge(&report);
        totals.counts.add(&done.counts());
    }

    /// The warning as it is to be printed now, or `None` if it was printed for another file already.
    pub fn warning(&mut self, input: &Path, warning: String) -> Option<String> {
        let line = format!("liaf: {}: warning: {warning}", text::path(input));
        if self.each {
            return Some(line);
        }
        match self.warnings.entry(kind_of(input, &warning)) {
            Entry::Occupied(mut known) => {
                known.get_mut().more += 1;
                None
            }
            Entry::Vacant(new) => {
                new.insert(Warning { text: warning, more: 0 });
                Some(line)
            }
        }
    }

    /// The closing lines of all files together, where there are many of them.
    pub fn totals(&self) -> Option<String> {
        let Totals { files, frames, report, counts, .. } = &self.totals;
        if !self.has_totals || *files == 0 {
            return None;
        }
        let size = match self.totals.dry_run {
            true if counts.bytes == 0 => "nothing written".to_owned(),
            true => format!("{} to be written before compression", text::bytes(counts.bytes)),
            false => text::bytes(counts.bytes),
        };
        let frames = match frames {
            0 => String::new(),
            n => format!("{} frames, ", count(*n)),
        };
        let mut lines = vec![
            format!("{} files: {frames}{size}", count(*files)),
            format!("  {}", bytes(report, &self.totals.stream)),
        ];
        lines.push(match self.totals.measurements {
            true => format!("  {} kept, {} out of window", count(counts.kept), {
                count(counts.out_of_window)
            }),
            false => format!("  {}", events(report, counts)),
        });
        lines.extend(report_lines(report).into_iter().map(|also| format!("  also {also}")));
        lines.push("  --verbose prints this for each file".into());
        Some(lines.join("\n"))
    }

    /// One line for each warning that further files share.
    pub fn repeated(&self) -> impl Iterator<Item = String> + '_ {
        self.warnings.values().filter(|warning| warning.more > 0).map(|warning| {
            let files = if warning.more == 1 { "file" } else { "files" };
            format!("liaf: warning: and {} more {files}: {}", count(warning.more), warning.text)
        })
    }
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.kept += other.kept;
        self.out_of_window += other.out_of_window;
        self.out_of_crop += other.out_of_crop;
        self.moved += other.moved;
        self.bytes += other.bytes;
        for Filtered { filter, events } in &other.filtered {
            match self.filtered.iter_mut().find(|known| known.filter == *filter) {
                Some(known) => known.events += events,
                None => self.filtered.push(Filtered { filter: filter.clone(), events: *events }),
            }
        }
    }
}

/// The text of a warning without what differs from file to file: numbers, and the file's own name.
fn kind_of(input: &Path, warning: &str) -> String {
    let path = input.display().to_string();
    let name = input.file_name().unwrap_or_default().to_string_lossy();
    let mut text = warning.to_owned();
    for own in [&*path, &*name] {
        if !own.is_empty() {
            text = text.replace(own, "FILE");
        }
    }
    let mut kind = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '0'..='9' if kind.ends_with('#') => {}
            '0'..='9' => kind.push('#'),
            // The separators of thousands, and the point of a fraction.
            ',' | '.' if kind.ends_with('#') => {}
            c => kind.push(c),
        }
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_said_once_and_counted() {
        let mut summary = Summary::new(3, false);
        let mut say = |file: &str, text: &str| summary.warning(Path::new(file), text.into());
        assert_eq!(
            say("d/a.raw", "1,234 events of a.raw came late").as_deref(),
            Some("liaf: d/a.raw: warning: 1,234 events of a.raw came late")
        );
        assert_eq!(say("d/b.raw", "7 events of b.raw came late"), None);
        assert_eq!(say("d/c.raw", "12 events of c.raw came late"), None);
        assert!(say("d/c.raw", "12 cells are full").is_some());
        let repeated: Vec<_> = summary.repeated().collect();
        assert_eq!(repeated, ["liaf: warning: and 2 more files: 1,234 events of a.raw came late"]);
    }

    #[test]
    fn of_one_file_and_with_verbose_everything_is_said() {
        for mut summary in [Summary::new(1, false), Summary::new(100, true)] {
            for _ in 0..2 {
                assert!(summary.warning(Path::new("a.raw"), "odd".into()).is_some());
            }
            assert!(summary.says_each() && summary.repeated().next().is_none());
        }
        assert!(Summary::new(MANY, false).says_each());
        assert!(!Summary::new(MANY + 1, false).says_each());
    }
}
