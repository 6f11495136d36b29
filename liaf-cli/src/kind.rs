//! The kinds of files that `liaf convert` writes: tensor files, event files, or images of a camera.

use std::path::Path;

use liaf::data::measurements::MeasurementFile;
use liaf::data::options::Named;
use liaf::data::tensor::Container;
use liaf::data::write::{self, Target};

use crate::outputs::Usage;

/// A kind of output.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Frames.
    Tensor(Container),
    /// Events.
    Events(&'static Target),
    /// A folder of images of a camera.
    Png,
}

impl Kind {
    /// The kind of this name, as in `--to npz` or `--to aedat4`.
    pub fn named(name: &str) -> Option<Self> {
        match write::target(name) {
            Some(target) => Some(Self::Events(target)),
            None if name == "png" => Some(Self::Png),
            None => Self::of_path(Path::new(&format!("a.{name}"))).ok(),
        }
    }

    /// The kind for the extension of `path`.
    pub fn of_path(path: &Path) -> liaf::data::Result<Self> {
        if let Some(target) = write::target_of_path(path) {
            return Ok(Self::Events(target));
        }
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        if let Some(error) = write::lacking(&extension) {
            return Err(error.in_file(path));
        }
        Container::from_path(path).map(Self::Tensor).map_err(|error| {
            let events = write::targets().flat_map(|target| target.claims);
            let events: Vec<_> = events.map(|claim| format!(".{claim}")).collect();
            error.advice(format!("or an event file: {}", events.join(", ")))
        })
    }

    /// The name of the kind for `--to`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tensor(container) => container.name(),
            Self::Events(target) => target.name,
            Self::Png => "png",
        }
    }

    /// The usual extension, without its dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Tensor(container) => container.name(),
            Self::Events(target) => target.extension,
            Self::Png => "",
        }
    }

    /// The kind of file for a stream other than events, if there is one.
    pub fn of_samples(self) -> Option<MeasurementFile> {
        match self {
            Self::Png => Some(MeasurementFile::Png),
            Self::Tensor(Container::H5) => Some(MeasurementFile::H5),
            Self::Events(target) if target.name == "csv" => Some(MeasurementFile::Csv),
            Self::Tensor(_) | Self::Events(_) => None,
        }
    }

    /// Whether a file of this kind may have this name: its extension is not that of another kind.
    pub fn may_be_called(self, output: &Path) -> bool {
        let extension = output.extension().unwrap_or_default();
        let usual = self.extension();
        (!usual.is_empty() && extension.eq_ignore_ascii_case(usual))
            || Self::of_path(output).map_or(true, |other| other.name() == self.name())
    }

    /// Returns an error if this kind cannot be written to standard output.
    pub fn check_stream(self) -> Result<(), Usage> {
        let advice = "write a file, or events in another kind, such as --to csv";
        let refuse = |why: &str| {
            let name = self.name();
            Err(Usage(format!("-o -: {name} cannot go to standard output: {why} ({advice})")))
        };
        match self {
            Self::Events(target) => match write::check_stream(target) {
                Ok(()) => Ok(()),
                Err(error) => Err(Usage(format!("-o -: {error}"))),
            },
            Self::Tensor(Container::Npy) => {
                refuse("its header has the number of frames, which is only known at the end")
            }
            Self::Tensor(_) => refuse("it is a container, whose parts are not written in order"),
            Self::Png => refuse("it is a folder of files"),
        }
    }

    /// What a message calls an output of this kind.
    pub fn title(self) -> String {
        match self {
            Self::Tensor(container) => format!("a tensor file ({})", container.name()),
            Self::Events(target) => format!("an event file ({})", target.name),
            Self::Png => "the images of a camera (png)".into(),
        }
    }

    /// The names of all kinds, for messages.
    pub fn names() -> String {
        let events = write::targets().map(|target| target.name);
        Container::NAMES.iter().copied().chain(events).chain(["png"]).collect::<Vec<_>>().join(", ")
    }
}
