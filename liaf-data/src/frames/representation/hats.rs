//! HATS: for each tile of pixels, the average of the time surfaces around its events.

use super::stretch::{duration, whole};
use super::{
    Accumulator, Canvas, CellOptions, Closed, Layout, Placed, PolarityChannels, Representation,
    Tiles,
};
use crate::error::{Error, Result};
use crate::frames::{CellValues, Cells, Dtype, Frame, Window};

/// Histograms of averaged time surfaces (Sironi et al., CVPR 2018, arXiv 1803.07913), as in tonic's
/// `ToAveragedTimesurface`. The pixels are divided into square tiles. An event i adds to the histogram of
/// its tile and polarity, at each offset (Δy, Δx) within ρ pixels,
///
/// > Σ f(t_i − t_j), over the events j before it at that offset, of the same tile and polarity, that are
/// > at most `memory` older; and 1 in the middle, for itself
///
/// where f(Δ) = exp(−Δ / τ), or 1 − Δ / (3 τ) if `decay` is `lin`. Histograms are divided by the number
/// of events of their tile and polarity.
///
/// The frame has the histograms side by side as the tiles are: of tile (r, c), the value at
/// (Δy, Δx) is at row `r · surface + Δy + ρ` and column `c · surface + Δx + ρ`, with `surface` = 2ρ + 1.
/// Its shape is `[2, ⌈H / tile⌉ · surface, ⌈W / tile⌉ · surface]`.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `tile` | 10 | side of a tile in pixels |
/// | `surface` | 7 | side of a histogram, odd, at most `tile` |
/// | `memory` | 100ms | how much older than an event those before it may be |
/// | `tau` | 50ms | τ: time constant |
/// | `decay` | `exp` | `exp` or `lin` |
pub static HATS: Representation = Representation {
    name: "hats",
    about: "a histogram for each tile of pixels: the average of the time surfaces around its events",
    usual_dtype: Dtype::F32,
    parameters: &["tile", "surface", "memory", "tau", "decay"],
    layout: |options| {
        let Choice { tile, surface, .. } = Choice::of(options)?;
        let layout = Layout {
            channels: Layout::of_polarity(options.polarity).channels,
            needs_times: true,
            needs_window: true,
            tiles: Some(Tiles { pixels: tile, cells: surface }),
            state_bytes: 0,
            ..Layout::signed()
        };
        layout.with_dtypes("hats", options, &[Dtype::F32])
    },
    start: |options, canvas| {
        let usual = Choice { tile: 1, surface: 1, memory: 1, tau: 1.0, linear: false };
        Box::new(Hats::new(Choice::of(options).unwrap_or(usual), options, canvas))
    },
};

#[derive(Debug)]
struct Choice {
    tile: usize,
    surface: usize,
    memory: i64,
    tau: f64,
    linear: bool,
}

impl Choice {
    fn of(options: &CellOptions) -> Result<Self> {
        let parameters = &options.parameters;
        let tile = whole(parameters, "tile", 10, 1..=1024)?;
        let surface = whole(parameters, "surface", 7.min(tile - (tile + 1) % 2), 1..=tile)?;
        if surface % 2 == 0 {
            let error = Error::caller("the parameter surface must be odd");
            return Err(error.expected("1, 3, 5, …").found(surface));
        }
        let linear = match parameters.get("decay") {
            None | Some("exp") => false,
            Some("lin") => true,
            Some(other) => {
                let error = Error::caller("the parameter decay is not valid");
                return Err(error.expected("exp or lin").found(other));
            }
        };
        Ok(Self {
            tile,
            surface,
            memory: duration(parameters, "memory", 100_000)?,
            tau: duration(parameters, "tau", 50_000)? as f64,
            linear,
        })
    }

    fn weight(&self, age: f64) -> f64 {
        if self.linear { 1.0 - age / (3.0 * self.tau) } else { (-age / self.tau).exp() }
    }
}

/// An event within its tile.
#[derive(Debug, Clone, Copy)]
struct Event {
    t: i64,
    x: i32,
    y: i32,
}

#[derive(Debug)]
struct Hats {
    choice: Choice,
    splits: bool,
    width: usize,
    /// Number of tiles in a row, and of all tiles.
    columns: usize,
    tiles: usize,
    /// For each polarity and tile, where its events begin in `events`, and at the end their number.
    starts: Vec<u32>,
    events: Vec<Event>,
    histogram: Vec<f64>,
    frame: Frame,
}

