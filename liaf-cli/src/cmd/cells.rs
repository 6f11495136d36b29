//! The choice of a representation.

use liaf::data::filter::Parameters;
use liaf::data::frames::{CellOptions, PolarityChannels, REPRESENTATIONS, Representation};

/// The help of `--repr`, with every representation.
pub fn about() -> String {
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
}
