//! What a kind of event file can store.

use std::ops::RangeInclusive;

use crate::hint::Hint;
use crate::model::EventStats;

/// What a kind of event file can store such that a reader gets it back unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// The earliest time that can be stored, in µs.
    pub t_min: i64,
    /// The latest time that can be stored, in µs.
    pub t_max: i64,
    /// With [`wrap`](super::WriteOptions::wrap), times out of range are stored modulo this number
    /// of µs. `None` if the format has no such way of storing them.
    pub wraps: Option<u64>,
    /// How much earlier than the previous event an event may be, in µs. 0 means that time must not
    /// step back.
    pub step_back: u64,
    /// How much earlier than the latest of all previous events an event may be, in µs.
    pub lateness: u64,
    /// The largest x that can be stored.
    pub x_max: u16,
    /// The largest y that can be stored.
    pub y_max: u16,
    /// Whether a file may have no events. Without a header, such a file would be empty and could
    /// not be recognised.
    pub no_events: bool,
}

impl Capabilities {
    /// Any events in any order. The targets of the formats start from this value and list what
    /// differs.
    pub const ANYTHING: Self = Self {
        t_min: i64::MIN,
        t_max: i64::MAX,
        wraps: None,
        step_back: u64::MAX,
        lateness: u64::MAX,
        x_max: u16::MAX,
        y_max: u16::MAX,
        no_events: true,
    };

    /// Whether times of any value and in any order can be stored, so that the events need not be
    /// examined before they are written.
    pub fn any_times(&self) -> bool {
        let order = [self.step_back, self.lateness];
        (self.t_min, self.t_max, order) == (i64::MIN, i64::MAX, [u64::MAX; 2])
    }

    /// The range of times that can be stored.
    pub fn times(&self) -> RangeInclusive<i64> {
        self.t_min..=self.t_max
    }

    /// Describes what would be lost if these events were written: one item for each reason, with
    /// advice for the user. With `wrap`, times may be out of range.
    pub fn violations(&self, stats: &EventStats, wrap: bool) -> Vec<Violation> {
        let mut violations = Vec::new();
        if stats.events == 0 {
            if !self.no_events {
                violations.push(Violation {
                    holds: "at least one event, because it has no header".into(),
                    found: "none".into(),
                    hints: vec![Hint::Text(
                        "choose another kind of file, which can be without events".into(),
                    )],
                });
            }
            return violations;
        }
        let times = self.times();
        let outside = !times.contains(&stats.t_min) || !times.contains(&stats.t_max);
        if outside && !(wrap && self.wraps.is_some()) {
            let fits_from_zero = stats.t_max.abs_diff(stats.t_min) <= self.t_max.unsigned_abs();
            let mut hints = Vec::new();
            if fits_from_zero && times.contains(&0) {
                hints.push(Hint::ZeroTime);
            }
            hints.extend(self.wraps.map(|modulus| Hint::WrapTimes { modulus }));
            if hints.is_empty() {
                hints.push(Hint::ShorterStretch);
            }
            violations.push(Violation {
                holds: format!("times {} to {} µs", self.t_min, self.t_max),
                found: format!("times {} to {} µs", stats.t_min, stats.t_max),
                hints,
            });
        }
        if stats.longest_step_back > self.step_back {
            violations.push(Violation {
                holds: match self.step_back {
                    0 => "only times that do not step back".into(),
                    us => format!("steps back of up to {us} µs"),
                },
                found: format!(
                    "{} steps back, the longest of {} µs",
                    stats.steps_back, stats.longest_step_back
                ),
                hints: vec![Hint::Sort, Hint::ClampTimes],
            });
        } else if stats.lateness > self.lateness {
            violations.push(Violation {
                holds: format!("events up to {} µs earlier than the latest one", self.lateness),
                found: format!("an event {} µs earlier than it", stats.lateness),
                hints: vec![Hint::Sort, Hint::ClampTimes],
            });
        }
        if stats.x_max > self.x_max || stats.y_max > self.y_max {
            violations.push(Violation {
                holds: format!("x up to {} and y up to {}", self.x_max, self.y_max),
                found: format!("x up to {} and y up to {}", stats.x_max, stats.y_max),
                hints: vec![Hint::Crop],
            });
        }
        violations
    }
}

/// A property of a recording that a kind of event file cannot store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// What the kind of file can store.
    pub holds: String,
    /// What the recording has.
    pub found: String,
    /// What the user can do: any of these.
    pub hints: Vec<Hint>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NARROW: Capabilities = Capabilities {
        t_min: 0,
        t_max: 999,
        wraps: Some(1000),
        step_back: 10,
        lateness: 15,
        x_max: 127,
        y_max: 63,
        no_events: false,
    };

    fn stats() -> EventStats {
        EventStats {
            events: 3,
            t_max: 999,
            longest_step_back: 10,
            lateness: 15,
            x_max: 127,
            y_max: 63,
            ..EventStats::default()
        }
    }

    #[test]
    fn what_fits_is_no_loss_and_each_excess_is_one() {
        assert_eq!(NARROW.violations(&stats(), false), []);
        for (more, part) in [
            (EventStats { t_max: 1000, ..stats() }, "times 0 to 1000"),
            (EventStats { t_min: -1, ..stats() }, "times -1 to 999"),
            (EventStats { longest_step_back: 11, ..stats() }, "the longest of 11"),
            (EventStats { lateness: 16, ..stats() }, "16 µs earlier"),
            (EventStats { x_max: 128, ..stats() }, "x up to 128"),
            (EventStats { y_max: 64, ..stats() }, "y up to 64"),
        ] {
            let violations = NARROW.violations(&more, false);
            assert!(violations.len() == 1 && violations[0].found.contains(part), "{violations:?}");
            assert_eq!(Capabilities::ANYTHING.violations(&more, false), []);
        }
        let late = EventStats { t_min: 5000, t_max: 5999, ..stats() };
        let hints = vec![Hint::ZeroTime, Hint::WrapTimes { modulus: 1000 }];
        assert_eq!(NARROW.violations(&late, false)[0].hints, hints);
        assert_eq!(NARROW.violations(&late, true), []);
        let none = EventStats { events: 0, ..late };
        assert_eq!(NARROW.violations(&none, false).len(), 1);
        assert_eq!(Capabilities { no_events: true, ..NARROW }.violations(&none, false), []);
    }
}
