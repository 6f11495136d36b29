//! Surrogates for the derivative of a spike.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::op::Firing;
use crate::real::Real;

/// The shape of the curve; x is `U - V_th`, and a is the parameter of the [`Surrogate`].
///
/// The area under each curve is 1, except for the fast sigmoid, which is defined as in other packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SurrogateKind {
    /// `1 / (2a)` for `|x| < a`, else 0: half-width a, peak `1 / (2a)`. Default a = 0.5, peak 1
    /// (Wu et al. 2018, arXiv 1706.02609; LIAF-Net).
    #[default]
    Rectangle,
    /// `exp(-x² / 2a²) / (a √(2π))`: standard deviation a, peak `0.3989 / a`. Default a = 0.5
    /// (Wu et al. 2018).
    Gaussian,
    /// `(a/2) / (1 + (π a x / 2)²)`: half its peak `a / 2` at `|x| = 2 / (π a)`. Default a = 2, peak
    /// 1 (Fang et al. 2021, arXiv 2007.05785).
    Arctangent,
    /// `a σ(a x) (1 - σ(a x))`: half its peak `a / 4` at `|x| = 1.763 / a`. Default a = 4, peak 1.
    Sigmoid,
    /// `(1 - |x| / a) / a` for `|x| < a`, else 0: half its peak `1 / a` at `|x| = a / 2`. Default
    /// a = 1, peak 1 (Esser et al. 2016, arXiv 1603.08270; Bellec et al. 2018).
    Triangle,
    /// `1 / (1 + a |x|)²`: peak 1, half of it at `|x| = 0.414 / a`; area `2 / a`. Default a = 25
    /// (Zenke and Ganguli 2018, arXiv 1705.11146).
    FastSigmoid,
}

/// The curve that replaces the derivative of a spike with respect to `U - V_th`.
///
/// In a configuration by its name, `"arctangent"`, or with its parameter, `{ kind = "rectangle", a =
/// 0.25 }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Table")]
pub struct Surrogate {
    /// The shape of the curve.
    pub kind: SurrogateKind,
    /// Its half-width, standard deviation or steepness; see [`SurrogateKind`].
    pub a: f64,
}

impl Default for Surrogate {
    fn default() -> Self {
        Self::new(SurrogateKind::default())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    kind: SurrogateKind,
    #[serde(default)]
    a: Option<f64>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a surrogate: rectangle, gaussian, arctangent, sigmoid, triangle or \
                               fast_sigmoid, by name or as { kind = .., a = .. }"
)]
enum Written {
    Name(SurrogateKind),
    Table(Table),
}

impl From<Written> for Surrogate {
    fn from(written: Written) -> Self {
        match written {
            Written::Name(kind) | Written::Table(Table { kind, a: None }) => Self::new(kind),
            Written::Table(Table { kind, a: Some(a) }) => Self { kind, a },
        }
    }
}

impl From<Surrogate> for Table {
    fn from(surrogate: Surrogate) -> Self {
        Self { kind: surrogate.kind, a: Some(surrogate.a) }
    }
}

impl Surrogate {
    /// A curve with its default parameter.
    pub fn new(kind: SurrogateKind) -> Self {
        let a = match kind {
            SurrogateKind::Rectangle | SurrogateKind::Gaussian => 0.5,
            SurrogateKind::Arctangent => 2.0,
            SurrogateKind::Sigmoid => 4.0,
            SurrogateKind::Triangle => 1.0,
            SurrogateKind::FastSigmoid => 25.0,
        };
        Self { kind, a }
    }

    /// Returns an error if the width or steepness is invalid.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config).
    pub fn check(self) -> Result<()> {
        if self.a.is_finite() && self.a > 0.0 {
            return Ok(());
        }
        Err(Error::config("the width of a surrogate must be above 0")
            .expected("a above 0")
            .found(self.a))
    }

    /// The derivative `s(x)`.
    pub fn slope<R: Real>(self, x: R) -> R {
        let a = R::of(self.a);
        let square = |x: R| x * x;
        match self.kind {
            SurrogateKind::Rectangle if x.abs() < a => R::of(0.5 / self.a),
            SurrogateKind::Rectangle => R::ZERO,
            SurrogateKind::Gaussian => {
                let peak = 1.0 / (self.a * std::f64::consts::TAU.sqrt());
                R::of(peak) * (R::of(-0.5) * square(x / a)).exp()
            }
            SurrogateKind::Arctangent => {
                let half_pi = R::of(std::f64::consts::FRAC_PI_2);
                R::of(self.a / 2.0) / (R::ONE + square(half_pi * a * x))
            }
            SurrogateKind::Sigmoid => {
                let y = (a * x).sigmoid();
                a * y * (R::ONE - y)
            }
            SurrogateKind::Triangle => (R::ONE - x.abs() / a).relu() / a,
            SurrogateKind::FastSigmoid => R::ONE / square(R::ONE + a * x.abs()),
        }
    }

