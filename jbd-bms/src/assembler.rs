//! Notification chunks in, frames out, whatever happened on the way.
//!
//! Chunk borders mean nothing: an answer may arrive whole, in pieces of 20
//! bytes, with its last byte alone, glued to the next answer or behind stray
//! bytes. Whenever bytes cannot be a frame, exactly one of them is dropped and
//! the search goes on, so one damaged answer never costs the next.

use alloc::vec::Vec;

use crate::frame::{self, Frame, START, Scan};

/// How many received bytes are kept at most. A caller that takes the frames out
/// after each chunk never comes near it; otherwise the oldest bytes are dropped
/// and counted as rejected.
pub const CAPACITY: usize = 4096;

/// Puts frames together from chunks.
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
    /// Sound frames.
    pub frames: u64,
    /// Frames of the Bluetooth module (`FF AA`).
    pub module_frames: u64,
    /// Bytes that belonged to no frame.
    pub rejected_bytes: u64,
    /// Candidates with a plausible head but a wrong end mark or checksum.
    pub rejected_frames: u64,
    /// Refusals that came with checksum 0000.
    pub zero_checksums: u64,
}

impl Assembler {
    /// An empty assembler with its buffer allocated once.
    #[must_use]
    pub fn new() -> Self {
        Self {
            buffer: Vec::with_capacity(2 * frame::MAX_LEN),
            ..Self::default()
        }
    }

    /// Adds one notification. A chunk that is a complete frame of the Bluetooth
    /// module is returned instead of entering the stream: the module always
    /// sends those whole, even between two pieces of an answer.
    pub fn push<'c>(&mut self, chunk: &'c [u8]) -> Option<ModuleFrame<'c>> {
        if let Some(frame) = ModuleFrame::parse(chunk) {
            self.counters.module_frames += 1;
            return Some(frame);
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
        None
    }

    /// The next complete frame, or `None` until more bytes arrive.
    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        let from = loop {
            let rest = self.buffer.get(self.taken..).unwrap_or_default();
            let junk = rest
                .iter()
                .position(|&byte| byte == START)
                .unwrap_or(rest.len());
            if junk > 0 {
                self.taken += junk;
                self.reject(junk);
                continue;
            }
            match frame::scan(rest) {
                Ok(Scan::Incomplete) => return None,
                Ok(Scan::Complete { len }) => {
                    let from = self.taken;
                    self.taken += len;
                    break from;
                }
                Err(error) => {
                    if matches!(
                        error,
                        crate::FrameError::End(_) | crate::FrameError::Checksum { .. }
                    ) {
                        self.counters.rejected_frames += 1;
                    }
                    self.taken += 1;
                    self.reject(1);
                }
            }
        };
        let frame = self.buffer.get(from..self.taken).and_then(Frame::checked)?;
        self.counters.frames += 1;
        self.counters.zero_checksums += u64::from(frame.zero_checksum);
        Some(frame)
    }

    /// Forgets what is incomplete and counts it as rejected. To be called when
    /// the next request is written, when the link is lost, and after about a
    /// second of silence: a damaged length byte could otherwise demand bytes
    /// that never come.
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

/// A frame of the Bluetooth module itself: `FF AA`, command, length, data, sum.
///
/// Modules use them for their own login and settings; boards behind the module
/// never see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModuleFrame<'a> {
    /// The module's command number.
    pub command: u8,
    /// The content.
    pub data: &'a [u8],
}

impl<'a> ModuleFrame<'a> {
    /// The frame that `chunk` is, if it is exactly one.
    #[must_use]
    pub fn parse(chunk: &'a [u8]) -> Option<Self> {
        let (&[0xFF, 0xAA, command, len], rest) = chunk.split_first_chunk::<4>()? else {
            return None;
        };
        let (&sum, data) = rest.split_last()?;
        let sound = data.len() == usize::from(len) && sum == module_sum(command, len, data);
        sound.then_some(Self { command, data })
    }
}

pub(crate) fn module_sum(command: u8, len: u8, data: &[u8]) -> u8 {
    data.iter().fold(command.wrapping_add(len), |sum, &byte| {
        sum.wrapping_add(byte)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELLS: [u8; 9] = [0xDD, 0x04, 0x00, 0x02, 0x0C, 0xE4, 0xFF, 0x0E, 0x77];

    #[test]
    fn junk_in_front_is_dropped_and_counted() {
        let mut assembler = Assembler::new();
        assembler.push(&[0x00]);
        assembler.push(&[0xDD, 0x01]);
        assembler.push(&CELLS);
        assert_eq!(assembler.next_frame().unwrap().register, 4);
        assert!(assembler.next_frame().is_none());
        assert_eq!(assembler.counters().rejected_bytes, 3);
        assert_eq!(assembler.counters().rejected_frames, 0);
    }

    #[test]
    fn what_is_never_taken_out_stays_bounded() {
        let mut assembler = Assembler::new();
        for _ in 0..100 {
            assembler.push(&[0xDD; 600]);
        }
        assert!(assembler.buffer.len() <= CAPACITY);
        assembler.push(&[0; 2 * CAPACITY]);
        assert!(assembler.buffer.len() <= CAPACITY);
        assembler.flush();
        assert_eq!(assembler.counters().rejected_bytes, 60_000 + 8192);
    }

    #[test]
    fn a_module_frame_passes_between_the_pieces_of_an_answer() {
        let mut assembler = Assembler::new();
        assembler.push(&CELLS[..5]);
        let module = assembler
            .push(&[0xFF, 0xAA, 0x17, 0x01, 0x24, 0x3C])
            .unwrap();
        assert_eq!((module.command, module.data), (0x17, &[0x24][..]));
        assembler.push(&CELLS[5..]);
        assert!(assembler.next_frame().is_some());
    }

    #[test]
    fn a_module_frame_with_a_wrong_sum_is_junk() {
        assert_eq!(
            ModuleFrame::parse(&[0xFF, 0xAA, 0x17, 0x01, 0x24, 0x3D]),
            None
        );
        assert_eq!(ModuleFrame::parse(&[0xFF, 0xAA, 0x17]), None);
    }
}
