//! The network of an experiment: the table `[network]`.

use std::path::PathBuf;

use liaf_core::zoo::{self, Options};
use liaf_core::{Error, Limits, Network, NetworkConfig};
use serde::{Deserialize, Serialize};

use super::data::{Known, located};
use super::document::Document;
use crate::error::Result;
use crate::samples::Examples;

const KEYS: [&str; 1] = ["network"];

/// A network by its name in the [zoo], in a file, or as it is written in the experiment.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Choice {
    /// Of the zoo, with the size of the frames and the number of classes of the data.
    Named(Named),
    /// In a file of its own.
    File(PathBuf),
    /// As the table says.
    Inline(NetworkConfig),
}

/// A network of the zoo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    /// Its name.
    name: String,
    /// The factor for the numbers of channels and units. Default 1.
    #[serde(default = "one")]
    width: f64,
}

fn one() -> f64 {
    1.0
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InFile {
    file: PathBuf,
}

impl Choice {
    /// Reads the table. What it says is checked as far as that is possible without the data.
    pub fn read(document: &Document) -> Result<Self> {
        let has = |name: &str| document.has(&["network", name]);
        match (has("name"), has("file"), has("layers")) {
            (true, false, false) => {
                let named: Named = document.read(&KEYS, &[])?;
                if zoo::find(&named.name).is_none() {
                    let error = zoo::network(&named.name, &Options::default()).map(drop);
                    error.map_err(|error| document.at(&["network", "name"], error))?;
                }
                Ok(Self::Named(named))
            }
            (false, true, false) => {
                let InFile { file } = document.read(&KEYS, &[])?;
                Ok(Self::File(located(document, &["network", "file"], &file)))
            }
            (false, false, true) => {
                let config: NetworkConfig = document.read(&KEYS, &[])?;
                check_layers(document, &config)?;
                Ok(Self::Inline(config))
            }
            _ => {
                let error = Error::config("the experiment must have one network");
                let error =
                    error.expected("[network] with `name`, `file`, or `inputs` and `layers`");
                Err(document.at(&KEYS, error))
            }
        }
    }

    /// The network for these samples.
    pub fn resolve(&self, document: &Document, data: &dyn Examples) -> Result<NetworkConfig> {
        self.with_options(document, || {
            let classes = data.classes().len();
            let steps = data.inputs().iter().map(|input| input.steps).max();
            let mut options =
                Options { classes: Some(classes), tokens: classes, steps, ..Options::default() };
            if let [_, height, width] = data.inputs().first().map_or(&[][..], |i| &i.shape.item) {
                options.size = Some(square(document, *width, *height)?);
            }
            Ok(options)
        })
    }

    /// The network and the number of steps of a sample, as far as the experiment says them without its data.
    pub fn without_data(
        &self,
        document: &Document,
        known: Known,
    ) -> Result<(NetworkConfig, usize)> {
        let usual = match self {
            Self::Named(named) => zoo::find(&named.name).map_or(1, |(entry, _)| entry.steps),
            _ => 1,
        };
        let network = self.with_options(document, || {
            let size = known
                .size
                .map(|size| square(document, size.width.into(), size.height.into()))
                .transpose()?;
            Ok(Options { size, steps: known.steps, ..Options::default() })
        })?;
        Ok((network, known.steps.unwrap_or(usual)))
    }

    /// The network, with these options if it is one of the zoo.
    fn with_options(
        &self,
        document: &Document,
        options: impl FnOnce() -> Result<Options>,
    ) -> Result<NetworkConfig> {
        match self {
            Self::Inline(config) => Ok(config.clone()),
            Self::File(path) => {
                let config = NetworkConfig::read(path, &Limits::default());
                let config = config.and_then(|config| config.resolve().map(|_| config));
                config.map_err(|error| document.at(&["network", "file"], error))
            }
            Self::Named(Named { name, width }) => {
                let options = Options { width: *width, ..options()? };
                let config = zoo::network(name, &options);
                config.map_err(|error| document.at(&["network", "name"], error))
            }
        }
    }
}

/// The side of frames of this size.
fn square(document: &Document, width: usize, height: usize) -> Result<usize> {
    if width == height {
        return Ok(width);
    }
    let error = Error::shape("networks of the zoo take square frames");
    Err(document.at(&["network", "name"], error.found(format!("{width}x{height}"))))
}

/// Checks the layers one by one, so that an error names the line of its layer.
fn check_layers(document: &Document, config: &NetworkConfig) -> Result<()> {
    let Err(error) = config.resolve() else { return Ok(()) };
    for count in 1..=config.layers.len() {
        let mut part = NetworkConfig { output: None, ..config.clone() };
        part.layers.truncate(count);
        if let Err(error) = part.resolve() {
            let number = (count - 1).to_string();
            return Err(document.at(&["network", "layers", &number], error));
        }
    }
    Err(document.at(&KEYS, error))
}

/// The name of the only input of a network.
pub(super) fn only_input(network: &Network<f32>) -> Option<String> {
    let mut inputs = network.input_shapes();
    match (inputs.next(), inputs.next()) {
        (Some((name, _)), None) => Some(name.to_owned()),
        _ => None,
    }
}
