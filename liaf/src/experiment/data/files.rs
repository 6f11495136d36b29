//! Tensor files, as `liaf dataset` writes them.

use std::path::PathBuf;
use std::sync::Arc;

use liaf_data::dataset::SplitRule;
use liaf_data::{Error, Limits};
use serde::{Deserialize, Serialize};

use super::split::{Rule, split};
use super::{Data, Kind, Loading, Source, located};
use crate::error::Result;
use crate::experiment::document::Document;
use crate::samples::{Examples, StoredSamples};

/// A file for training and one for test, or one file that is divided.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Files {
    train: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    test: Option<PathBuf>,
    /// How one file is divided: `random:SEED:FRACTION` or `first:FRACTION`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    split: Option<String>,
}

impl Kind for Files {
    const NAME: &str = "files";

    fn locate(&mut self, document: &Document) {
        self.train = located(document, &["data", "train"], &self.train);
        if let Some(test) = &mut self.test {
            *test = located(document, &["data", "test"], test);
        }
    }
}

impl Source for Files {
    fn load(&self, _loading: &Loading<'_>) -> Result<Data> {
        let limits = Limits::default();
        let read = |path: &PathBuf| -> Result<Arc<dyn Examples>> {
            Ok(Arc::new(StoredSamples::read(path, &limits)?))
        };
        let (train, test) = match (&self.test, &self.split) {
            (Some(test), None) => (read(&self.train)?, read(test)?),
            (None, Some(rule)) => split(&read(&self.train)?, parse(rule)?)?,
            _ => {
                return Err(Error::caller("the data must say which samples test")
                    .expected("either `test`, a second file, or `split`, as in \"random:1:0.8\"")
                    .into());
            }
        };
        Ok(Data { train, validation: None, test, remarks: Vec::new() })
    }
}

fn parse(rule: &str) -> Result<Rule> {
    match rule.parse()? {
        SplitRule::Random { seed, fraction } => Ok(Rule::Random { seed, share: fraction }),
        SplitRule::First { fraction } => Ok(Rule::First { share: fraction }),
        _ => {
            let error = Error::caller("samples of a file cannot be divided by this rule");
            Err(error.expected("random:SEED:FRACTION or first:FRACTION").found(rule).into())
        }
    }
}
