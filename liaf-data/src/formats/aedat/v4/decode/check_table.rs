//! Comparison of the data table at the end of a file with the packets that were found.

use std::collections::BTreeMap;

use super::super::table::{self, TableSum, TableSums};
use super::{Aedat4Decoder, Place};
use crate::error::{Error, Result};
use crate::model::Finding;

impl Aedat4Decoder {
    /// Compares the data table with the header and with the packets that were found. Decoding does not
    /// need the table, so that in lenient mode a wrong table is only reported.
    pub(super) fn check_table(&mut self) -> Result<()> {
        let sums = match &self.place {
            Place::Table { seen, .. } => {
                Some(table::sums(seen, self.framing.compression, &self.wanted, self.cap))
            }
            _ => None,
        };
        let wanted: Vec<_> = self.wanted.keys().copied().collect();
        // If no stream or one stream is wanted, one comparison is enough.
        let streams =
            if wanted.is_empty() { vec![None] } else { wanted.into_iter().map(Some).collect() };
        for stream in streams {
            let Some(error) = self.table_error(stream, sums.as_ref()) else { continue };
            if self.strict {
                return Err(error);
            }
            let report = match (&mut self.streams, stream) {
                (Some(streams), Some(stream)) => streams.report(stream),
                _ => &mut self.report,
            };
            report.add(Finding::BadDataTables, 1, error.offset().unwrap_or_default());
            report.note(format!("{error}; packets were found by scanning"));
        }
        Ok(())
    }

    /// The error in the data table as far as it concerns `stream`.
    fn table_error(
        &self,
        stream: Option<i32>,
        sums: Option<&std::result::Result<TableSums, &'static str>>,
    ) -> Option<Error> {
        let error = match (&self.place, self.framing.table) {
            (Place::Table { start, .. }, Some(stated)) if *start != stated => {
                Error::malformed("the data table is not where the header says")
                    .at(*start)
                    .expected(stated)
                    .found(start)
            }
            (Place::Table { start, .. }, _) => match sums? {
                Err(why) => Error::malformed("the data table cannot be read").found(why),
                Ok(listed) => {
                    let elements = |of: &BTreeMap<i32, u64>| {
                        stream.map_or(0, |stream| of.get(&stream).copied().unwrap_or(0))
                    };
                    let (listed_elements, found) =
                        (elements(&listed.elements), elements(&self.elements));
                    let places = [self.bodies.places, self.headers.places];
                    if listed.packets.packets == self.bodies.packets
                        && places.contains(&listed.packets.places)
                        && listed_elements == found
                    {
                        return None;
                    }
                    Error::malformed("the data table does not agree with the packets in the file")
                        .expected(describe(&self.bodies, found))
                        .found(describe(&listed.packets, listed_elements))
                }
            }
            .at(*start),
            (_, Some(stated)) if stated >= self.offset => {
                Error::truncated("the data table is missing")
                    .at(self.offset)
                    .expected(format!("a table at byte {stated}"))
                    .found("the end of the file")
            }
            (_, Some(stated)) => Error::malformed("there is no data table where the header says")
                .at(stated)
                .expected("a table"),
            (_, None) => return None,
        };
        Some(error)
    }
}

fn describe(sum: &TableSum, elements: u64) -> String {
    format!("{} packets, {elements} events of the stream", sum.packets)
}
