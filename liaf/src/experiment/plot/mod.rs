//! Charts as SVG. A picture is a part of a page, or a file of its own. Its text is drawn by the fonts of whoever
//! looks at it.

mod axis;

use std::fmt::Write;

pub(super) use axis::{Axis, number};

use super::html::escaped;

/// Colours that are told apart by most colour-blind readers (Okabe and Ito 2008).
pub(super) const COLOURS: [&str; 7] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#1b1f24"];

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 280.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 40.0;

/// A point of a series, with the height of half its error bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub x: f64,
    pub y: f64,
    pub spread: f64,
}

impl From<(f64, f64)> for Point {
    fn from((x, y): (f64, f64)) -> Self {
        Self { x, y, spread: 0.0 }
    }
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Mark {
    Line,
    Dashes,
    Dots,
    /// Bars of this width, to the right of their points.
    Bars(f64),
}

/// Points that belong together. Those that are not finite are left out.
#[derive(Debug, Clone)]
pub(super) struct Series {
    /// What the legend says; nothing is said without a name.
    pub name: String,
    /// Index of its colour.
    pub colour: usize,
    pub mark: Mark,
    /// Points from left to right.
    pub points: Vec<Point>,
}

/// Series over common axes.
#[derive(Debug, Clone, Default)]
pub(super) struct Chart<'a> {
    pub title: String,
    pub x: Axis<'a>,
    pub y: Axis<'a>,
    pub series: Vec<Series>,
    /// A point to be marked by a ring.
    pub ring: Option<(f64, f64)>,
    /// A value of x to be marked by a vertical line.
    pub line: Option<f64>,
}

/// A picture as a file of its own, which says what language it is in.
pub(super) fn file(picture: &str) -> String {
    picture.replacen("<svg ", "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 1)
}

/// Charts in rows of at most `columns`, with the legend of the first one below them all.
pub(super) fn picture(charts: &[Chart<'_>], columns: usize) -> String {
    let columns = charts.len().clamp(1, columns.max(1));
    let rows = charts.len().div_ceil(columns);
    let width = WIDTH * columns as f64;
    let top = HEIGHT * rows as f64;
    let (legend, below) = legend(charts.first(), width, top);
    let titles: Vec<&str> = charts.iter().map(|chart| chart.title.as_str()).collect();
    let mut svg = format!(
        "<svg viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         role=\"img\" aria-label=\"{}\" font-family=\"system-ui, sans-serif\" font-size=\"11\" \
         fill=\"#57606a\">\n",
        escaped(&titles.join("; ")),
        height = top + below
    );
    for (number, chart) in charts.iter().enumerate() {
        let (x, y) = ((number % columns) as f64 * WIDTH, (number / columns) as f64 * HEIGHT);
        let _ = writeln!(svg, "<g transform=\"translate({x},{y})\">\n{}</g>", chart.drawn());
    }
    svg + &legend + "</svg>\n"
}

impl Chart<'_> {
    /// The elements of the chart, in a frame of `WIDTH` and `HEIGHT`.
    fn drawn(&self) -> String {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let right = |series: &Series| match series.mark {
            Mark::Bars(width) => series.points.last().map_or(f64::NAN, |point| point.x + width),
            _ => f64::NAN,
        };
        let rights = self.series.iter().map(right);
        let xs = self.x.fit(points().map(|point| point.x).chain(rights));
        let ys = self.y.fit(points().flat_map(|p| [p.y - p.spread, p.y + p.spread]));
        let x = |value: f64| LEFT + xs.share(value) * (WIDTH - LEFT - RIGHT);
        let y = |value: f64| HEIGHT - BOTTOM - ys.share(value) * (HEIGHT - TOP - BOTTOM);
        let (end, base) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let mut svg = format!(
            "<text x=\"{LEFT}\" y=\"18\" font-size=\"13\" font-weight=\"600\" fill=\"#1b1f24\">{}</text>\n",
            escaped(&self.title)
        );
        for tick in ys.ticks() {
            let _ = writeln!(
                svg,
                "<path d=\"M{LEFT} {at:.1}H{end}\" stroke=\"#e7ebef\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                y(tick) + 4.0,
                number(tick),
                at = y(tick)
            );
        }
        for tick in xs.ticks() {
            let _ = writeln!(
                svg,
                "<path d=\"M{at:.1} {base}v4\" stroke=\"#8c959f\"/>\
                 <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                base + 16.0,
                number(tick),
                at = x(tick)
            );
        }
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {base}H{end}\" stroke=\"#8c959f\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            (LEFT + end) / 2.0,
            HEIGHT - 6.0,
            escaped(self.x.title)
        );
        for series in &self.series {
            let shown = |point: &&Point| xs.has(point.x) && ys.has(point.y);
            let points: Vec<Point> = series.points.iter().filter(shown).copied().collect();
            svg += &series.drawn(&points, &x, &y);
        }
        if let Some(at) = self.line.map(&x) {
            let stroke = "stroke=\"#d55e00\" stroke-width=\"1.5\" stroke-dasharray=\"4 3\"";
            let _ = writeln!(svg, "<path d=\"M{at:.1} {TOP}V{base}\" {stroke}/>");
        }
        if let Some((cx, cy)) = self.ring.map(|(a, b)| (x(a), y(b))) {
            let _ = writeln!(
                svg,
                "<circle cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"5\" fill=\"none\" stroke=\"#1b1f24\" \
                 stroke-width=\"1.5\"/>"
            );
        }
        svg
    }
}