impl Hats {
    fn new(choice: Choice, options: &CellOptions, canvas: Canvas) -> Self {
        let columns = canvas.width.div_ceil(choice.tile);
        Self {
            splits: options.polarity == PolarityChannels::Split,
            width: canvas.width,
            columns,
            tiles: columns * canvas.height.div_ceil(choice.tile),
            starts: Vec::new(),
            events: Vec::new(),
            histogram: vec![0.0; choice.surface * choice.surface],
            frame: Frame::zeros(canvas.shape, Dtype::F32),
            choice,
        }
    }

    /// The tile of an event, counted on over both polarities, and the event.
    fn tile(&self, t: i64, index: u32) -> (usize, Event) {
        let (pixel, p) = ((index >> 1) as usize, (index & 1) as usize);
        let (x, y) = (pixel % self.width, pixel / self.width);
        let tile = y / self.choice.tile * self.columns + x / self.choice.tile;
        let plane = if self.splits { p * self.tiles } else { 0 };
        (plane + tile, Event { t, x: x as i32, y: y as i32 })
    }

    /// Sorts the events by tile, in order within each.
    fn group(&mut self, events: Placed<'_>) {
        let groups = self.tiles * if self.splits { 2 } else { 1 };
        self.starts.clear();
        self.starts.resize(groups + 1, 0);
        let all = || events.t.iter().zip(events.index);
        for (&t, &index) in all() {
            let (tile, _) = self.tile(t, index);
            self.starts[tile + 1] += 1;
        }
        for i in 0..groups {
            self.starts[i + 1] += self.starts[i];
        }
        let nothing = Event { t: 0, x: 0, y: 0 };
        self.events.clear();
        self.events.resize(events.t.len(), nothing);
        for (&t, &index) in all() {
            let (tile, event) = self.tile(t, index);
            self.events[self.starts[tile] as usize] = event;
            self.starts[tile] += 1;
        }
        // Each start has moved to the start of the next group.
        self.starts.rotate_right(1);
        self.starts[0] = 0;
    }

    /// Adds up the time surfaces of the events of one tile.
    fn sum(&mut self, events: std::ops::Range<usize>) {
        let Self { choice, histogram, events: all, .. } = self;
        let events = &all[events];
        let (side, reach) = (choice.surface, choice.surface as i32 / 2);
        let sorted = events.is_sorted_by_key(|event| event.t);
        histogram.fill(0.0);
        for (i, event) in events.iter().enumerate() {
            let oldest = event.t.saturating_sub(choice.memory);
            for before in events[..i].iter().rev() {
                if before.t < oldest {
                    if sorted {
                        break;
                    }
                    continue;
                }
                let (dx, dy) = (before.x - event.x, before.y - event.y);
                if dx.abs() <= reach && dy.abs() <= reach {
                    let at = (dy + reach) as usize * side + (dx + reach) as usize;
                    histogram[at] += choice.weight((event.t as f64) - (before.t as f64));
                }
            }
        }
        histogram[side * side / 2] += events.len() as f64;
    }
}

impl Accumulator for Hats {
    fn add(&mut self, events: Placed<'_>) {
        self.group(events);
        for group in 0..self.starts.len().saturating_sub(1) {
            let (from, to) = (self.starts[group] as usize, self.starts[group + 1] as usize);
            if from == to {
                continue;
            }
            self.sum(from..to);
            let (plane, tile) = (group / self.tiles, group % self.tiles);
            let (row, column, side) =
                (tile / self.columns, tile % self.columns, self.choice.surface);
            let (height, width) = (self.frame.shape.height, self.frame.shape.width);
            let Cells::Dense(CellValues::F32(cells)) = &mut self.frame.cells else { return };
            for (i, values) in self.histogram.chunks(side).enumerate() {
                let at = (plane * height + row * side + i) * width + column * side;
                for (cell, &value) in cells[at..at + side].iter_mut().zip(values) {
                    *cell = (value / (to - from) as f64) as f32;
                }
            }
        }
    }

    fn close(&mut self, window: Window) -> Closed<'_> {
        self.frame.window = window;
        Closed::new(&self.frame)
    }

    fn clear(&mut self, _touched: Option<&[u32]>) {
        if let Cells::Dense(CellValues::F32(cells)) = &mut self.frame.cells {
            cells.fill(0.0);
        }
    }
}
