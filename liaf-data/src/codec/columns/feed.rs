//! A range of bytes of a file as one stream, decompressed if necessary.

use super::inflate::{Inflate, InflateFlush, Status};
use crate::error::{Error, Result};
use crate::io::{ByteSource, Crc32};

/// Number of compressed bytes that are read at a time.
const INPUT: usize = 64 << 10;

/// How the bytes of a stream are stored in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Storage {
    Stored,
    /// Deflate without a header, as in zip archives.
    Deflate,
    /// Deflate with zlib's header, as in MATLAB files.
    Zlib,
}

/// Reads a range of bytes of a file in order and decompresses them. Memory use is limited to the
/// window of the decompressor and one buffer of compressed bytes, whatever size the file claims for
/// the stream.
pub(crate) struct Feed {
    storage: Storage,
    start: u64,
    /// Offset in the file at which the next compressed bytes are read.
    at: u64,
    end: u64,
    inflate: Option<Box<Inflate>>,
    input: Vec<u8>,
    /// How many bytes of `input` the decompressor has consumed.
    used: usize,
    ended: bool,
    /// The checksum of the bytes that have been returned so far.
    sum: Crc32,
    given: u64,
    /// Why the stream ended too early, if it did.
    fault: Option<Error>,
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { storage, at, end, given, .. } = self;
        write!(f, "Feed({storage:?}, {at}..{end}, {given} given)")
    }
}

impl Feed {
    /// A stream of the `packed` bytes that start at offset `start` of the file.
    pub fn new(storage: Storage, start: u64, packed: u64) -> Self {
        let inflate = match storage {
            Storage::Stored => None,
            Storage::Deflate => Some(Box::new(Inflate::new(false, 15))),
            Storage::Zlib => Some(Box::new(Inflate::new(true, 15))),
        };
        Self {
            storage,
            start,
            at: start,
            end: start.saturating_add(packed),
            inflate,
            input: Vec::new(),
            used: 0,
            ended: false,
            sum: Crc32::new(),
            given: 0,
            fault: None,
        }
    }

    /// A new stream over the same bytes, from their start.
    pub fn again(&self) -> Self {
        Self::new(self.storage, self.start, self.end - self.start)
    }

    /// Appends the next `n` bytes to `out`, or fewer if the stream ends: [`fault`](Self::fault)
    /// then returns the reason if the data is damaged.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(&mut self, source: &mut ByteSource, n: usize, out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        match self.storage {
            Storage::Stored => self.copy(source, n, out)?,
            Storage::Deflate | Storage::Zlib => self.unpack(source, n, out)?,
        }
        self.sum.update(&out[start..]);
        self.given += (out.len() - start) as u64;
        Ok(())
    }

    /// Skips the next `n` bytes.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn skip(&mut self, source: &mut ByteSource, mut n: u64) -> Result<()> {
        if self.storage == Storage::Stored {
            self.at = self.at.saturating_add(n).min(self.end);
            return Ok(());
        }
        let mut bytes = Vec::new();
        while n > 0 {
            bytes.clear();
            self.read(source, n.min(INPUT as u64) as usize, &mut bytes)?;
            if bytes.is_empty() {
                break;
            }
            n -= bytes.len() as u64;
        }
        Ok(())
    }

    /// Makes an uncompressed stream end after the next `n` bytes.
    pub fn limit(&mut self, n: u64) {
        if self.is_stored() {
            self.end = self.end.min(self.at.saturating_add(n));
        }
    }

    /// Starts the checksum again at the current position.
    pub fn reset_sum(&mut self) {
        (self.sum, self.given) = (Crc32::new(), 0);
    }

    /// The checksum of the bytes returned so far, and their number.
    pub fn sum(&self) -> (Crc32, u64) {
        (self.sum.clone(), self.given)
    }

    /// Why the stream ended too early. The error is returned once.
    pub fn fault(&mut self) -> Option<Error> {
        self.fault.take()
    }

    /// Offset in the file at which the stream starts.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Offset in the file of the next byte. It is exact for uncompressed streams only.
    pub fn at(&self) -> u64 {
        self.at - (self.input.len() - self.used) as u64
    }

    /// Number of bytes in the file that have not been consumed.
    pub fn unread(&self) -> u64 {
        self.end - self.at()
    }

    pub fn is_stored(&self) -> bool {
        self.storage == Storage::Stored
    }

    fn copy(&mut self, source: &mut ByteSource, n: usize, out: &mut Vec<u8>) -> Result<()> {
        let until = out.len() + n;
        while out.len() < until && self.at < self.end {
            let most = (self.end - self.at).min((until - out.len()) as u64) as usize;
            source.seek(self.at)?;
            let before = out.len();
            source.visit(most, |bytes, _| {
                out.extend_from_slice(bytes);
                Ok(())
            })?;
            if out.len() == before {
                break;
            }
            self.at += (out.len() - before) as u64;
        }
        Ok(())
    }

    fn unpack(&mut self, source: &mut ByteSource, n: usize, out: &mut Vec<u8>) -> Result<()> {
        let Some(mut inflate) = self.inflate.take() else { return Ok(()) };
        let result = self.unpack_with(&mut inflate, source, n, out);
        self.inflate = Some(inflate);
        result
    }

    fn unpack_with(
        &mut self,
        inflate: &mut Inflate,
        source: &mut ByteSource,
        n: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let (mut filled, until) = (out.len(), out.len() + n);
        while filled < until && !self.ended {
            if self.used == self.input.len() && self.at < self.end {
                self.input.clear();
                self.used = 0;
                let most = (self.end - self.at).min(INPUT as u64) as usize;
                source.seek(self.at)?;
                source.visit(most, |bytes, _| {
                    self.input.extend_from_slice(bytes);
                    Ok(())
                })?;
                self.at += self.input.len() as u64;
                if self.input.is_empty() {
                    self.at = self.end;
                }
            }
            let before = (inflate.total_in(), inflate.total_out());
            // Grow the buffer in steps of 1 MiB, so that it never becomes much larger than the data
            // that is really there.
            let room = (until - filled).min(1 << 20);
            out.resize(filled + room, 0);
            let input = &self.input[self.used..];
            let outcome = inflate.decompress(input, &mut out[filled..], InflateFlush::NoFlush);
            let read = (inflate.total_in() - before.0) as usize;
            let wrote = (inflate.total_out() - before.1) as usize;
            self.used += read;
            filled += wrote;
            match outcome {
                Ok(Status::StreamEnd) => self.ended = true,
                Ok(_) if read > 0 || wrote > 0 => {}
                Ok(_) => self.fail(Error::truncated("the compressed data ends too early")),
                Err(error) => self.fail(
                    Error::malformed("the compressed data cannot be decompressed")
                        .found(error.as_str()),
                ),
            }
        }
        out.truncate(filled);
        Ok(())
    }

    fn fail(&mut self, error: Error) {
        self.ended = true;
        self.fault = Some(error.at(self.at()));
    }
}
