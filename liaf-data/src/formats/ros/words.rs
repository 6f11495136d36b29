//! The events of packets whose words depend on those of earlier packets.

use super::packet::Encoding;
use crate::codec::records::RecordState;
use crate::codec::{Checkpoint, Evt21Order};
use crate::error::{Error, Result};
use crate::formats::prophesee::evt3::{self, Evt3Registers};
use crate::formats::prophesee::evt21::{self, Evt21Registers};
use crate::formats::prophesee::{Met, WordRegisters};
use crate::model::EventBatch;

/// The state that the words of a stream have left.
#[derive(Debug)]
pub(crate) enum Words {
    Evt3(State<Evt3Registers, { evt3::WORD }>),
    Evt21(State<Evt21Registers, { evt21::WORD }>),
}

/// The registers, and working memory.
#[derive(Debug)]
pub(crate) struct State<R: WordRegisters<N>, const N: usize> {
    registers: R,
    scratch: R::Scratch,
}

impl<R: WordRegisters<N>, const N: usize> State<R, N> {
    fn new(registers: R) -> Self {
        Self { registers, scratch: R::Scratch::default() }
    }

    fn decode(
        &mut self,
        bytes: &[u8],
        offset: u64,
        batch: &mut EventBatch,
        met: &mut Met,
        mut give: impl FnMut(&mut EventBatch) -> Result<()>,
    ) -> Result<usize> {
        let (words, rest) = bytes.as_chunks::<N>();
        for words in words.chunks(R::BATCH) {
            batch.clear();
            let mut found = Met::default();
            self.registers.decode(words, 0, batch, &mut found, &mut self.scratch);
            met.absorb(&found, offset);
            if !batch.is_empty() {
                give(batch)?;
            }
        }
        Ok(rest.len())
    }
}

impl Words {
    /// The state before the first word; `None` if no state is needed.
    pub fn new(encoding: Encoding, order: Evt21Order) -> Option<Self> {
        match encoding {
            Encoding::Evt3 => Some(Self::Evt3(State::new(Evt3Registers::default()))),
            Encoding::Evt21 => Some(Self::Evt21(State::new(Evt21Registers::new(order)))),
            Encoding::Mono | Encoding::Libcaer => None,
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Evt3(_) => Evt3Registers::FORMAT,
            Self::Evt21(_) => Evt21Registers::FORMAT,
        }
    }

    /// Decodes the words of a packet at `offset` in the file, and passes the events to `give` in
    /// batches. Returns how many bytes are left over.
    pub fn decode(
        &mut self,
        bytes: &[u8],
        offset: u64,
        batch: &mut EventBatch,
        met: &mut Met,
        give: impl FnMut(&mut EventBatch) -> Result<()>,
    ) -> Result<usize> {
        match self {
            Self::Evt3(state) => state.decode(bytes, offset, batch, met, give),
            Self::Evt21(state) => state.decode(bytes, offset, batch, met, give),
        }
    }

    /// The state as numbers, for a [`Checkpoint`]: the kind of words, then the registers.
    pub fn pack(&self) -> Vec<i64> {
        let (code, registers) = match self {
            Self::Evt3(state) => (3, state.registers.pack()),
            Self::Evt21(state) => (21, state.registers.pack()),
        };
        std::iter::once(code).chain(registers).collect()
    }

    /// The state that was stored with [`pack`](Self::pack).
    pub fn unpack(checkpoint: &Checkpoint, order: Evt21Order) -> Result<Option<Self>> {
        let Some((&code, registers)) = checkpoint.state.split_first() else { return Ok(None) };
        let registers = Checkpoint::new(checkpoint.offset, registers.to_vec());
        match code {
            3 => {
                let registers = Evt3Registers::default().unpack(&registers)?;
                Ok(Some(Self::Evt3(State::new(registers))))
            }
            21 => {
                let registers = Evt21Registers::new(order).unpack(&registers)?;
                Ok(Some(Self::Evt21(State::new(registers))))
            }
            _ => Err(Error::malformed("the index does not belong to this format")
                .at(checkpoint.offset)
                .expected("the registers of EVT words")
                .found(format!("{:?}", checkpoint.state))),
        }
    }
}
