//! The table from milliseconds to rows (DSEC's `ms_to_idx`, M3ED's `ms_map_idx`).
//!
//! Row `table[k]` is the first whose time is k ms or more, on the clock of the datasets, without
//! `t_offset`. An entry is used only if the rows to which it points have such times.

use std::ops::Range;

use liaf_hdf5::Dataset;

use super::rows::RowReader;
use crate::codec::seek::{Rows, SLACK};
use crate::error::Result;
use crate::io::ByteSource;

/// A table from milliseconds to rows.
#[derive(Debug, Clone)]
pub(crate) struct MsTable(pub Dataset);

impl MsTable {
    /// The rows that may have a time within `time`; `None` if the table is not consistent with the
    /// rows.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn rows(
        &self,
        reader: &mut RowReader,
        source: &mut ByteSource,
        time: &Range<i64>,
    ) -> Result<Option<Range<u64>>> {
        let all = reader.rows();
        let entries = self.0.extent().values();
        let offset = reader.rows.offset;
        // The first row at or after a time. Outside of the table this is the first row, or the end
        // of all rows.
        let mut row_of = |time: i64| -> Result<Option<u64>> {
            let Some(ms) = u64::try_from(time.saturating_sub(offset).div_euclid(1000)).ok() else {
                return Ok(Some(all.start));
            };
            if ms >= entries {
                // A clock of 32 bits may have started again, which the table does not show.
                return Ok((time.saturating_sub(offset) < 1 << 31).then_some(all.end));
            }
            let Some(row) = self.entry(ms).filter(|row| *row <= all.end) else { return Ok(None) };
            let bound = (ms as i64).saturating_mul(1000).saturating_add(offset);
            let is_after =
                row == all.end || reader.time(source, row)?.is_some_and(|time| time >= bound);
            let is_first =
                row == all.start || reader.time(source, row - 1)?.is_some_and(|time| time < bound);
            Ok((is_after && is_first).then_some(row))
        };
        let start = row_of(time.start.saturating_sub(SLACK))?;
        let end = row_of(time.end.saturating_add(SLACK).saturating_add(1000))?;
        Ok(start.zip(end).filter(|(start, end)| start <= end).map(|(start, end)| start..end))
    }

    fn entry(&self, ms: u64) -> Option<u64> {
        let entry = self.0.row_integers(ms..ms + 1).ok()?;
        u64::try_from(*entry.first()?).ok()
    }
}
