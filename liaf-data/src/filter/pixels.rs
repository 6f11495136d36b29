//! Lists of pixels, as files, and the search for hot pixels.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

use crate::error::{Error, Result};
use crate::model::{EventBatch, SensorSize};

/// Largest size of a file of pixels, in bytes.
const MOST_BYTES: u64 = 64 << 20;

/// A set of pixels, each a column and a row.
///
/// As a file it is text: one `x,y` in a line. Empty lines, lines that begin with `#`, and a first line of
/// names are passed over.
///
/// ```
/// use liaf_data::filter::Pixels;
/// let pixels: Pixels = [(3, 1), (0, 2)].into_iter().collect();
/// assert_eq!(pixels.to_text(), "x,y\n0,2\n3,1\n");
/// assert_eq!(Pixels::parse(&pixels.to_text())?, pixels);
/// # Ok::<(), liaf_data::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pixels(BTreeSet<(u16, u16)>);

impl Pixels {
    /// Number of pixels.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The pixels as column and row, in order of columns.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u16)> + '_ {
        self.0.iter().copied()
    }

    /// Reads a file of pixels.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) with the line that is no pixel; if the file
    /// cannot be read, or is larger than 64 MiB.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let mut text = String::new();
        let failed =
            |cause| Error::system("the file of pixels cannot be read", cause).in_file(path);
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
        if text.len() as u64 > MOST_BYTES {
            let error = Error::limit("the file of pixels is too large").in_file(path);
            return Err(error.expected(format!("at most {MOST_BYTES} bytes")));
        }
        Self::parse(&text).map_err(|error| error.in_file(path))
    }

    /// Parses the text of such a file.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) with the line that is no pixel.
    pub fn parse(text: &str) -> Result<Self> {
        let mut pixels = Self::default();
        let lines = text.lines().map(str::trim).enumerate();
        let mut lines =
            lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).peekable();
        lines.next_if(|(_, line)| line.starts_with(|c: char| c.is_ascii_alphabetic()));
        for (i, line) in lines {
            let pixel = line
                .split_once(',')
                .and_then(|(x, y)| Some((x.trim().parse().ok()?, y.trim().parse().ok()?)));
            let Some(pixel) = pixel else {
                let what = format!("line {} is no pixel", i + 1);
                return Err(Error::malformed(what).expected("x,y").found(format!("{line:?}")));
            };
            pixels.0.insert(pixel);
        }
        Ok(pixels)
    }

    /// The text of such a file.
    pub fn to_text(&self) -> String {
        let mut text = String::from("x,y\n");
        for (x, y) in self.iter() {
            let _ = writeln!(text, "{x},{y}");
        }
        text
    }
}

impl FromIterator<(u16, u16)> for Pixels {
    fn from_iter<I: IntoIterator<Item = (u16, u16)>>(pixels: I) -> Self {
        Self(pixels.into_iter().collect())
    }
}

/// Finds hot pixels: those that have far more events than their neighbours, because they are noisy.
///
/// A pixel is hot if it has at least `fewest` events, and more than `factor` times as many as the median of
/// its up to 8 neighbours and 1. Edges of a scene do not pass that test, as their neighbours are active too.
///
/// ```
/// use liaf_data::filter::HotPixels;
/// use liaf_data::{Event, EventBatch, SensorSize};
/// let mut finder = HotPixels::new(SensorSize::new(8, 8));
/// finder.push(&(0..500).map(|t| Event { t, x: 3, y: 5, p: 1 }).collect());
/// finder.push(&(0..64).map(|t| Event { t, x: t as u16 % 8, y: t as u16 / 8, p: 1 }).collect());
/// assert_eq!(finder.find(10.0, 100).iter().collect::<Vec<_>>(), [(3, 5)]);
/// ```
#[derive(Debug)]
pub struct HotPixels {
    sensor: SensorSize,
    counts: Vec<u64>,
}

impl HotPixels {
    /// No events yet, of a sensor of this size.
    pub fn new(sensor: SensorSize) -> Self {
        Self { sensor, counts: vec![0; sensor.pixels()] }
    }

    /// Counts the next events. Those outside the sensor are passed over.
    pub fn push(&mut self, events: &EventBatch) {
        let width = usize::from(self.sensor.width);
        for (&x, &y) in events.x.iter().zip(&events.y) {
            if usize::from(x) < width
                && let Some(count) = self.counts.get_mut(usize::from(y) * width + usize::from(x))
            {
                *count += 1;
            }
        }
    }

    /// The pixels that are hot.
    pub fn find(&self, factor: f64, fewest: u64) -> Pixels {
        let (width, height) = (i32::from(self.sensor.width), i32::from(self.sensor.height));
        let count = |x: i32, y: i32| {
            let inside = (0..width).contains(&x) && (0..height).contains(&y);
            inside.then(|| self.counts[(y * width + x) as usize])
        };
        let mut hot = Pixels::default();
        for y in 0..height {
            for x in 0..width {
                let own = count(x, y).unwrap_or(0);
                if own < fewest {
                    continue;
                }
                let around = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dx, dy)));
                let around = around.filter(|&offset| offset != (0, 0));
                let mut counts: Vec<u64> =
                    around.filter_map(|(dx, dy)| count(x + dx, y + dy)).collect();
                counts.sort_unstable();
                let median = counts.get(counts.len() / 2).copied().unwrap_or(0);
                if own as f64 > factor * (median + 1) as f64 {
                    hot.0.insert((x as u16, y as u16));
                }
            }
        }
        hot
    }
}
