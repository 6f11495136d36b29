//! A member of a zip archive.

use zlib_rs::Inflate;

use super::codec::{Codec, State, Step};
use super::unpacker::Unpacker;
use crate::codec::columns::Storage;
use crate::container::zip::Entry;
use crate::error::{ErrorKind, Result};
use crate::io::{ByteSource, Crc32, Damage, Unpack, Wrapper};
use crate::limits::Limits;

/// A member, with the limits for what is unpacked.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    is_deflated: bool,
    /// Offset of its first byte.
    data: u64,
    /// Size in the archive; `None` if the archive is cut off and does not say.
    packed: Option<u64>,
    /// Checksum and size of the contents.
    sum: Option<(u32, u64)>,
    /// What is wrong with the archive around it.
    damage: Option<Damage>,
    limits: Limits,
}

impl Member {
    /// A member according to the directory of the archive.
    pub fn new(source: &mut ByteSource, entry: &Entry, limits: &Limits) -> Result<Self> {
        Ok(Self {
            is_deflated: entry.storage()? == Storage::Deflate,
            data: entry.data(source)?,
            packed: Some(entry.packed),
            sum: Some((entry.crc, entry.size)),
            damage: None,
            limits: *limits,
        })
    }
}

/// The first member of an archive that is cut off, so that it has no directory: its name, and as much of
/// it as there is. `None` if it cannot be read.
pub(crate) fn first_member(
    source: &mut ByteSource,
    limits: &Limits,
) -> Result<Option<(String, Member)>> {
    let header = source.read_at(0, 30)?;
    let number = |at: usize, bytes: usize| {
        let bytes = header.get(at..at + bytes).unwrap_or_default();
        bytes.iter().rev().fold(0u64, |number, &byte| number << 8 | u64::from(byte))
    };
    let (flags, method, packed) = (number(6, 2), number(8, 2), number(18, 4));
    if header.len() < 30 || flags & 1 == 1 || !matches!(method, 0 | 8) {
        return Ok(None);
    }
    let name = source.read_at(30, number(26, 2) as usize)?;
    let damage = Damage {
        kind: ErrorKind::Truncated,
        what: "the zip archive is cut off, without its directory".into(),
        offset: source.len().unwrap_or(0),
        unpacked: 0,
    };
    // Sizes that are written after the data, or do not fit in 32 bits, are not known here.
    let is_known = flags & 8 == 0 && packed != u64::from(u32::MAX);
    if method == 0 && !is_known {
        return Ok(None);
    }
    let member = Member {
        is_deflated: method == 8,
        data: 30 + number(26, 2) + number(28, 2),
        packed: is_known.then_some(packed),
        sum: None,
        damage: Some(damage),
        limits: *limits,
    };
    Ok(Some((String::from_utf8_lossy(&name).into_owned(), member)))
}

impl Wrapper for Member {
    fn name(&self) -> &'static str {
        "zip"
    }

    fn unpack(&self, mut source: ByteSource) -> Result<Box<dyn Unpack>> {
        source.seek(self.data)?;
        let method = match self.is_deflated {
            true => Method::Deflate(Box::new(Inflate::new(false, 15))),
            false => Method::Stored,
        };
        let codec =
            Contents { method, left: self.packed, crc: Crc32::new(), size: 0, sum: self.sum };
        let unpacker = Unpacker::new(source, Box::new(codec), "zip", None, &self.limits);
        Ok(Box::new(unpacker.with_damage(self.damage.clone())))
    }
}

enum Method {
    Stored,
    Deflate(Box<Inflate>),
}

/// Unpacks a member and compares its checksum.
struct Contents {
    method: Method,
    /// Number of packed bytes to come, if it is known.
    left: Option<u64>,
    crc: Crc32,
    size: u64,
    sum: Option<(u32, u64)>,
}

impl Contents {
    fn check(&self) -> State {
        let is_equal =
            |(crc, size): (u32, u64)| self.size == size && self.crc.clone().finalize() == crc;
        match self.sum.is_none_or(is_equal) {
            true => State::Ended,
            false => State::Damaged("a checksum or a size is wrong"),
        }
    }
}

impl Codec for Contents {
    fn run(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        let left = self.left.and_then(|left| usize::try_from(left).ok());
        let is_last = left.is_some_and(|left| left <= input.len());
        let input = &input[..left.unwrap_or(usize::MAX).min(input.len())];
        let mut step = match &mut self.method {
            Method::Stored => {
                let n = input.len().min(output.len());
                output[..n].copy_from_slice(&input[..n]);
                let is_end = is_last && n == input.len();
                let state = if is_end { State::Ended } else { State::Open };
                Step { read: n, written: n, state }
            }
            Method::Deflate(inflate) => {
                let step = super::gzip::run(inflate, input, output);
                let is_stuck = step.read == 0 && step.written == 0 && is_last;
                match step.state {
                    State::Open if is_stuck => {
                        Step { state: State::Damaged("a member ends too early"), ..step }
                    }
                    _ => step,
                }
            }
        };
        self.left = self.left.map(|left| left - step.read as u64);
        self.crc.update(&output[..step.written]);
        self.size += step.written as u64;
        if step.state == State::Ended {
            step.state = self.check();
        }
        step
    }

    fn restart(&mut self) {}
}
