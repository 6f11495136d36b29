//! One bar for all files, on a terminal.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use liaf::data::convert::Progress;

use crate::text::say;

/// A bar on a terminal; hidden elsewhere, and if `quiet`.
pub fn bar(quiet: bool, length: u64, style: &str) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}

/// Shows the bytes read of all files, events per second, and time left, on a terminal only.
pub struct Bar {
    bar: ProgressBar,
    events: ProgressBar,
}

impl Bar {
    /// A bar for these files; `quiet` hides it.
    pub fn new(files: &[PathBuf], quiet: bool) -> Self {
        let bar = bar(quiet, 0, "{bar:30} {bytes}/{total_bytes} {msg} {eta} left");
        if !bar.is_hidden() {
            let sizes = files.iter().filter_map(|file| file.metadata().ok());
            bar.set_length(sizes.map(|meta| meta.len()).sum());
        }
        // Drawn as bytes are read: a timer would need a thread of its own, which may be refused.
        Self { bar, events: ProgressBar::hidden() }
    }

    /// The part of the bar for one file.
    pub fn file(&self) -> FileBar<'_> {
        FileBar { bar: self, bytes: 0, events: 0 }
    }

    /// Advances the bar past a file that is done, successfully or not.
    pub fn file_done(&self) {
        self.bar.tick();
    }

    /// Writes a line on standard error, above the bar if there is one.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| say(line));
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// One file's share of the bar.
pub struct FileBar<'a> {
    bar: &'a Bar,
    bytes: u64,
    events: u64,
}

impl FileBar<'_> {
    /// Reports how far the file is. If it is read several times, each pass counts for its share.
    pub fn tell(&mut self, progress: &Progress) -> ControlFlow<()> {
        let passes = u64::from(progress.passes.max(1));
        let total = progress.total.unwrap_or(0);
        let before = u64::from(progress.pass.saturating_sub(1)) * (total / passes);
        let bytes = before + progress.bytes / passes;
        self.bar.bar.inc(bytes.saturating_sub(self.bytes));
        self.bytes = self.bytes.max(bytes);
        self.bar.events.inc(progress.events.saturating_sub(self.events));
        self.events = progress.events;
        let seconds = self.bar.bar.elapsed().as_secs_f64();
        if seconds > 0.0 {
            let rate = self.bar.events.position() as f64 / seconds;
            self.bar.bar.set_message(crate::text::rate(rate));
        }
        ControlFlow::Continue(())
    }
}
