//! Line charts as SVG.

use std::fmt::Write;

use super::escaped;

/// A line of a chart.
pub(super) struct Line<'a> {
    pub name: &'a str,
    /// Points from left to right. Those that are not finite are left out.
    pub points: Vec<(f64, f64)>,
    /// Index of its colour.
    pub colour: usize,
    pub dashed: bool,
}

/// Colours that are told apart by most colour-blind readers (Okabe and Ito 2008).
pub(super) const COLOURS: [&str; 5] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"];

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 40.0;

/// A chart of lines over a common axis. `marked` is a point to be marked by a ring.
pub(super) fn chart(
    title: &str,
    x_title: &str,
    lines: &[Line<'_>],
    y_range: Option<(f64, f64)>,
    marked: Option<(f64, f64)>,
) -> String {
    let finite = |&&(x, y): &&(f64, f64)| x.is_finite() && y.is_finite();
    let all = || lines.iter().flat_map(|line| line.points.iter()).filter(finite);
    let (x_low, x_high) = range(all().map(|point| point.0)).unwrap_or((0.0, 1.0));
    let (y_low, y_high) =
        y_range.or_else(|| range(all().map(|point| point.1))).unwrap_or((0.0, 1.0));
    let (y_low, y_high) = (y_low.min(0.0), y_high);
    let x = |value: f64| LEFT + (value - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| TOP + (y_high - value) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!(
        "<figure><figcaption>{}</figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n",
        escaped(title),
        escaped(title)
    );
    for tick in ticks(y_low, y_high) {
        let (at, end) = (y(tick), WIDTH - RIGHT);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{end}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text class=\"y\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            LEFT - 6.0,
            at + 4.0,
            number(tick)
        );
    }
    for tick in ticks(x_low, x_high).into_iter().filter(|tick| tick.fract() == 0.0) {
        let _ = writeln!(
            svg,
            "<text class=\"x\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            x(tick),
            HEIGHT - BOTTOM + 16.0,
            number(tick)
        );
    }
    let _ = writeln!(
        svg,
        "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{end}\" y1=\"{base:.1}\" y2=\"{base:.1}\"/>\
         <text class=\"x\" x=\"{middle}\" y=\"{below}\">{title}</text>",
        end = WIDTH - RIGHT,
        base = y(y_low),
        middle = (LEFT + WIDTH - RIGHT) / 2.0,
        below = HEIGHT - 6.0,
        title = escaped(x_title)
    );
    for line in lines {
        let points: Vec<String> = line
            .points
            .iter()
            .filter(finite)
            .map(|&(a, b)| format!("{:.1},{:.1}", x(a), y(b.clamp(y_low, y_high))))
            .collect();
        let colour = COLOURS[line.colour % COLOURS.len()];
        let dash = if line.dashed { " stroke-dasharray=\"5 4\"" } else { "" };
        let _ = match points.as_slice() {
            [] => Ok(()),
            [point] => {
                let (cx, cy) = point.split_once(',').unwrap_or_default();
                writeln!(svg, "<circle cx=\"{cx}\" cy=\"{cy}\" r=\"3\" fill=\"{colour}\"/>")
            }
            points => writeln!(
                svg,
                "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash} points=\"{}\"/>",
                points.join(" ")
            ),
        };
    }
    if let Some((a, b)) = marked {
        let (cx, cy) = (x(a), y(b));
        let _ = writeln!(svg, "<circle class=\"mark\" cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"5\"/>");
    }
    svg.push_str("</svg><p class=\"legend\">");
    for line in lines {
        let colour = COLOURS[line.colour % COLOURS.len()];
        let style = if line.dashed { "dashed" } else { "solid" };
        let _ = write!(
            svg,
            "<span><i style=\"border-top:2px {style} {colour}\"></i>{}</span> ",
            escaped(line.name)
        );
    }
    svg.push_str("</p></figure>\n");
    svg
}

/// The smallest and the largest value, which are not the same.
fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let mut ends: Option<(f64, f64)> = None;
    for value in values {
        let (low, high) = ends.unwrap_or((value, value));
        ends = Some((low.min(value), high.max(value)));
    }
    let (low, high) = ends?;
    Some(if low == high { (low - 0.5, high + 0.5) } else { (low, high) })
}

/// Four to ten round numbers of an interval.
fn ticks(low: f64, high: f64) -> Vec<f64> {
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

/// A number with as many digits as a tick needs.
fn number(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_cover_the_interval() {
        assert_eq!(ticks(0.0, 1.0), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(ticks(1.0, 30.0), [10.0, 20.0, 30.0]);
        assert!(ticks(2.0, 2.0).is_empty() && ticks(0.0, f64::INFINITY).is_empty());
        assert_eq!((number(0.6000000000000001), number(20.0)), ("0.6".into(), "20".into()));
    }

    #[test]
    fn numbers_that_are_not_finite_are_left_out() {
        let points = vec![(1.0, f64::NAN), (2.0, 0.5), (3.0, f64::INFINITY), (4.0, 0.25)];
        let line = Line { name: "<a>", points, colour: 7, dashed: true };
        let svg = chart("t & u", "epoch", &[line], None, Some((2.0, 0.5)));
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert!(svg.contains("&lt;a&gt;") && svg.contains("t &amp; u"));
        assert_eq!(svg.matches("<polyline").count(), 1);
        // No points at all, and one.
        chart("", "", &[], None, None);
        let one = Line { name: "a", points: vec![(1.0, 0.0)], colour: 0, dashed: false };
        assert!(chart("", "", &[one], None, None).contains("<circle"));
    }
}
