//! Number of frames of a sample, and where the next sample starts.

use liaf_data::frames::SampleRecipe;

/// How frames are cut into samples.
///
/// ```
/// use liaf::samples::SampleOptions;
/// // Samples of 10 frames, of which each shares 5 with the one before it.
/// let options = SampleOptions::new().steps(10).stride(5).scale(0.25);
/// assert_eq!(options.steps, Some(10));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct SampleOptions {
    /// Number of frames T of a sample; `None` if all frames are one sample. Default: `None`.
    pub steps: Option<usize>,
    /// Number of frames from the start of a sample to the start of the next one; `None` if samples
    /// follow each other without overlap. Default: `None`.
    pub stride: Option<usize>,
    /// The factor by which every cell is multiplied. Default: 1.
    pub scale: f32,
    /// Whether the frames that are left at the end make up a sample although there are too few of them.
    /// Default: no.
    pub partial: bool,
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl SampleOptions {
    /// All frames are one sample, and their cells are not scaled.
    pub const fn new() -> Self {
        Self { steps: None, stride: None, scale: 1.0, partial: false }
    }

    /// Sets the number of frames of a sample; 0 means `None`.
    #[must_use]
    pub fn steps(mut self, steps: impl Into<Option<usize>>) -> Self {
        self.steps = steps.into().filter(|&steps| steps > 0);
        self
    }

    /// Sets the number of frames from one sample to the next; 0 means `None`.
    #[must_use]
    pub fn stride(mut self, stride: impl Into<Option<usize>>) -> Self {
        self.stride = stride.into().filter(|&stride| stride > 0);
        self
    }

    /// Sets the factor of the cells.
    #[must_use]
    pub fn scale(mut self, scale: f32) -> Self {
        self.scale = scale;
        self
    }

    /// Sets whether the frames that are left at the end make up a sample.
    #[must_use]
    pub fn partial(mut self, partial: bool) -> Self {
        self.partial = partial;
        self
    }
}

/// Samples as described by a recipe. Samples that are too short are left out.
impl From<&SampleRecipe> for SampleOptions {
    fn from(recipe: &SampleRecipe) -> Self {
        Self::new().steps(recipe.steps).scale(recipe.scale)
    }
}
