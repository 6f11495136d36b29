//! Time surfaces: how long ago each cell had its latest event, with exponential decay.

use super::latest::{self, Latest, Memory};
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
        Box::new(Latest::new(canvas, Decay::new(tau)))
    },
};

const TAU: i64 = 50_000;

/// Stores 2^((t − reference) / τ'), where τ' is the time in which a cell halves. A cell is then what is stored
/// times 2^((reference − end) / τ'), which is the same for all cells of a frame.
#[derive(Debug, Clone)]
struct Decay {
    /// 1 / τ'.
    rate: f64,
    reference: f64,
    /// The factor of the current window.
    factor: f64,
}

impl Decay {
    /// The largest power of two that is stored.
    const MOST: f64 = 500.0;

    fn new(tau: i64) -> Self {
        let rate = std::f64::consts::LOG2_E / tau as f64;
        Self { rate, reference: 0.0, factor: 1.0 }
    }
}

impl Memory for Decay {
    const NOTHING: f64 = 0.0;

    fn go_to(&mut self, end: f64, stored: &mut [f64]) {
        let mut power = (end - self.reference) * self.rate;
        if power.abs() > Self::MOST {
            let factor = (-power).exp2();
            stored.iter_mut().for_each(|stored| *stored *= factor);
            (self.reference, power) = (end, 0.0);
        }
        self.factor = (-power).exp2();
    }

    fn of_event(&self, t: f64) -> f64 {
        exp2((t - self.reference) * self.rate)
    }

    fn cell(&self, stored: f64) -> f32 {
        (stored * self.factor) as f32
    }
}

/// 2^power up to 2^1000, to within 1e-8 of it, and to within 2^-1000. It is faster than that of the standard
/// library.
fn exp2(power: f64) -> f64 {
    let power = power.max(-1000.0);
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
    series * f64::from_bits(rounded.to_bits().wrapping_add(1023) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two_are_those_of_the_standard_library() {
        for power in (-9_000..9_000).map(|i| f64::from(i) * 0.1) {
            let exact = power.exp2();
            assert!((exp2(power) - exact).abs() <= 1e-8 * exact, "{power}");
        }
        assert_eq!(exp2(0.0), 1.0);
        assert!(exp2(f64::NEG_INFINITY) < 1e-300);
    }

    #[test]
    fn cells_decay_exponentially_over_any_time() {
        let mut decay = Decay::new(50_000);
        let mut stored = [0.0, 0.0];
        let start = 1.7e15;
        decay.go_to(start, &mut stored);
        stored[0] = decay.of_event(start - 1_000.0);
        for age in (0..2_000_000).step_by(10_000).chain([4_000_000, 40_000_000]) {
            decay.go_to(start + f64::from(age), &mut stored);
            let exact = (-(f64::from(age) + 1_000.0) / 50_000.0).exp();
            let cell = f64::from(decay.cell(stored[0]));
            assert!((cell - exact).abs() <= 1e-7 * exact + 1e-44, "{age}: {cell} {exact}");
            assert_eq!(decay.cell(stored[1]), 0.0);
        }
    }
}
