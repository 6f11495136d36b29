//! The choice of a representation, and the help about it and about filters.

use liaf::data::filter::{FILTERS, Parameters};
use liaf::data::frames::{CellOptions, PolarityChannels, REPRESENTATIONS, Representation};

use crate::hints;
use crate::outputs::Usage;

/// The help of `--repr` in the short help: the names.
pub fn about() -> String {
    let names: Vec<_> = REPRESENTATIONS.iter().map(|row| row.name).collect();
    let names = names.join(", ");
    format!("What a cell holds, with parameters as in voxel_grid:bins=5: {names} [default: count]")
}

/// The help of `--repr` with what every representation is.
pub fn about_all() -> String {
    let parameters = |names: &[&str]| match names {
        [] => String::new(),
        names => format!(" ({})", names.join(", ")),
    };
    let rows = REPRESENTATIONS
        .iter()
        .map(|row| format!("{}{} = {}", row.name, parameters(row.parameters), row.about));
    format!(
        "What a cell holds, with parameters as in voxel_grid:bins=5: {} [default: count]",
        rows.collect::<Vec<_>>().join("; ")
    )
}

/// The help of `--filter` in the short help: the names.
pub fn filters() -> String {
    let names: Vec<_> = FILTERS.iter().map(|row| row.name).collect();
    let names = names.join(", ");
    format!("Filter for events, as in refractory:period=1ms; several are applied in order: {names}")
}

/// The help of `--filter` with what every filter does.
pub fn filters_all() -> String {
    let rows = FILTERS.iter().map(|row| format!("{} = {}", row.name, row.about));
    format!(
        "Filter for events, as in refractory:period=1ms; several are applied in order: {}",
        rows.collect::<Vec<_>>().join("; ")
    )
}

/// A representation and its parameters.
#[derive(Debug, Clone)]
pub struct Cells {
    /// What a cell holds.
    pub representation: &'static Representation,
    /// Its parameters.
    pub parameters: Parameters,
}

impl Cells {
    /// Parses `name` or `name:parameter=value,…`, and checks the parameters.
    pub fn parse(text: &str) -> liaf::data::Result<Self> {
        let (name, parameters) = Parameters::after_name(text)?;
        let representation = Representation::named(name)?;
        representation.check(&CellOptions {
            polarity: PolarityChannels::default(),
            dtype: representation.usual_dtype,
            parameters: parameters.clone(),
        })?;
        Ok(Self { representation, parameters })
    }

    /// Refuses `--polarity` for cells that do not depend on it, or always keep OFF and ON apart.
    pub fn check_polarity(&self) -> Result<(), Usage> {
        let channels = |polarity| {
            let (dtype, parameters) = (self.representation.usual_dtype, self.parameters.clone());
            let options = CellOptions { polarity, dtype, parameters };
            self.representation.check(&options).ok().map(|layout| layout.channels)
        };
        let does_nothing = hints::is_given("polarity")
            && channels(PolarityChannels::Split) == channels(PolarityChannels::Merged);
        match does_nothing {
            true => Err(Usage(format!(
                "--polarity applies to cells that count OFF and ON apart, and those of --repr {} do not",
                self.representation
            ))),
            false => Ok(()),
        }
    }
}
