use alloc::vec::Vec;

use super::cipher::{LENGTH, SEED, padded};
use super::kex::{Kex, START};

/// The longest plain text of one frame, bytes.
const MAX_PLAIN: usize = 1024;
/// How many received bytes are kept at most.
const CAPACITY: usize = 4096;

/// Puts plain handshake messages and encrypted frames together from chunks.
///
/// Both may follow each other without a gap. `2A 2A` starts a message, and
/// would be an impossible length in front of an encrypted frame.
#[derive(Debug, Clone, Default)]
pub(super) struct Packets {
    buffer: Vec<u8>,
    rejected_bytes: u64,
}

/// Where the next packet ends, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Packet {
    /// A handshake message in the clear, not checked yet.
    Plain(Vec<u8>),
    /// An encrypted frame, its length and seed included.
    Encrypted(Vec<u8>),
}

impl Packets {
    pub(super) fn push(&mut self, chunk: &[u8]) {
        let overflow = (self.buffer.len() + chunk.len()).saturating_sub(CAPACITY);
        self.buffer.extend_from_slice(chunk);
        self.drop_bytes(overflow);
    }

    /// The next complete packet. `seeded` tells whether encrypted frames carry a
    /// seed, which they do once a session has begun.
    pub(super) fn next(&mut self, seeded: bool) -> Option<Packet> {
        loop {
            let (&first, rest) = self.buffer.split_first()?;
            let &second = rest.first()?;
            let plain = (first, second) == (START, START);
            let len = if plain {
                Kex::expected_len(&self.buffer)?
            } else {
                let len = usize::from(u16::from_be_bytes([first, second]));
                if !(1..=MAX_PLAIN).contains(&len) {
                    self.drop_bytes(1);
                    continue;
                }
                LENGTH + if seeded { SEED } else { 0 } + padded(len)
            };
            if self.buffer.len() < len {
                return None;
            }
            let packet = self.buffer.drain(..len).collect();
            return Some(match plain {
                true => Packet::Plain(packet),
                false => Packet::Encrypted(packet),
            });
        }
    }

    /// Before any handshake: the next plain message, and nothing else.
    pub(super) fn next_plain(&mut self) -> Option<Vec<u8>> {
        loop {
            let starts = |bytes: &[u8]| {
                bytes.first() == Some(&START) && bytes.get(1).is_none_or(|&b| b == START)
            };
            let junk = (0..self.buffer.len())
                .find(|&from| self.buffer.get(from..).is_some_and(starts))
                .unwrap_or(self.buffer.len());
            self.drop_bytes(junk);
            let len = Kex::expected_len(&self.buffer)?;
            let message = self.buffer.get(..len)?.to_vec();
            if Kex::parse(&message).is_err() {
                self.drop_bytes(1);
                continue;
            }
            self.buffer.drain(..len);
            return Some(message);
        }
    }

    pub(super) fn flush(&mut self) {
        self.drop_bytes(self.buffer.len());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    pub(super) fn rejected_bytes(&self) -> u64 {
        self.rejected_bytes
    }

    fn drop_bytes(&mut self, count: usize) {
        let count = count.min(self.buffer.len());
        self.buffer.drain(..count);
        self.rejected_bytes += count as u64;
    }
}
