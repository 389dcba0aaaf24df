//! Notification chunks in, plain RTU answers out, whatever happened on the way.
//!
//! Chunk borders mean nothing: an answer may arrive whole, in pieces of 20
//! bytes, glued to the next one or behind stray bytes. Whenever bytes cannot be
//! an answer, exactly one of them is dropped and the search goes on, so one
//! damaged answer never costs the next.

use alloc::vec::Vec;

use crate::modbus::{Frame, FrameError, MAX_LEN, Scan, scan};

/// How many received bytes are kept at most. A caller that takes the frames out
/// after each chunk never comes near it; otherwise the oldest bytes are dropped
/// and counted as rejected.
pub const CAPACITY: usize = 4096;

/// Puts answers together from chunks.
#[derive(Debug, Clone, Default)]
pub struct Assembler {
    buffer: Vec<u8>,
    taken: usize,
    counters: Counters,
}

/// What passed through an [`Assembler`] so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Counters {
    /// Sound answers.
    pub frames: u64,
    /// Lines of the Bluetooth module (`AT+…`).
    pub module_lines: u64,
    /// Bytes that belonged to no answer.
    pub rejected_bytes: u64,
    /// Candidates with a plausible head but a wrong checksum.
    pub rejected_frames: u64,
}

impl Assembler {
    /// An empty assembler with its buffer allocated once.
    #[must_use]
    pub fn new() -> Self {
        Self {
            buffer: Vec::with_capacity(2 * MAX_LEN),
            ..Self::default()
        }
    }

    /// Adds one notification. `true` if it is a line of the Bluetooth module,
    /// which has restarted or lost its mode then and passes nothing on any more;
    /// modules always send those whole, even between two pieces of an answer.
    pub fn push(&mut self, chunk: &[u8]) -> bool {
        if is_module_line(chunk) {
            self.counters.module_lines += 1;
            return true;
        }
        if self.taken == self.buffer.len() {
            self.buffer.clear();
        } else {
            self.buffer.drain(..self.taken);
        }
        self.taken = 0;
        if self.buffer.len() + chunk.len() > CAPACITY {
            self.make_room(chunk.len());
        }
        let kept = chunk.len().min(CAPACITY);
        self.reject(chunk.len() - kept);
        self.buffer
            .extend_from_slice(chunk.get(chunk.len() - kept..).unwrap_or_default());
        false
    }

    /// The next complete answer, or `None` until more bytes arrive.
    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        let from = loop {
            let rest = self.buffer.get(self.taken..).unwrap_or_default();
            match scan(rest) {
                Ok(Scan::Incomplete) => return None,
                Ok(Scan::Complete { len }) => {
                    let from = self.taken;
                    self.taken += len;
                    break from;
                }
                Err(error) => {
                    if matches!(error, FrameError::Crc { .. }) {
                        self.counters.rejected_frames += 1;
                    }
                    self.taken += 1;
                    self.reject(1);
                }
            }
        };
        self.counters.frames += 1;
        self.buffer.get(from..self.taken).and_then(Frame::checked)
    }

    /// What was received and not taken out: the start of an answer at most, once
    /// [`next_frame`](Self::next_frame) has returned `None`.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        self.buffer.get(self.taken..).unwrap_or_default()
    }

    /// Forgets what is incomplete and counts it as rejected. To be called when
    /// the next request is written, when the link is lost, and after about a
    /// second of silence: a damaged byte count could otherwise demand bytes that
    /// never come.
    pub fn flush(&mut self) {
        let pending = self.buffer.len() - self.taken;
        self.buffer.clear();
        self.taken = 0;
        self.reject(pending);
    }

    /// What passed through so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn make_room(&mut self, wanted: usize) {
        let overflow = (self.buffer.len() + wanted).saturating_sub(CAPACITY);
        let dropped = overflow.min(self.buffer.len());
        self.buffer.drain(..dropped);
        self.reject(dropped);
    }

    fn reject(&mut self, bytes: usize) {
        self.counters.rejected_bytes += bytes as u64;
    }
}

/// Whether a notification is a line of the Bluetooth module itself: `AT+NAME?`
/// and the like, ended by a carriage return.
#[must_use]
pub fn is_module_line(chunk: &[u8]) -> bool {
    chunk
        .strip_prefix(b"AT+")
        .and_then(|rest| rest.strip_suffix(b"\r"))
        .is_some_and(|text| text.iter().all(u8::is_ascii_graphic))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: [u8; 7] = [0x01, 0x03, 0x02, 0x07, 0xD5, 0x7B, 0xEB];

    #[test]
    fn junk_in_front_is_dropped_and_counted() {
        let mut assembler = Assembler::new();
        assert!(!assembler.push(&[0x00]));
        assembler.push(&[0xFF, 0x01]);
        assembler.push(&ANSWER);
        assert!(assembler.next_frame().is_some());
        assert!(assembler.next_frame().is_none());
        assert_eq!(assembler.counters().rejected_bytes, 3);
        assert_eq!(assembler.counters().rejected_frames, 0);
    }

    #[test]
    fn what_is_never_taken_out_stays_bounded() {
        let mut assembler = Assembler::new();
        for _ in 0..100 {
            assembler.push(&[0x01; 600]);
        }
        assert!(assembler.buffer.len() <= CAPACITY);
        assembler.push(&[0; 2 * CAPACITY]);
        assert!(assembler.buffer.len() <= CAPACITY);
        assembler.flush();
        assert_eq!(assembler.counters().rejected_bytes, 60_000 + 8192);
    }

    #[test]
    fn a_module_line_passes_between_the_pieces_of_an_answer() {
        let mut assembler = Assembler::new();
        assembler.push(&ANSWER[..4]);
        assert!(assembler.push(b"AT+NAME?\r"));
        assembler.push(&ANSWER[4..]);
        assert!(assembler.next_frame().is_some());
        assert!(!is_module_line(b"AT+\x00\r") && !is_module_line(b"AT+ADV?"));
    }
}
