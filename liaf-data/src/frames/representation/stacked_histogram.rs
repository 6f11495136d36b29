//! Stacked histograms: counts in even parts of a window, as channels.

use super::cell::{Cell, Lost};
use super::stretch::{Bins, MOST_BINS, Span, whole};
use super::{
    Accumulator, Canvas, CellOptions, Closed, Layout, Placed, PolarityChannels, Representation,
};
use crate::error::Result;
use crate::frames::frame::each_type;
use crate::frames::{CellValues, Cells, Dtype, Frame, Window};

/// A stacked histogram (Gehrig and Scaramuzza, Recurrent Vision Transformers, CVPR 2023, arXiv
/// 2212.05598), of shape `[2·bins, H, W]`: channel `p · bins + b` counts the events of polarity p in bin
///
/// > b = min(B − 1, ⌊B · (t − t₀) / (t₁ − t₀)⌋)
///
/// With polarity merged there are `bins` channels. Counts stop at `cutoff`.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `bins` | 10 | B: number of bins, 1 to 1024 |
/// | `cutoff` | largest of the type | the largest count; a cell that reaches it is not reported as saturated |
/// | `span` | `events` | t₀ and t₁: times of the first and last of the `events` of the window, or start and end of the `window` itself |
///
/// RVT itself divides in f32, which can put an event on the border of two bins into either.
pub static STACKED_HISTOGRAM: Representation = Representation {
    name: "stacked_histogram",
    about: "counts in each of B parts of the window: channels are polarity and part",
    usual_dtype: Dtype::U8,
    parameters: &["bins", "cutoff", "span"],
    layout: |options| {
        let Choice { bins, .. } = Choice::of(options)?;
        let layout = Layout::of_polarity(options.polarity);
        let layout = Layout {
            channels: bins * layout.channels,
            needs_times: true,
            needs_window: true,
            ..Layout::signed()
        };
        layout.with_dtypes("stacked_histogram", options, &[Dtype::U8, Dtype::U16, Dtype::F32])
    },
    start: |options, canvas| {
        let usual = Choice { bins: 1, cutoff: u32::MAX, span: Span::Events };
        Box::new(Stack::new(Choice::of(options).unwrap_or(usual), options, canvas))
    },
};

#[derive(Debug)]
struct Choice {
    bins: usize,
    cutoff: u32,
    span: Span,
}

impl Choice {
    fn of(options: &CellOptions) -> Result<Self> {
        let parameters = &options.parameters;
        let cutoff = whole(parameters, "cutoff", u32::MAX as usize, 1..=u32::MAX as usize)?;
        Ok(Self {
            bins: whole(parameters, "bins", 10, 1..=MOST_BINS)?,
            cutoff: cutoff as u32,
            span: Span::of(parameters, Span::Events)?,
        })
    }
}

#[derive(Debug)]
struct Stack {
    choice: Choice,
    frame: Frame,
    lost: Lost,
    pixels: usize,
    /// Whether OFF and ON have channels of their own.
    splits: bool,
    window: Window,
}

impl Stack {
    fn new(choice: Choice, options: &CellOptions, canvas: Canvas) -> Self {
        Self {
            choice,
            frame: Frame::zeros(canvas.shape, options.dtype),
            lost: Lost::default(),
            pixels: canvas.pixels(),
            splits: options.polarity == PolarityChannels::Split,
            window: Window { start: 0, end: 0 },
        }
    }
}

impl Accumulator for Stack {
    fn begin(&mut self, window: Window) {
        self.window = window;
    }

    fn add(&mut self, events: Placed<'_>) {
        let Self { choice, frame, lost, pixels, splits, window } = self;
        let bins = Bins::new(choice.bins, choice.span.measure(*window, events));
        let cell_of = |(&t, &index): (&i64, &u32)| {
            let plane = if *splits { (index & 1) as usize * choice.bins } else { 0 };
            (plane + bins.of(t)) * *pixels + (index >> 1) as usize
        };
        let indices = events.t.iter().zip(events.index).map(cell_of);
        if let Cells::Dense(values) = &mut frame.cells {
            each_type!(values, cells => count(cells, indices, choice.cutoff, lost));
        }
    }

    fn close(&mut self, window: Window) -> Closed<'_> {
        self.frame.window = window;
        Closed { frame: &self.frame, saturated_cells: self.lost.cells }
    }

    fn clear(&mut self, touched: Option<&[u32]>) {
        self.lost.clear();
        if let Cells::Dense(values) = &mut self.frame.cells {
            each_type!(values, cells => clear(cells, touched, self.pixels));
        }
    }
}

fn count<C: Cell>(
    cells: &mut [C],
    indices: impl Iterator<Item = usize>,
    cutoff: u32,
    lost: &mut Lost,
) {
    let (n, most) = (cells.len(), C::of_count(cutoff));
    for index in indices {
        match cells.get_mut(index) {
            Some(cell) if *cell != most => *cell = cell.up(),
            _ if most == C::MAX => lost.mark(index as u32, n),
            _ => {}
        }
    }
}

/// Sets the cells of these events to zero in all channels, or all cells.
fn clear<C: Cell>(cells: &mut [C], touched: Option<&[u32]>, pixels: usize) {
    match touched {
        Some(touched) if touched.len() < pixels / 8 => {
            for index in touched {
                for at in ((index >> 1) as usize..cells.len()).step_by(pixels.max(1)) {
                    cells[at] = C::ZERO;
                }
            }
        }
        _ => cells.fill(C::ZERO),
    }
}
