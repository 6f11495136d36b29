//! The mean of an image.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::layer::contract::{Description, Layer, only};
use crate::memory::Saved;
use crate::op::{Back, Context, Flow, SampleOp};
use crate::real::Real;
use crate::shape::Shape;

/// Mean of each channel at every time step, `[.., C, H, W]` to `[.., C]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpatialMean {}

impl Layer for SpatialMean {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        let input = only(inputs)?;
        let Some((channels, height, width)) = input.image() else {
            return Err(Error::shape("a spatial mean needs images")
                .expected("[.., C, H, W]")
                .found(input));
        };
        Ok(Description::sample(input.with_item([channels]), MeanOp { plane: height * width }))
    }
}

#[derive(Debug)]
struct MeanOp {
    plane: usize,
}

impl<R: Real> SampleOp<R> for MeanOp {
    fn runs_in_stretches(&self, _steps: usize) -> bool {
        true
    }

    fn forward(&self, flow: Flow<'_, R>, _: &mut Saved<R>, _: &mut Context<'_, R>) {
        let count = R::of(self.plane as f64);
        let planes = flow.inputs[0].chunks_exact(self.plane);
        for (y, plane) in flow.output.iter_mut().zip(planes) {
            *y = plane.iter().copied().sum::<R>() / count;
        }
    }

    fn backward(&self, back: Back<'_, '_, R>, _: &mut Saved<R>, _: &mut Context<'_, R>) {
        let Some(dx) = &mut back.d_inputs[0] else { return };
        let count = R::of(self.plane as f64);
        for (&g, plane) in back.d_output.iter().zip(dx.chunks_exact_mut(self.plane)) {
            plane.iter_mut().for_each(|dx| *dx += g / count);
        }
    }
}
