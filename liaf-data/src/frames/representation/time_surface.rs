//! Time surfaces: how long ago each cell had its latest event, with exponential decay.

use super::latest::{self, Latest};
use super::stretch::duration;
use super::{Layout, Representation};
use crate::frames::Dtype;

/// A time surface of the whole sensor (Lagorce et al., HOTS, TPAMI 2017, in the form of tonic's
/// `ToTimesurface`), at the end of each window:
///
/// > exp(−(t_end − t_latest) / τ); 0 in a cell that has had no event
///
/// where t_latest is the time of the latest event of the cell in all windows up to this one.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `tau` | 50ms | τ: time constant of the decay |
pub static TIME_SURFACE: Representation = Representation {
    name: "time_surface",
    about: "1 for an event at the end of the window, decaying with the age of the latest event",
    usual_dtype: Dtype::F32,
    parameters: &["tau"],
    layout: |options| {
        duration(&options.parameters, "tau", TAU)?;
        let layout = latest::layout(Layout::of_polarity(options.polarity));
        layout.with_dtypes("time_surface", options, &[Dtype::F32])
    },
    start: |options, canvas| {
        let tau = duration(&options.parameters, "tau", TAU).unwrap_or(TAU);
        Box::new(Latest::new(canvas, decay, std::f64::consts::LOG2_E / tau as f64))
    },
};

const TAU: i64 = 50_000;

/// 2^(−age · rate), to within 1e-7, without branches, so that the compiler can use vectors.
pub(super) fn decay(age: f64, rate: f64) -> f32 {
    // Below 2^-150 the result is 0 in f32.
    let power = (-age * rate).max(-200.0);
    // Adding this rounds to a whole number, which is then in the lowest bits.
    const ROUND: f64 = 1.5 * (1_u64 << 52) as f64;
    let rounded = power + ROUND;
    let x = (power - (rounded - ROUND)) * std::f64::consts::LN_2;
    let series = 1.0 / 5_040.0;
    let series = 1.0 / 720.0 + x * series;
    let series = 1.0 / 120.0 + x * series;
    let series = 1.0 / 24.0 + x * series;
    let series = 1.0 / 6.0 + x * series;
    let series = 0.5 + x * series;
    let series = 1.0 + x * series;
    let series = 1.0 + x * series;
    let exponent = rounded.to_bits().wrapping_add(1023) << 52;
    (series * f64::from_bits(exponent)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_decay_is_an_exponential_function() {
        let rate = std::f64::consts::LOG2_E / 50_000.0;
        for age in (0..2_000_000).step_by(37).chain([1, 2, 5_000_000]) {
            let (ours, exact) = (decay(age.into(), rate), (-f64::from(age) / 50_000.0).exp());
            assert!(
                (f64::from(ours) - exact).abs() <= 1e-7 * exact + 1e-44,
                "{age}: {ours} {exact}"
            );
        }
        assert_eq!(decay(f64::INFINITY, rate), 0.0);
        assert_eq!(decay(0.0, rate), 1.0);
    }
}
