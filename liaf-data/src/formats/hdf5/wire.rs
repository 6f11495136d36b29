//! The messages between a worker process and the program that started it. A message is a letter, a
//! `u32` length and the bytes, little-endian.

use std::io::{self, Read, Write};

use crate::model::EventBatch;

/// A longer message cannot come from a worker.
const MOST: usize = 64 << 20;

#[derive(Debug)]
pub(crate) enum Message {
    /// What the recording says about itself, as JSON.
    Info(Vec<u8>),
    /// Events, and the offset in the file of the first of them.
    Events(u64, EventBatch),
    /// The progress: number of bytes, number of events to come, and the next row.
    Progress(u64, u64, u64),
    /// Whether rows outside the wanted time are skipped.
    Narrowed(bool),
    /// The report, as JSON. This is the last message.
    Report(Vec<u8>),
    /// An error, as JSON. This is the last message.
    Error(Vec<u8>),
}

impl Message {
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut numbers = Vec::new();
        let (letter, bytes) = match self {
            Self::Info(json) => (b'I', json),
            Self::Report(json) => (b'R', json),
            Self::Error(json) => (b'X', json),
            Self::Progress(position, expected, row) => {
                for number in [position, expected, row] {
                    numbers.extend_from_slice(&number.to_le_bytes());
                }
                (b'P', &numbers)
            }
            Self::Narrowed(is_narrow) => {
                numbers.push(u8::from(*is_narrow));
                (b'N', &numbers)
            }
            Self::Events(offset, events) => {
                numbers.reserve(8 + 13 * events.len());
                numbers.extend_from_slice(&offset.to_le_bytes());
                events.t.iter().for_each(|t| numbers.extend_from_slice(&t.to_le_bytes()));
                events.x.iter().for_each(|x| numbers.extend_from_slice(&x.to_le_bytes()));
                events.y.iter().for_each(|y| numbers.extend_from_slice(&y.to_le_bytes()));
                numbers.extend_from_slice(&events.p);
                (b'E', &numbers)
            }
        };
        out.write_all(&[letter])?;
        out.write_all(&(bytes.len() as u32).to_le_bytes())?;
        out.write_all(bytes)
    }

    /// Reads the next message; `None` at the end of the input, even within a message, and for
    /// invalid messages.
    pub fn read(input: &mut dyn Read) -> Option<Self> {
        let mut head = [0; 5];
        input.read_exact(&mut head).ok()?;
        let [letter, length @ ..] = head;
        let length = u32::from_le_bytes(length) as usize;
        if length > MOST {
            return None;
        }
        let mut bytes = Vec::new();
        input.take(length as u64).read_to_end(&mut bytes).ok()?;
        if bytes.len() < length {
            return None;
        }
        let number = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        Some(match letter {
            b'I' => Self::Info(bytes),
            b'R' => Self::Report(bytes),
            b'X' => Self::Error(bytes),
            b'P' => Self::Progress(number(0)?, number(8)?, number(16)?),
            b'N' => Self::Narrowed(bytes == [1]),
            b'E' => {
                let offset = number(0)?;
                let columns = bytes.get(8..)?;
                let n = columns.len() / 13;
                let (t, rest) = columns.split_at_checked(8 * n)?;
                let (x, rest) = rest.split_at_checked(2 * n)?;
                let (y, p) = rest.split_at_checked(2 * n)?;
                let u16s = |bytes: &[u8]| -> Vec<u16> {
                    bytes.as_chunks().0.iter().map(|b| u16::from_le_bytes(*b)).collect()
                };
                let events = EventBatch {
                    t: t.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b)).collect(),
                    x: u16s(x),
                    y: u16s(y),
                    p: p.to_vec(),
                };
                (events.p.len() == n).then_some(Self::Events(offset, events))?
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Event;

    #[test]
    fn messages_are_read_as_they_were_written() {
        let events: EventBatch =
            (0..5).map(|i| Event { t: -i, x: 7, y: 300, p: (i % 2) as u8 }).collect();
        let mut bytes = Vec::new();
        Message::Events(9, events.clone()).write(&mut bytes).unwrap();
        Message::Progress(1, 2, 3).write(&mut bytes).unwrap();
        let mut input = bytes.as_slice();
        let Some(Message::Events(9, found)) = Message::read(&mut input) else { panic!() };
        assert_eq!(found, events);
        assert!(matches!(Message::read(&mut input), Some(Message::Progress(1, 2, 3))));
        assert!(Message::read(&mut input).is_none());
        for n in 0..bytes.len() - 29 {
            assert!(Message::read(&mut &bytes[..n]).is_none());
        }
    }
}
