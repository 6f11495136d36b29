//! Reading of serialised messages: ROS 1, and the CDR of ROS 2.
//!
//! Both are the fields of a message in order. ROS 1 has them little-endian and without gaps. CDR begins
//! with four bytes that name the byte order, and aligns each number to its size, counted from the byte
//! after those four.

use crate::model::SensorSize;

/// How messages are serialised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serialisation {
    Ros1,
    Cdr,
}

/// The fields of a message, of which those before `at` have been read.
#[derive(Debug, Clone)]
pub(crate) struct Serial<'a> {
    /// The message after the four bytes of CDR.
    bytes: &'a [u8],
    at: usize,
    /// The largest alignment; 1 for ROS 1.
    align: usize,
    pub is_big_endian: bool,
}

/// Why a message cannot be decoded.
pub(crate) type Reason = &'static str;
pub(crate) type Checked<T> = Result<T, Reason>;

const SHORT: Reason = "the message is shorter than its fields";

impl<'a> Serial<'a> {
    pub fn new(bytes: &'a [u8], serialisation: Serialisation) -> Checked<Self> {
        if serialisation == Serialisation::Ros1 {
            return Ok(Self { bytes, at: 0, align: 1, is_big_endian: false });
        }
        let (head, bytes) = bytes.split_first_chunk::<4>().ok_or(SHORT)?;
        let (align, is_big_endian) = match head[..2] {
            [0, 0] => (8, true),
            [0, 1] => (8, false),
            [0, 6] => (4, true),
            [0, 7] => (4, false),
            _ => return Err("the message is in a representation of CDR that is not read"),
        };
        Ok(Self { bytes, at: 0, align, is_big_endian })
    }

    /// Whether this is ROS 1.
    pub fn is_ros1(&self) -> bool {
        self.align == 1
    }

    /// The bytes that have not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Whether more bytes are left than the writers of CDR add as padding.
    pub fn has_excess(&self) -> bool {
        let padding = if self.is_ros1() { 0 } else { 8 };
        self.rest().len() > padding
    }

    /// The next `count` bytes, after those that align them to `align`.
    pub fn take(&mut self, count: usize, align: usize) -> Checked<&'a [u8]> {
        let align = align.min(self.align);
        let start = self.at.next_multiple_of(align);
        let end = start.checked_add(count).ok_or(SHORT)?;
        let bytes = self.bytes.get(start..end).ok_or(SHORT)?;
        self.at = end;
        Ok(bytes)
    }

    fn number<const N: usize>(&mut self) -> Checked<[u8; N]> {
        let mut bytes: [u8; N] = *self.take(N, N)?.first_chunk().ok_or(SHORT)?;
        if self.is_big_endian {
            bytes.reverse();
        }
        Ok(bytes)
    }

    pub fn u8(&mut self) -> Checked<u8> {
        self.number::<1>().map(|[byte]| byte)
    }

    pub fn u32(&mut self) -> Checked<u32> {
        self.number().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Checked<u64> {
        self.number().map(u64::from_le_bytes)
    }

    pub fn f64(&mut self) -> Checked<f64> {
        self.number().map(f64::from_le_bytes)
    }

    /// The number of elements of an array.
    pub fn length(&mut self) -> Checked<usize> {
        usize::try_from(self.u32()?).map_err(|_| SHORT)
    }

    /// A text, without the zero byte at its end that CDR has.
    pub fn text(&mut self) -> Checked<&'a [u8]> {
        let length = self.length()?;
        let text = self.take(length, 1)?;
        Ok(match text {
            [text @ .., 0] if !self.is_ros1() => text,
            text => text,
        })
    }

    /// A time in µs: seconds, which ROS 2 has with a sign, and nanoseconds.
    pub fn time(&mut self) -> Checked<i64> {
        let (seconds, nanoseconds) = (self.u32()?, self.u32()?);
        Ok(micros(seconds, nanoseconds, self.is_ros1()))
    }

    /// The header of most messages: a number, which only ROS 1 has, a time and the name of a frame of
    /// reference. Returns the time in µs.
    pub fn header(&mut self) -> Checked<i64> {
        if self.is_ros1() {
            self.u32()?;
        }
        let time = self.time()?;
        self.text()?;
        Ok(time)
    }

    /// The height and the width of a sensor; `None` if one of them is 0 or is not possible.
    pub fn sensor(&mut self) -> Checked<Option<SensorSize>> {
        let (height, width) = (self.u32()?, self.u32()?);
        let side = |side: u32| u16::try_from(side).ok().filter(|&side| side > 0);
        Ok(side(width).zip(side(height)).map(|(width, height)| SensorSize { width, height }))
    }
}

/// A time of ROS in µs.
#[inline(always)]
pub(crate) fn micros(seconds: u32, nanoseconds: u32, is_ros1: bool) -> i64 {
    let seconds = if is_ros1 { i64::from(seconds) } else { i64::from(seconds as i32) };
    seconds * 1_000_000 + i64::from(nanoseconds / 1000)
}
