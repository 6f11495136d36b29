//! The columns of a batch: in, out, read and changed in place. None of this lets their lengths
//! differ.

use super::EventBatch;
use crate::error::{Error, Result};

/// The columns of an [`EventBatch`], taken from it by [`EventBatch::into_columns`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventColumns {
    /// Times in µs.
    pub t: Vec<i64>,
    /// Columns from the left.
    pub x: Vec<u16>,
    /// Rows from the top.
    pub y: Vec<u16>,
    /// Polarities, 1 = ON.
    pub p: Vec<u8>,
}

impl EventBatch {
    /// A batch of these columns, which are not copied. Times are in µs, x counts from the left, y
    /// from the top, and p is 1 for ON.
    ///
    /// # Errors
    /// If the columns differ in length.
    pub fn from_columns(t: Vec<i64>, x: Vec<u16>, y: Vec<u16>, p: Vec<u8>) -> Result<Self> {
        let n = t.len();
        if x.len() != n || y.len() != n || p.len() != n {
            return Err(Error::caller("the columns of a batch of events differ in length")
                .expected(format!("{n} of each"))
                .found(format!("{n} t, {} x, {} y and {} p", x.len(), y.len(), p.len())));
        }
        Ok(Self { t, x, y, p })
    }

    /// The columns, which are not copied.
    pub fn into_columns(self) -> EventColumns {
        let Self { t, x, y, p } = self;
        EventColumns { t, x, y, p }
    }

    /// Times in µs.
    pub fn t(&self) -> &[i64] {
        &self.t
    }

    /// Columns from the left.
    pub fn x(&self) -> &[u16] {
        &self.x
    }

    /// Rows from the top.
    pub fn y(&self) -> &[u16] {
        &self.y
    }

    /// Polarities, 1 = ON.
    pub fn p(&self) -> &[u8] {
        &self.p
    }

    /// The times in µs, to be changed in place.
    pub fn t_mut(&mut self) -> &mut [i64] {
        &mut self.t
    }

    /// The columns from the left, to be changed in place.
    pub fn x_mut(&mut self) -> &mut [u16] {
        &mut self.x
    }

    /// The rows from the top, to be changed in place.
    pub fn y_mut(&mut self) -> &mut [u16] {
        &mut self.y
    }

    /// The polarities, to be changed in place; 1 = ON.
    pub fn p_mut(&mut self) -> &mut [u8] {
        &mut self.p
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::model::Event;

    fn event(t: i64) -> Event {
        Event { t, x: t as u16, y: 2 * t as u16, p: (t % 2) as u8 }
    }

    #[test]
    fn columns_go_in_and_out_and_must_be_of_one_length() {
        let batch: EventBatch = (0..3).map(event).collect();
        let EventColumns { t, x, y, p } = batch.clone().into_columns();
        assert_eq!((&*t, &*x, &*y, &*p), (batch.t(), batch.x(), batch.y(), batch.p()));
        for short in 0..4 {
            let n = |column| if column == short { 2 } else { 3 };
            let result = EventBatch::from_columns(
                t[..n(0)].into(),
                x[..n(1)].into(),
                y[..n(2)].into(),
                p[..n(3)].into(),
            );
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Caller);
        }
        assert_eq!(EventBatch::from_columns(t, x, y, p).unwrap(), batch);
    }

    #[test]
    fn columns_are_changed_in_place() {
        let mut batch: EventBatch = (0..3).map(event).collect();
        batch.t_mut()[1] = 70;
        batch.x_mut()[1] = 71;
        batch.y_mut()[1] = 72;
        batch.p_mut()[1] = 0;
        assert_eq!(batch.get(1), Some(Event { t: 70, x: 71, y: 72, p: 0 }));
        assert_eq!((batch.get(0), batch.get(2)), (Some(event(0)), Some(event(2))));
    }
}