impl Series {
    fn colour(&self) -> &'static str {
        COLOURS[self.colour % COLOURS.len()]
    }

    /// These points, at the places that `x` and `y` say.
    fn drawn(&self, points: &[Point], x: &dyn Fn(f64) -> f64, y: &dyn Fn(f64) -> f64) -> String {
        let colour = self.colour();
        let mut svg = String::new();
        let dash = if self.mark == Mark::Dashes { " stroke-dasharray=\"5 4\"" } else { "" };
        match (self.mark, points) {
            (Mark::Line | Mark::Dashes, [_, _, ..]) => {
                let places = points.iter().map(|p| format!("{:.1},{:.1}", x(p.x), y(p.y)));
                let places: Vec<_> = places.collect();
                let _ = writeln!(
                    svg,
                    "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash} points=\"{}\"/>",
                    places.join(" ")
                );
            }
            (Mark::Bars(width), _) => {
                for p in points {
                    let (left, top) = (x(p.x), y(p.y));
                    let _ = writeln!(
                        svg,
                        "<rect x=\"{left:.2}\" y=\"{top:.2}\" width=\"{:.2}\" height=\"{:.2}\" fill=\"{colour}\"/>",
                        x(p.x + width) - left,
                        HEIGHT - BOTTOM - top
                    );
                }
            }
            _ => points.iter().for_each(|p| svg += &self.dot(x(p.x), y(p.y), p, y)),
        }
        svg
    }

    /// A point with its error bar. Colours that occur again have another shape.
    fn dot(&self, cx: f64, cy: f64, point: &Point, y: &dyn Fn(f64) -> f64) -> String {
        let colour = self.colour();
        let shape = match self.colour / COLOURS.len() % 3 {
            0 => format!("<circle cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"5\""),
            1 => format!(
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"9\" height=\"9\"",
                cx - 4.5,
                cy - 4.5
            ),
            _ => format!("<path d=\"M{cx:.1} {:.1}l6 10h-12z\"", cy - 6.0),
        };
        let bar = match point.spread > 0.0 {
            true => format!(
                "<path d=\"M{cx:.1} {:.1}V{:.1}\" stroke=\"{colour}\" stroke-width=\"1.5\"/>",
                y(point.y - point.spread),
                y(point.y + point.spread)
            ),
            false => String::new(),
        };
        format!("{bar}{shape} fill=\"{colour}\" fill-opacity=\"0.85\"/>\n")
    }
}

/// The legend of a chart below `top`, in a picture of this width, and its height.
fn legend(chart: Option<&Chart<'_>>, width: f64, top: f64) -> (String, f64) {
    const ROW: f64 = 18.0;
    let (mut svg, mut x, mut row) = (String::new(), LEFT, 0.0);
    let series = chart.into_iter().flat_map(|chart| &chart.series);
    for series in series.filter(|series| !series.name.is_empty()) {
        // Fonts are not known here; this is more than a text needs in most.
        let needs = 44.0 + 6.6 * series.name.chars().count() as f64;
        if x > LEFT && x + needs > width - RIGHT {
            (x, row) = (LEFT, row + 1.0);
        }
        let y = top + 12.0 + ROW * row;
        let place = Point::from((x + 12.0, y));
        let sample = match series.mark {
            Mark::Dots => series.dot(place.x, y, &place, &|_| y),
            Mark::Bars(_) => String::new(),
            _ => series.drawn(&[(x, y).into(), (x + 24.0, y).into()], &|x| x, &|y| y),
        };
        let name = escaped(&series.name);
        let _ =
            writeln!(svg, "{sample}<text x=\"{:.1}\" y=\"{:.1}\">{name}</text>", x + 30.0, y + 4.0);
        x += needs;
    }
    let height = if svg.is_empty() { 0.0 } else { ROW * (row + 1.0) + 6.0 };
    (svg, height)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(mark: Mark, points: &[(f64, f64)]) -> Series {
        let points = points.iter().map(|&point| point.into()).collect();
        Series { name: "<a>".into(), colour: 8, mark, points }
    }

    fn chart(series: Vec<Series>) -> Chart<'static> {
        Chart { title: "t & u".into(), series, ring: Some((2.0, 0.5)), ..Chart::default() }
    }

    #[test]
    fn numbers_that_are_not_finite_are_left_out_and_texts_are_escaped() {
        let points = [(1.0, f64::NAN), (2.0, 0.5), (3.0, f64::INFINITY), (4.0, 0.25)];
        for mark in [Mark::Line, Mark::Dashes, Mark::Dots, Mark::Bars(1.0)] {
            let svg = picture(&[chart(vec![series(mark, &points)])], 1);
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            assert!(svg.contains("&lt;a&gt;") && svg.contains("t &amp; u"));
            assert!(!svg.contains("<a>"));
        }
    }

    #[test]
    fn lines_need_two_points() {
        let two = picture(&[chart(vec![series(Mark::Line, &[(1.0, 0.0), (2.0, 1.0)])])], 1);
        // That of the legend as well.
        assert_eq!(two.matches("<polyline").count(), 2);
        let one = picture(&[chart(vec![series(Mark::Line, &[(1.0, 0.0)])])], 1);
        assert_eq!(one.matches("<polyline").count(), 1);
        assert!(one.contains("<rect"), "a point instead");
        picture(&[], 1);
        picture(&[Chart::default()], 0);
    }

    #[test]
    fn charts_are_in_rows_and_share_a_legend() {
        let all: Vec<_> = (0..5).map(|_| chart(vec![series(Mark::Dots, &[(1.0, 1.0)])])).collect();
        let svg = picture(&all, 3);
        assert!(svg.contains("viewBox=\"0 0 1380 584\""), "{}", &svg[..200]);
        assert!(svg.contains("translate(460,280)"), "{svg}");
        assert_eq!(svg.matches("&lt;a&gt;").count(), 1);
        assert!(!svg.contains("http") && file(&svg).contains("xmlns"));
    }
}
