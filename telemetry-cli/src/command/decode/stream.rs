//! Frames from the notifications of one device.

use jbd_bms::assembler::{Assembler, ModuleFrame};
use jbd_bms::frame::{Frame, OVERHEAD};

/// The most that is given to the assembler at once: far below what it keeps, so
/// that nothing is lost however long a chunk is.
const PIECE: usize = 1024;

/// An assembler that gives up nothing at the end.
///
/// A client clears what is incomplete when it asks anew. Who only listens does
/// not know when that was, and waits on; a damaged length byte then swallows
/// sound answers behind it, which [`finish`](Self::finish) brings to light.
#[derive(Debug, Default)]
pub struct Stream {
    assembler: Assembler,
    /// What the assembler holds, byte by byte.
    waiting: Vec<u8>,
    /// Bytes that were flushed, hence counted, and then read again.
    given_back: u64,
}

/// Something complete.
#[derive(Debug, Clone, Copy)]
pub enum Heard<'a> {
    /// From the board.
    Frame(Frame<'a>),
    /// From the Bluetooth module in front of it.
    Module(ModuleFrame<'a>),
}

/// What belonged to no frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rejected {
    /// Bytes.
    pub bytes: u64,
    /// Whole frames that were damaged; their bytes are among the bytes.
    pub frames: u64,
}

impl Rejected {
    /// Counts the others, too.
    pub fn add(&mut self, others: Self) {
        self.bytes += others.bytes;
        self.frames += others.frames;
    }
}

impl Stream {
    /// Takes a notification and passes on what it completes.
    ///
    /// # Errors
    /// What `each` fails with.
    pub fn push<E>(
        &mut self,
        chunk: &[u8],
        mut each: impl FnMut(Heard<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        for piece in chunk.chunks(PIECE) {
            self.push_piece(piece, &mut each)?;
        }
        Ok(())
    }

    /// Looks through what is incomplete for frames that are not, and rejects
    /// the rest.
    ///
    /// # Errors
    /// What `each` fails with.
    pub fn finish<E>(&mut self, mut each: impl FnMut(Heard<'_>) -> Result<(), E>) -> Result<(), E> {
        while let Some((_, behind)) = std::mem::take(&mut self.waiting).split_first() {
            self.assembler.flush();
            self.given_back += behind.len() as u64;
            // Byte by byte, because only a notification of its own is a frame
            // of the module.
            for byte in behind.chunks(1) {
                self.push_piece(byte, &mut each)?;
            }
        }
        Ok(())
    }

    /// What belonged to no frame so far.
    pub fn rejected(&self) -> Rejected {
        let counters = self.assembler.counters();
        Rejected {
            bytes: counters.rejected_bytes - self.given_back,
            frames: counters.rejected_frames,
        }
    }

    fn push_piece<E>(
        &mut self,
        piece: &[u8],
        each: &mut impl FnMut(Heard<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let rejected_before = self.assembler.counters().rejected_bytes;
        if let Some(module) = self.assembler.push(piece) {
            return each(Heard::Module(module));
        }
        let mut framed = 0;
        while let Some(frame) = self.assembler.next_frame() {
            framed += frame.data.len() + OVERHEAD;
            each(Heard::Frame(frame))?;
        }
        let rejected = self.assembler.counters().rejected_bytes - rejected_before;
        let gone = framed + usize::try_from(rejected).unwrap_or(usize::MAX);
        self.waiting.extend_from_slice(piece);
        self.waiting.drain(..gone.min(self.waiting.len()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    const CELLS: [u8; 9] = [0xDD, 0x04, 0x00, 0x02, 0x0C, 0xE4, 0xFF, 0x0E, 0x77];

    /// Registers heard, bytes in frames, and what was rejected.
    fn hear(chunks: &[&[u8]]) -> (Vec<u8>, usize, Rejected) {
        let mut stream = Stream::default();
        let (mut heard, mut framed) = (Vec::new(), 0);
        let mut each = |this: Heard<'_>| {
            match this {
                Heard::Frame(frame) => {
                    heard.push(frame.register);
                    framed += frame.data.len() + OVERHEAD;
                }
                Heard::Module(module) => {
                    heard.push(module.command);
                    framed += module.data.len() + 5;
                }
            }
            Ok::<(), Infallible>(())
        };
        for chunk in chunks {
            stream.push(chunk, &mut each).unwrap();
        }
        stream.finish(&mut each).unwrap();
        (heard, framed, stream.rejected())
    }

    #[test]
    fn a_damaged_length_does_not_swallow_the_last_answers() {
        let damaged = [0xDD, 0x03, 0x00, 0xFF, 0x05];
        let (heard, _, rejected) = hear(&[&damaged, &CELLS, &CELLS, &[0xDD, 0x04]]);
        assert_eq!(heard, [4, 4]);
        assert_eq!((rejected.bytes, rejected.frames), (7, 0));
    }

    #[test]
    fn a_chunk_longer_than_the_assembler_is_read_whole() {
        let many = CELLS.repeat(2000);
        let (heard, _, rejected) = hear(&[&many]);
        assert_eq!((heard.len(), rejected), (2000, Rejected::default()));
    }

    proptest! {
        #[test]
        fn every_byte_is_framed_or_rejected(
            parts in prop::collection::vec(
                prop_oneof![
                    Just(CELLS.to_vec()),
                    Just(vec![0xFF, 0xAA, 0x17, 0x01, 0x24, 0x3C]),
                    Just(vec![0xDD, 0x03, 0x00, 0x40]),
                    prop::collection::vec(any::<u8>(), 0..40),
                ],
                0..40,
            ),
        ) {
            let chunks: Vec<_> = parts.iter().map(Vec::as_slice).collect();
            let (_, framed, rejected) = hear(&chunks);
            let all: usize = parts.iter().map(Vec::len).sum();
            prop_assert_eq!(framed + rejected.bytes as usize, all);
        }
    }
}
