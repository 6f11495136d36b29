//! The making of a plan of how events are read from arrays.

use super::found::Found;
use crate::codec::ReadOptions;
use crate::codec::columns::{
    Array, Checksum, Decided, Feed, Kind, Number, Parts, Said, Source, decide,
};
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::model::{Finding, Report};

/// How the events are read from the arrays.
pub(crate) struct Plan {
    pub parts: Parts,
    pub decided: Decided,
    pub details: Vec<(&'static str, String)>,
}

impl Plan {
    /// Counts and notes that the archive has several arrays of one name.
    pub fn repeated(&mut self, error: Option<&Error>) {
        if let Some(error) = error {
            self.parts.report.add(Finding::BadParts, 1, error.offset().unwrap_or(0));
            self.parts.report.note(error);
        }
    }
}

/// Builds a plan.
pub(crate) struct Planner {
    pub parts: Parts,
    /// Number of bytes before the first record of each source.
    pub ahead: Vec<u64>,
    pub details: Vec<(&'static str, String)>,
}

fn unclean() -> Error {
    Error::malformed("unexpected text follows the dictionary in the header of the array")
        .expected("spaces")
}

impl Planner {
    pub fn new(source: &ByteSource, options: &ReadOptions) -> Self {
        let nowhere = Array { source: 0, start: 0, number: Number::little(Kind::U8) };
        let parts = Parts {
            sources: Vec::new(),
            arrays: [nowhere; 4],
            left: 0,
            checksums: Vec::new(),
            event_bytes: 0,
            file_bytes: source.len().unwrap_or(0),
            strict: options.strict,
            report: Report::default(),
            flaw: None,
        };
        Self { parts, ahead: Vec::new(), details: Vec::new() }
    }

    pub fn add(&mut self, feed: Feed, stride: usize, ahead: u64, file: Option<ByteSource>) {
        self.parts.sources.push(Source { feed, stride, file });
        self.ahead.push(ahead);
    }

    /// Adds an array of `rows` rows and `width` columns, in either order of its dimensions, and returns
    /// where the wanted columns are.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn columns(
        &mut self,
        source: &mut ByteSource,
        mut found: Found,
        (number, rows, width): (Number, u64, u64),
        wanted: &[usize],
    ) -> Result<Vec<Array>> {
        let size = number.bytes();
        let is_turned = found.header.shape.last() != Some(&width);
        let base = self.parts.sources.len();
        let file = found.file.take();
        let again = || file.as_ref().map(ByteSource::again).transpose();
        self.parts.event_bytes += found.event_bytes();
        if found.header.fortran == is_turned {
            self.check(&found, found.body(), vec![base]);
            self.add(found.feed, width as usize * size, found.ahead, again()?);
            let array = |&column: &usize| Array { source: base, start: column * size, number };
            return Ok(wanted.iter().map(array).collect());
        }
        // Whole columns are stored one after another: they are read in parallel.
        let bytes = rows.saturating_mul(size as u64);
        let mut by_place = wanted.to_vec();
        by_place.sort_unstable();
        if by_place.len() as u64 == width {
            let before = self.parts.checksums.len();
            self.check(&found, found.body(), (base..base + by_place.len()).collect());
            if let Some(sum) = self.parts.checksums.get_mut(before) {
                (sum.before, _) = found.feed.sum();
                sum.bytes = found.body();
            }
        } else if !found.header.is_clean {
            self.flaw(found.here(unclean()));
        }
        for &column in &by_place {
            let ahead = found.ahead.saturating_add(bytes.saturating_mul(column as u64));
            let (mut feed, mut file) = (found.feed.again(), again()?);
            feed.skip(file.as_mut().unwrap_or(source), ahead)?;
            feed.limit(bytes);
            feed.reset_sum();
            self.add(feed, size, ahead, file);
        }
        let array = |column: &usize| {
            let place = by_place.iter().position(|one| one == column).unwrap_or(0);
            Array { source: base + place, start: 0, number }
        };
        Ok(wanted.iter().map(array).collect())
    }

    pub fn flaw(&mut self, error: Error) {
        self.parts.report.add(Finding::BadParts, 1, error.offset().unwrap_or(0));
        self.parts.report.note(&error);
        self.parts.flaw.get_or_insert(error);
    }

    /// Stores the checksum of an array, and notes if its header or its size is not what it should
    /// be.
    pub fn check(&mut self, found: &Found, body: u64, sources: Vec<usize>) {
        if !found.header.is_clean {
            self.flaw(found.here(unclean()));
        }
        let claimed = found.ahead.saturating_add(body);
        let there = found.sum.map_or(found.packed, |(_, bytes)| bytes);
        if there > claimed {
            let extra = there - claimed;
            let error = Error::malformed("bytes follow the array")
                .at(found.feed.start().saturating_add(claimed.min(found.packed)))
                .found(format!("{extra} bytes"));
            self.flaw(error);
            if found.feed.is_stored() {
                self.parts.report.bytes.skipped += extra;
                self.parts.event_bytes = self.parts.event_bytes.saturating_sub(extra);
            }
        }
        if let Some((crc, bytes)) = found.sum {
            self.parts.checksums.push(Checksum {
                name: found.name.clone(),
                at: found.feed.start(),
                sources,
                before: crate::io::Crc32::new(),
                bytes,
                crc,
            });
        }
    }

    pub fn finish(
        self,
        source: &mut ByteSource,
        said: Said,
        options: &ReadOptions,
    ) -> Result<Plan> {
        let sample = self.parts.sample(source, &self.ahead)?;
        let decided = decide(&sample, said, options)?;
        Ok(Plan { parts: self.parts, decided, details: self.details })
    }
}
