//! Axes of charts: intervals, ticks and their texts.

/// What is along an axis of a chart.
#[derive(Debug, Clone, Copy, Default)]
pub struct Axis<'a> {
    /// What is said beside it.
    pub title: &'a str,
    /// Its ends; by default the smallest and the largest value.
    pub range: Option<(f64, f64)>,
    /// Whether it begins at 0 or below.
    pub from_zero: bool,
    /// Whether only whole numbers are written beside it.
    pub whole: bool,
    /// Whether equal distances are equal factors. Values that are not above 0 are left out then.
    pub logarithmic: bool,
}

impl<'a> Axis<'a> {
    /// A linear axis from the smallest to the largest value.
    pub fn new(title: &'a str) -> Self {
        Self { title, ..Self::default() }
    }

    /// The axis with the ends that these values need.
    pub fn fit(&self, values: impl Iterator<Item = f64>) -> Fitted {
        let logarithmic = self.logarithmic;
        let known = values.filter(|value| value.is_finite() && !(logarithmic && *value <= 0.0));
        let (low, high) = self.range.or_else(|| range(known)).unwrap_or((1.0, 2.0));
        let (low, high) = match (low == high, logarithmic) {
            (true, true) => (low / 2.0, high * 2.0),
            (true, false) => (low - 0.5, high + 0.5),
            // Points are not on the edge.
            (false, true) => (low / 1.5, high * 1.5),
            (false, false) => (low, high),
        };
        let low = if self.from_zero { low.min(0.0) } else { low };
        Fitted { low, high, logarithmic, whole: self.whole }
    }
}

/// An axis with its ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fitted {
    pub low: f64,
    pub high: f64,
    logarithmic: bool,
    whole: bool,
}

impl Fitted {
    /// Where a value is: 0 at the low end, 1 at the high one. Values outside are at the ends.
    pub fn share(&self, value: f64) -> f64 {
        let of = |value: f64| if self.logarithmic { value.ln() } else { value };
        let share = (of(value) - of(self.low)) / (of(self.high) - of(self.low));
        share.clamp(0.0, 1.0)
    }

    /// Whether a value can be shown.
    pub fn has(&self, value: f64) -> bool {
        value.is_finite() && !(self.logarithmic && value <= 0.0)
    }

    /// Round numbers within the interval.
    pub fn ticks(&self) -> Vec<f64> {
        let all = match self.logarithmic {
            true => logarithmic(self.low, self.high),
            false => linear(self.low, self.high),
        };
        all.into_iter().filter(|tick| !self.whole || tick.fract() == 0.0).collect()
    }
}

fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |ends: Option<(f64, f64)>, value| {
        let (low, high) = ends.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })
}

/// Four to ten round numbers of an interval.
fn linear(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / 5.0;
    if !rough.is_finite() || rough <= 0.0 {
        return Vec::new();
    }
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let step = step.into_iter().find(|&step| step >= rough).unwrap_or(rough);
    let (first, last) = ((low / step).ceil() as i64, (high / step + 1e-9).floor() as i64);
    (first..=last).map(|n| n as f64 * step).collect()
}

/// The powers of ten of an interval; in a short one their double and fivefold as well.
fn logarithmic(low: f64, high: f64) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let factors: &[f64] = if high / low < 300.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let all = (first..=last).flat_map(|n| factors.iter().map(move |f| f * 10_f64.powi(n)));
    all.filter(|tick| (low..=high).contains(tick)).collect()
}

/// A number with as many digits as a tick needs, and large ones with k, M, G or T.
pub fn number(value: f64) -> String {
    let units = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")];
    let unit = units.into_iter().find(|(least, _)| value.abs() >= *least);
    let (value, unit) = match unit {
        Some((_, "k")) => (value / 1e3, "k"),
        Some((least, unit)) => (value / least, unit),
        None => (value, ""),
    };
    let text = format!("{value:.4}");
    format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_cover_the_interval() {
        let ticks = |low, high, logarithmic| {
            let axis = Axis { range: Some((low, high)), logarithmic, ..Axis::default() };
            axis.fit(std::iter::empty()).ticks()
        };
        assert_eq!(ticks(0.0, 1.0, false), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(ticks(1.0, 30.0, false), [10.0, 20.0, 30.0]);
        assert!(ticks(0.0, f64::INFINITY, false).is_empty());
        assert_eq!(ticks(900.0, 40_000.0, true), [1e3, 2e3, 5e3, 1e4, 2e4, 5e4]);
        assert_eq!(ticks(900.0, 4e6, true), [1e3, 1e4, 1e5, 1e6]);
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.6000000000000001, "0.6"),
            (20.0, "20"),
            (2_000.0, "2000"),
            (250_000.0, "250k"),
            (5e6, "5M"),
            (2e9, "2G"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn values_are_between_the_ends_of_their_axis() {
        let linear = Axis::new("").fit([2.0, f64::NAN, 4.0].into_iter());
        assert_eq!((linear.low, linear.high, linear.share(3.0)), (2.0, 4.0, 0.5));
        assert_eq!((linear.share(9.0), linear.share(-9.0)), (1.0, 0.0));
        let one = Axis::new("").fit([7.0].into_iter());
        assert_eq!(one.share(7.0), 0.5);
        let log = Axis { logarithmic: true, ..Axis::default() };
        let log = log.fit([0.0, 10.0, 1000.0].into_iter());
        assert!((log.share(100.0) - 0.5).abs() < 1e-9 && !log.has(0.0));
    }
}
