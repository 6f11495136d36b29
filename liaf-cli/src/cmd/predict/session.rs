//! Recordings, one after another: their rows, and what is said about them.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Result;
use liaf::classifier::{Classifier, Difference, Prediction};
use liaf::data::convert::Framed;
use liaf::data::{ReadOptions, Recording};

use super::of_its_half;
use super::rows::Rows;
use super::tally::Tally;
use super::truth::{Known, Truth};
use crate::cmd::account::{bytes, frame_warnings};
use crate::progress::Bar;
use crate::{applies, hints, text};

/// What all recordings of a command line have in common.
pub struct Session {
    pub read: ReadOptions,
    pub bar: Bar,
    /// The known classes, if they were asked for.
    pub truth: Option<Truth>,
    /// Names of the classes of the network.
    pub names: Vec<String>,
    /// Whether there may be several recordings.
    pub several: bool,
    /// Whether samples that are cut short are left out.
    pub drop: bool,
    pub quiet: bool,
    pub rows: Rows<io::Stdout>,
}

impl Session {
    /// Prints the rows of a recording, and says what was seen in it.
    pub fn recording(&mut self, classifier: &mut Classifier, file: &Path) -> Result<Tally> {
        let mut recording = Recording::open(file, self.read.clone())?;
        if file.as_os_str() == "-" {
            applies::check_formats(&[recording.info().format])?;
        }
        for difference in classifier.check(&mut recording).map_err(of_its_half)? {
            self.warn(file, &warning(&difference));
        }
        let known = self.truth.as_ref().map(|truth| truth.of(file)).transpose()?;
        self.rows.begin(file, self.several)?;
        let tally = Tally::new(self.names.len());
        let (rows, names, drop) = (&mut self.rows, &self.names, self.drop);
        let mut watch = Watch { rows, names, known, drop, tally, failed: None };
        let framed = watch.all(classifier, &mut recording, &self.bar)?;
        let tally = watch.tally;
        self.bar.file_done();
        if !self.quiet {
            let name = text::path(file);
            self.bar.say(&format!("{name}: {}", tally.summary(&self.names)));
            self.bar.say(&format!("  {}", bytes(&framed.report, "events")));
        }
        for warning in frame_warnings(&framed.report, &framed.frames) {
            self.warn(file, &warning);
        }
        Ok(tally)
    }

    /// Says an error and goes on if there may be other recordings. Returns it otherwise, and if it is that rows
    /// cannot be printed.
    pub fn fail(&self, error: anyhow::Error) -> Result<()> {
        if !self.several || error.is::<io::Error>() {
            return Err(error);
        }
        self.bar.say(&format!("liaf: {}", hints::message(&error)));
        Ok(())
    }

    fn warn(&self, file: &Path, warning: &str) {
        self.bar.say(&format!("liaf: {}: warning: {warning}", text::path(file)));
    }
}

/// A difference in words, and with what the user can do.
fn warning(difference: &Difference) -> String {
    match difference {
        Difference::Aedat2Reading { learned, .. } => {
            format!("{difference}: say --aedat2 {}", learned.name())
        }
        other => other.to_string(),
    }
}

/// Prints what is seen in a recording, and counts it.
struct Watch<'a> {
    rows: &'a mut Rows<io::Stdout>,
    names: &'a [String],
    /// The known classes, if they were asked for.
    known: Option<Known>,
    /// Whether samples that are cut short are left out.
    drop: bool,
    tally: Tally,
    /// A row that could not be printed.
    failed: Option<io::Error>,
}

impl Watch<'_> {
    /// Looks at a whole recording, and prints rows.
    fn all(
        &mut self,
        classifier: &mut Classifier,
        recording: &mut Recording,
        bar: &Bar,
    ) -> Result<Framed> {
        let mut progress = bar.file();
        let mut each = |prediction: Prediction| self.take(&prediction);
        let framed = classifier.run_with(recording, &mut each, &mut |p| progress.tell(p));
        if let Some(error) = self.failed.take() {
            return Err(error.into());
        }
        self.tally.end();
        framed.map_err(of_its_half)
    }

    fn take(&mut self, prediction: &Prediction) -> ControlFlow<()> {
        if self.drop && !prediction.complete {
            self.tally.dropped += 1;
            return ControlFlow::Continue(());
        }
        let Prediction { start, end, sample, class, .. } = *prediction;
        let label = self.known.as_ref().and_then(|known| known.class(start, end));
        let number = label.map(|label| self.names.iter().position(|name| name == label));
        self.tally.see(sample, class, number);
        match self.rows.row(prediction, label) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}
