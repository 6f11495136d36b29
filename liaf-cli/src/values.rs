//! Values of options that may begin with a minus sign, which clap would take for another option. None
//! of them can be negative, and each error says why.

use liaf::data::frames::{Crop, TimePoint, parse_duration};

/// A time, as in `1.5s` after the first event or `@1589163147368868` on the recording's clock.
pub fn time_point(text: &str) -> Result<TimePoint, String> {
    if text.starts_with('-') {
        return Err("times count from the first event, and nothing is before it; a time of the \
                    recording's own clock is written @µs"
            .into());
    }
    let clock = match text.parse::<i64>() {
        Ok(us) => format!("; a time of the recording's own clock is written @{us}"),
        Err(_) => String::new(),
    };
    text.parse().map_err(|error| said(error) + &clock)
}

/// A length of time, as in `10ms`, in µs.
pub fn duration(text: &str) -> Result<i64, String> {
    if text.starts_with('-') {
        return Err("a length of time is not negative".into());
    }
    parse_duration(text).map_err(said)
}

/// A rectangle of the sensor, as in `10,20,128,128`.
pub fn crop(text: &str) -> Result<Crop, String> {
    if text.split(',').any(|number| number.trim().starts_with('-')) {
        return Err("a rectangle lies on the sensor, whose pixels count from 0: X,Y,W,H, as in \
                    10,20,128,128"
            .into());
    }
    text.parse().map_err(said)
}

fn said(error: liaf::data::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_values_are_refused_with_a_reason() {
        assert!(time_point("-1s").unwrap_err().contains("from the first event"));
        assert!(duration("-10ms").unwrap_err().contains("not negative"));
        assert!(crop("5,-1,8,8").unwrap_err().contains("from 0"));
        assert!(crop("-5,1,8,8").unwrap_err().contains("from 0"));
    }

    #[test]
    fn other_values_are_the_library_s() {
        assert_eq!(time_point("1.5s"), Ok(TimePoint::Relative(1_500_000)));
        assert!(time_point("1589163147368868").unwrap_err().contains("written @1589163147368868"));
        assert_eq!(time_point("@-7"), Ok(TimePoint::Absolute(-7)));
        assert_eq!(duration("10ms"), Ok(10_000));
        assert_eq!(crop("1,2,3,4"), Ok(Crop { x: 1, y: 2, w: 3, h: 4 }));
        for text in ["", "soon", "1s2"] {
            assert!(time_point(text).unwrap_err().contains("a whole number of µs"), "{text}");
        }
    }
}
