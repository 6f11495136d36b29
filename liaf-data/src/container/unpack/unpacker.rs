//! Unpacking of all parts of a packed file, within the limits.

use super::codec::{Codec, State};
use crate::error::{Error, ErrorKind, Result};
use crate::io::{ByteSource, Damage, Unpack};
use crate::limits::Limits;

/// Number of packed bytes that are read at a time.
const PIECE: usize = 64 << 10;
/// The longest beginning by which a part is recognised.
const MAGIC: usize = 6;
/// Up to this many bytes, what is unpacked may be larger than the packed bytes by any factor.
const FREE: u64 = 64 << 20;

/// Whether bytes after the end of a part are the beginning of another one.
pub(super) type Follows = Box<dyn Fn(&[u8]) -> bool + Send>;

/// Unpacks a source, from its position on.
pub(super) struct Unpacker {
    source: ByteSource,
    /// Packed bytes that were read; those before `start` are already unpacked.
    input: Vec<u8>,
    start: usize,
    /// Offset of the next packed byte.
    at: u64,
    /// Number of packed bytes that were unpacked.
    packed: u64,
    /// The source has no more bytes.
    is_drained: bool,
    codec: Box<dyn Codec>,
    name: &'static str,
    /// `None` if nothing may follow the first part, and nothing after it is looked at.
    follows: Option<Follows>,
    /// A part has ended, and it is not known whether another one follows.
    is_between: bool,
    is_done: bool,
    written: u64,
    limits: Limits,
    damage: Option<Damage>,
}

impl Unpacker {
    pub fn new(
        source: ByteSource,
        codec: Box<dyn Codec>,
        name: &'static str,
        follows: Option<Follows>,
        limits: &Limits,
    ) -> Self {
        Self {
            at: source.position(),
            source,
            input: Vec::new(),
            start: 0,
            packed: 0,
            is_drained: false,
            codec,
            name,
            follows,
            is_between: false,
            is_done: false,
            written: 0,
            limits: *limits,
            damage: None,
        }
    }

    #[cfg(feature = "zip")]
    /// What was wrong before the first packed byte was read.
    pub fn with_damage(mut self, damage: Option<Damage>) -> Self {
        self.damage = damage;
        self
    }

    fn refill(&mut self) -> Result<()> {
        self.input.drain(..self.start);
        self.start = 0;
        let input = &mut self.input;
        let read = self.source.visit(PIECE, |bytes, _| {
            input.extend_from_slice(bytes);
            Ok(())
        })?;
        self.is_drained = read.is_none();
        Ok(())
    }

    fn take(&mut self, packed: usize) {
        self.start += packed;
        self.at += packed as u64;
        self.packed += packed as u64;
    }

    fn stop(&mut self, kind: ErrorKind, what: String) {
        let (offset, unpacked) = (self.at, self.written);
        self.damage.get_or_insert(Damage { kind, what, offset, unpacked });
        self.is_done = true;
    }

    /// Looks for another part after the end of one. Zeros in between are padding.
    fn look_for_next(&mut self) -> Result<()> {
        let Some(follows) = &self.follows else {
            self.is_done = true;
            return Ok(());
        };
        let rest = &self.input[self.start..];
        if rest.len() < MAGIC && !self.is_drained {
            return self.refill();
        }
        if rest.is_empty() {
            self.is_done = true;
        } else if follows(rest) {
            self.codec.restart();
            self.is_between = false;
        } else if rest[0] == 0 {
            let zeros = rest.iter().take_while(|&&byte| byte == 0).count();
            self.take(zeros);
        } else {
            let what = format!("there are other bytes after the end of the {} data", self.name);
            self.stop(ErrorKind::Malformed, what);
        }
        Ok(())
    }

    fn check_limits(&self) -> Result<()> {
        let Limits { unpacked_bytes, unpacked_ratio, .. } = self.limits;
        let by_ratio = FREE.saturating_add(self.packed.saturating_mul(unpacked_ratio));
        let most = unpacked_bytes.min(by_ratio);
        if self.written <= most {
            return Ok(());
        }
        let what = format!("the {} file contains too much", self.name);
        Err(Error::limit(what)
            .at(self.at)
            .expected(format!("at most {most} bytes in {} packed bytes", self.packed))
            .found(format!("{} bytes and more", self.written))
            .advice("if the file is what it should be, unpack it and read the unpacked file"))
    }
}

impl Unpack for Unpacker {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            if self.is_done || buffer.is_empty() {
                return Ok(0);
            }
            if self.is_between {
                self.look_for_next()?;
                continue;
            }
            if self.start == self.input.len() && !self.is_drained {
                self.refill()?;
            }
            let step = self.codec.run(&self.input[self.start..], buffer);
            self.take(step.read);
            self.written += step.written as u64;
            match step.state {
                State::Open if step.read == 0 && step.written == 0 => {
                    if self.is_drained {
                        let what = format!("the {} data is truncated", self.name);
                        self.stop(ErrorKind::Truncated, what);
                    } else if self.input.len() - self.start > 2 * PIECE {
                        let what = format!("the {} data cannot be unpacked", self.name);
                        self.stop(ErrorKind::Malformed, what);
                    } else {
                        self.refill()?;
                    }
                }
                State::Open => {}
                State::Ended => self.is_between = true,
                State::Damaged(why) => {
                    let what = format!("the {} data is damaged: {why}", self.name);
                    self.stop(ErrorKind::Malformed, what);
                }
                State::TooLarge => {
                    return Err(Error::limit(format!(
                        "the {} file needs too much memory",
                        self.name
                    ))
                    .at(self.at)
                    .expected(format!("a window of at most {} bytes", self.limits.window_bytes))
                    .advice("unpack the file and read the unpacked file"));
                }
            }
            self.check_limits()?;
            if step.written > 0 {
                return Ok(step.written);
            }
        }
    }

    fn damage(&self) -> Option<&Damage> {
        self.damage.as_ref()
    }

    fn notes(&self) -> &[String] {
        self.source.notes()
    }
}
