//! Averaged timestamps: when, on average, the events of a cell were.

use super::stretch::Span;
use super::{Accumulator, Canvas, Closed, Layout, Placed, Representation};
use crate::frames::{CellValues, Cells, Dtype, Frame, Window};

/// The mean of the times of the events of a cell, from 0 for the first time to 1 for the last (the
/// average image of Park et al., 2016, and of Zhu et al., EV-FlowNet, RSS 2018, arXiv 1802.06898):
///
/// > mean over the events of the cell of (t − t₀) / (t₁ − t₀); 0 in a cell without events
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `span` | `events` | t₀ and t₁: times of the first and last of the `events` of the window, or start and end of the `window` itself |
///
/// Sums of times are exact integers.
pub static AVERAGED_TIMESTAMPS: Representation = Representation {
    name: "averaged_timestamps",
    about: "the mean time of its events, from 0 to 1 within the window",
    usual_dtype: Dtype::F32,
    parameters: &["span"],
    layout: |options| {
        Span::of(&options.parameters, Span::Events)?;
        let layout = Layout::of_polarity(options.polarity);
        let layout = Layout {
            needs_times: true,
            needs_window: true,
            state_bytes: layout.channels * size_of::<(u64, u32)>(),
            ..layout
        };
        layout.with_dtypes("averaged_timestamps", options, &[Dtype::F32])
    },
    start: |options, canvas| {
        let span = Span::of(&options.parameters, Span::Events).unwrap_or(Span::Events);
        Box::new(Means::new(span, canvas))
    },
};

#[derive(Debug)]
struct Means {
    span: Span,
    /// The sum of the times after the first, and the number of events, of each cell.
    sums: Vec<(u64, u32)>,
    frame: Frame,
    window: Window,
}

impl Means {
    fn new(span: Span, canvas: Canvas) -> Self {
        Self {
            span,
            sums: vec![(0, 0); canvas.shape.cells()],
            frame: Frame::zeros(canvas.shape, Dtype::F32),
            window: Window { start: 0, end: 0 },
        }
    }
}

impl Accumulator for Means {
    fn begin(&mut self, window: Window) {
        self.window = window;
    }

    fn add(&mut self, events: Placed<'_>) {
        let Cells::Dense(CellValues::F32(cells)) = &mut self.frame.cells else { return };
        let (first, length) = self.span.measure(self.window, events);
        for (&t, &index) in events.t.iter().zip(events.index) {
            let offset = if t > first { t.abs_diff(first).min(length) } else { 0 };
            if let Some((sum, n)) = self.sums.get_mut(index as usize) {
                *sum = sum.saturating_add(offset);
                *n += 1;
            }
        }
        let mean = |(sum, n): (u64, u32)| match n {
            0 => 0.0,
            n => (sum as f64 / (f64::from(n) * length.max(1) as f64)) as f32,
        };
        if events.index.len() < cells.len() {
            for &index in events.index {
                cells[index as usize] = mean(self.sums[index as usize]);
            }
        } else {
            for (cell, &sum) in cells.iter_mut().zip(&self.sums) {
                *cell = mean(sum);
            }
        }
    }

    fn close(&mut self, window: Window) -> Closed<'_> {
        self.frame.window = window;
        Closed::new(&self.frame)
    }

    fn clear(&mut self, touched: Option<&[u32]>) {
        let Cells::Dense(CellValues::F32(cells)) = &mut self.frame.cells else { return };
        match touched {
            Some(touched) if touched.len() < cells.len() => touched.iter().for_each(|&index| {
                self.sums[index as usize] = (0, 0);
                cells[index as usize] = 0.0;
            }),
            _ => {
                self.sums.fill((0, 0));
                cells.fill(0.0);
            }
        }
    }
}