    /// A function whose derivative is [`slope`](Self::slope), with the value 1/2 at 0: the smooth spike
    /// of
    /// [`Mode::smooth_spikes`](crate::graph::Mode::smooth_spikes).
    pub fn integral<R: Real>(self, x: R) -> R {
        let (x, a) = (x.f64(), self.a);
        R::of(match self.kind {
            SurrogateKind::Rectangle => (x / (2.0 * a) + 0.5).clamp(0.0, 1.0),
            SurrogateKind::Gaussian => 0.5 + 0.5 * erf(x / (a * std::f64::consts::SQRT_2)),
            SurrogateKind::Arctangent => {
                let angle = (std::f64::consts::FRAC_PI_2 * a * x).atan();
                angle / std::f64::consts::PI + 0.5
            }
            SurrogateKind::Sigmoid => (a * x).sigmoid(),
            SurrogateKind::Triangle if x < 0.0 => 0.5 * (1.0 + x / a).max(0.0).powi(2),
            SurrogateKind::Triangle => 1.0 - 0.5 * (1.0 - x / a).max(0.0).powi(2),
            SurrogateKind::FastSigmoid => 0.5 + x / (1.0 + a * x.abs()),
        })
    }

    /// The spike F of a membrane whose potential is `x = U - V_th` above its threshold.
    #[inline]
    pub(super) fn spike<R: Real>(self, x: R, firing: Firing) -> R {
        match firing {
            Firing::Step if x >= R::ZERO => R::ONE,
            Firing::Step => R::ZERO,
            Firing::Integral => self.integral(x),
        }
    }
}

/// The error function, computed by the series `2/√π e^(-x²) Σ 2^n x^(2n+1) / (2n+1)!!`, whose terms all
/// have the same sign (Abramowitz and Stegun 7.1.6).
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while term.abs() > 1e-18 * sum.abs() {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [SurrogateKind; 6] = [
        SurrogateKind::Rectangle,
        SurrogateKind::Gaussian,
        SurrogateKind::Arctangent,
        SurrogateKind::Sigmoid,
        SurrogateKind::Triangle,
        SurrogateKind::FastSigmoid,
    ];

    #[test]
    fn slopes_are_differences_of_integrals() {
        for kind in ALL {
            for surrogate in [Surrogate::new(kind), Surrogate { kind, a: 0.7 }] {
                for i in -30..30 {
                    let (x, h) = (f64::from(i) * 0.1 + 0.033, 1e-6);
                    let by = surrogate.integral(x + h) - surrogate.integral(x - h);
                    let error = (by / (2.0 * h) - surrogate.slope(x)).abs();
                    assert!(error < 1e-8, "{surrogate:?} at {x}: {error:e}");
                }
            }
        }
    }

    #[test]
    fn peaks_and_widths_are_those_of_the_documentation() {
        let half = |kind, peak: f64, at: f64| {
            let surrogate = Surrogate::new(kind);
            assert!((surrogate.slope(0.0) - peak).abs() < 1e-4, "{surrogate:?}");
            let (left, right) = (surrogate.slope(-at), surrogate.slope(at));
            assert!((left - peak / 2.0).abs() < 1e-3, "{surrogate:?} {left}");
            assert!((left - right).abs() < 1e-15, "{surrogate:?}");
        };
        half(SurrogateKind::Gaussian, 0.3989 / 0.5, 0.5 * 1.1774);
        half(SurrogateKind::Arctangent, 1.0, 1.0 / std::f64::consts::PI);
        half(SurrogateKind::Sigmoid, 1.0, 1.763 / 4.0);
        half(SurrogateKind::Triangle, 1.0, 0.5);
        half(SurrogateKind::FastSigmoid, 1.0, 0.4142 / 25.0);
        let rectangle = Surrogate::default();
        assert_eq!([0.0, 0.499, 0.5, -0.5].map(|x: f64| rectangle.slope(x)), [1.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn names_and_tables_are_read() {
        let read = |text: &str| serde_json::from_str::<Surrogate>(text);
        let arctangent = read("\"arctangent\"").ok();
        assert_eq!(arctangent, Some(Surrogate { kind: SurrogateKind::Arctangent, a: 2.0 }));
        let narrow = Surrogate { kind: SurrogateKind::Rectangle, a: 0.25 };
        assert_eq!(read(r#"{"kind":"rectangle","a":0.25}"#).ok(), Some(narrow));
        let text = serde_json::to_string(&narrow).unwrap();
        assert_eq!(read(&text).ok(), Some(narrow));
        assert!(read("\"step\"").unwrap_err().to_string().contains("rectangle"));
        assert!(Surrogate { a: 0.0, ..narrow }.check().is_err());
        assert!(Surrogate { a: f64::NAN, ..narrow }.check().is_err());
    }
}
