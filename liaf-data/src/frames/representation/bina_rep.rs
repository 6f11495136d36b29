//! Bina-Rep: the binary frames of even parts of a window, as the bits of one number.

use super::stretch::{Bins, Span, whole};
use super::{Accumulator, Canvas, Closed, Layout, Placed, Representation};
use crate::error::Result;
use crate::frames::{CellValues, Cells, Dtype, Frame, Window};
use crate::model::Parameters;

/// Bina-Rep (Barchid et al., ICPR 2022, arXiv 2202.13662): the window is divided into N even parts, and
/// bit b_k says whether the cell has an event in part k. A cell holds
///
/// > Σ b_k · 2^(N−1−k) / (2^N − 1), k = 0 to N − 1, from the earliest part on
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `bits` | 8 | N: number of parts, 2 to 24 |
/// | `span` | `window` | what is divided: the `window`, or the time from the first to the last of its `events` |
pub static BINA_REP: Representation = Representation {
    name: "bina_rep",
    about: "a number from 0 to 1, whose bits say in which of N parts of the window there are events",
    usual_dtype: Dtype::F32,
    parameters: &["bits", "span"],
    layout: |options| {
        choice(&options.parameters)?;
        let layout = Layout::of_polarity(options.polarity);
        let layout = Layout {
            needs_times: true,
            needs_window: true,
            state_bytes: layout.channels * size_of::<u32>(),
            ..layout
        };
        layout.with_dtypes("bina_rep", options, &[Dtype::F32])
    },
    start: |options, canvas| {
        let (bits, span) = choice(&options.parameters).unwrap_or((1, Span::Window));
        Box::new(Bits::new(bits, span, canvas))
    },
};

fn choice(parameters: &Parameters) -> Result<(usize, Span)> {
    Ok((whole(parameters, "bits", 8, 2..=24)?, Span::of(parameters, Span::Window)?))
}

#[derive(Debug)]
struct Bits {
    count: usize,
    span: Span,
    bits: Vec<u32>,
    frame: Frame,
    window: Window,
}

impl Bits {
    fn new(count: usize, span: Span, canvas: Canvas) -> Self {
        Self {
            count,
            span,
            bits: vec![0; canvas.shape.cells()],
            frame: Frame::zeros(canvas.shape, Dtype::F32),
            window: Window { start: 0, end: 0 },
        }
    }
}

impl Accumulator for Bits {
    fn begin(&mut self, window: Window) {
        self.window = window;
    }

    fn add(&mut self, events: Placed<'_>) {
        let Cells::Dense(CellValues::F32(cells)) = &mut self.frame.cells else { return };
        let bins = Bins::new(self.count, self.span.measure(self.window, events));
        let all = ((1_u32 << self.count) - 1) as f32;
        for (&t, &index) in events.t.iter().zip(events.index) {
            if let Some(bits) = self.bits.get_mut(index as usize) {
                *bits |= 1 << (self.count - 1 - bins.of(t));
                cells[index as usize] = *bits as f32 / all;
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
            Some(touched) => touched.iter().for_each(|&index| {
                self.bits[index as usize] = 0;
                cells[index as usize] = 0.0;
            }),
            None => {
                self.bits.fill(0);
                cells.fill(0.0);
            }
        }
    }
}
