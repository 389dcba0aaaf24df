//! Answers to one request out of notifications, whatever happened on the way.

use bluetti_modbus::assembler::is_module_line;
use bluetti_modbus::modbus::{Frame, Operation, Request};

use crate::command::decode::stream::Rejected;

const EXCEPTION: u8 = 0x80;
const REFUSAL_LEN: usize = 5;

/// Looks for the answers to a request that is known. Knowing it is what makes a
/// damaged length harmless: nothing else can begin an answer.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// What may still become an answer: shorter than one.
    waiting: Vec<u8>,
    rejected: Rejected,
    /// Lines of the Bluetooth module.
    pub(super) module_lines: u64,
}

/// What begins here.
enum Head {
    Nothing,
    Incomplete,
    Complete(usize),
}

impl Answers {
    /// Takes a notification and passes on what it completes.
    pub(super) fn push<E>(
        &mut self,
        chunk: &[u8],
        asked: &Asked,
        mut each: impl FnMut(&Frame<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        // Modules send them whole, even between two pieces of an answer.
        if is_module_line(chunk) {
            self.module_lines += 1;
            return Ok(());
        }
        self.waiting.extend_from_slice(chunk);
        self.take(asked, false, &mut each)
    }

    /// Looks through what is incomplete for answers that are not, and rejects
    /// the rest.
    pub(super) fn finish<E>(
        &mut self,
        asked: &Asked,
        mut each: impl FnMut(&Frame<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.take(asked, true, &mut each)
    }

    /// What belonged to no answer so far.
    pub(super) fn rejected(&self) -> Rejected {
        self.rejected
    }

    fn take<E>(
        &mut self,
        asked: &Asked,
        ended: bool,
        each: &mut impl FnMut(&Frame<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let buffer = std::mem::take(&mut self.waiting);
        let mut rest = buffer.as_slice();
        let mut result = Ok(());
        while !rest.is_empty() && result.is_ok() {
            let len = match asked.head(rest) {
                Head::Incomplete if !ended => break,
                Head::Incomplete | Head::Nothing => None,
                Head::Complete(len) => {
                    let frame = rest.get(..len).and_then(|bytes| asked.answer(bytes));
                    match frame {
                        Some(frame) => {
                            result = each(&frame);
                            Some(len)
                        }
                        None => {
                            self.rejected.frames += 1;
                            None
                        }
                    }
                }
            };
            self.rejected.bytes += u64::from(len.is_none());
            rest = rest.get(len.unwrap_or(1)..).unwrap_or_default();
        }
        self.waiting = rest.to_vec();
        result
    }
}

/// A request, and whose answers to it count.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) request: Request,
    /// Any unit's if `None`.
    pub(super) unit: Option<u8>,
}

impl Asked {
    fn head(&self, bytes: &[u8]) -> Head {
        let (function, count) = match self.request.operation() {
            Operation::Read { count, .. } => (0x03, u8::try_from(2 * count).ok()),
            Operation::WriteSingle { .. } => (0x06, None),
            _ => (0x10, None),
        };
        match *bytes {
            [unit, ..] if self.unit.is_some_and(|wanted| wanted != unit) => return Head::Nothing,
            [_] => return Head::Incomplete,
            _ => {}
        }
        let len = match bytes.get(1) {
            Some(&found) if found == function => match (count, bytes.get(2)) {
                (Some(count), Some(&found)) if found != count => return Head::Nothing,
                _ => self.request.answer_len(),
            },
            Some(&found) if found == function | EXCEPTION => REFUSAL_LEN,
            _ => return Head::Nothing,
        };
        match bytes.len() < len {
            true => Head::Incomplete,
            false => Head::Complete(len),
        }
    }

    fn answer<'a>(&self, bytes: &'a [u8]) -> Option<Frame<'a>> {
        let (frame, _) = Frame::parse(bytes).ok()??;
        // Which unit it may be was asked before.
        let accepted = self.request.accepts(self.request.unit(), &frame.answer);
        accepted.then_some(frame)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use bluetti_modbus::modbus::UnitId;
    use proptest::prelude::*;

    use super::*;

    const ANSWER: [u8; 7] = [0x01, 0x03, 0x02, 0x07, 0xD5, 0x7B, 0xEB];
    const REFUSAL: [u8; 5] = [0x01, 0x83, 0x02, 0xC0, 0xF1];

    /// How many answers are heard, and what was rejected.
    fn hear(chunks: &[&[u8]], unit: Option<u8>) -> (usize, Rejected) {
        let (heard, rejected) = hear_lengths(chunks, unit);
        (heard.len(), rejected)
    }

    /// The lengths of the answers that are heard, and what was rejected.
    fn hear_lengths(chunks: &[&[u8]], unit: Option<u8>) -> (Vec<usize>, Rejected) {
        let request = Request::read(UnitId(1), 16, 1).unwrap();
        let asked = Asked { request, unit };
        let mut answers = Answers::default();
        let mut heard = Vec::new();
        let mut each = |frame: &Frame<'_>| {
            heard.push(frame.to_bytes().len());
            Ok::<(), Infallible>(())
        };
        for chunk in chunks {
            answers.push(chunk, &asked, &mut each).unwrap();
            assert!(answers.waiting.len() < 7);
        }
        answers.finish(&asked, &mut each).unwrap();
        (heard, answers.rejected())
    }

    #[test]
    fn split_merged_and_damaged_answers() {
        let merged = [&ANSWER[..], &REFUSAL, &ANSWER].concat();
        assert_eq!(hear(&[&merged], None), (3, Rejected::default()));
        let bytes: Vec<&[u8]> = merged.chunks(1).collect();
        assert_eq!(hear(&bytes, None).0, 3);
        // The byte count is damaged, or the answer breaks off.
        let damaged = [0x01, 0x03, 0x42, 0x07, 0xD5, 0x7B, 0xEB];
        let (heard, rejected) = hear(
            &[&damaged, &ANSWER[..5], &ANSWER, b"AT+NAME?\r", &REFUSAL],
            None,
        );
        assert_eq!((heard, rejected.bytes), (2, 12));
        let mut flipped = ANSWER;
        flipped[3] ^= 1;
        assert_eq!(
            hear(&[&flipped], None),
            (
                0,
                Rejected {
                    bytes: 7,
                    frames: 1
                }
            )
        );
        // A read of another length, and another unit.
        assert_eq!(
            hear(&[&[0x01, 0x03, 0x04, 0, 0, 0, 0, 0xFA, 0x33]], None).0,
            0
        );
        assert_eq!(hear(&[&ANSWER], Some(0)).0, 0);
        assert_eq!(hear(&[&ANSWER], Some(1)).0, 1);
    }

    proptest! {
        #[test]
        fn every_byte_is_heard_or_rejected(
            parts in prop::collection::vec(
                prop_oneof![
                    Just(ANSWER.to_vec()),
                    prop::collection::vec(prop_oneof![any::<u8>(), Just(1), Just(3), Just(2)], 0..20),
                ],
                0..30,
            ),
        ) {
            let chunks: Vec<_> = parts.iter().map(Vec::as_slice).collect();
            let (heard, rejected) = hear_lengths(&chunks, None);
            let all: usize = parts.iter().map(Vec::len).sum();
            prop_assert_eq!(heard.iter().sum::<usize>() + rejected.bytes as usize, all);
        }
    }
}
