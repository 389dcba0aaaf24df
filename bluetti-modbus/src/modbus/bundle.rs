//! Several blocks, of several units, with one request. **Experimental**: the
//! vendor's app has it, the layout was published by one observer, and nobody has
//! confirmed it on a station.
//!
//! The request is a write of function 16 to register 21000 of unit 0; the answer
//! is no MODBUS answer, so [`Session`](crate::session::Session) does not take it.

use alloc::vec::Vec;

use super::{Request, RequestError, UnitId, Words, crc16_modbus};
use crate::register::Block;

const REGISTER: u16 = 21_000;
const HEAD: [u16; 2] = [0x9C45, 0x0101];
const ANSWER_HEAD: [u8; 3] = [0x40, 0x00, 0x04];
/// Unit, register and length in front of each block's values.
const ITEM_HEAD: usize = 5;

/// The values of one block out of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    /// Whose registers they are.
    pub unit: UnitId,
    /// The first register.
    pub start: u16,
    /// The values.
    pub words: Words<'a>,
}

/// Asks for blocks, each of its unit.
///
/// # Errors
///
/// [`RequestError`] for more than 40 blocks.
pub fn request(blocks: &[(UnitId, Block)]) -> Result<Request, RequestError> {
    let items = blocks.iter().flat_map(|&(unit, block)| {
        let bytes = block.count.saturating_mul(2);
        [u16::from(unit.0), block.start, bytes]
    });
    let values: Vec<u16> = HEAD.into_iter().chain(items).collect();
    Request::write_many(UnitId::HOST, REGISTER, &values)
}

/// The blocks of a complete answer; `None` if it is none, or damaged.
#[must_use]
pub fn items(answer: &[u8]) -> Option<Vec<Item<'_>>> {
    let (content, &crc) = answer.split_last_chunk()?;
    if crc16_modbus(content) != u16::from_le_bytes(crc) {
        return None;
    }
    let mut rest = content.strip_prefix(&ANSWER_HEAD)?;
    let mut items = Vec::new();
    while let Some((&[unit, r0, r1, l0, l1], behind)) = rest.split_first_chunk::<ITEM_HEAD>() {
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        let (values, behind) = behind.split_at_checked(len)?;
        items.push(Item {
            unit: UnitId(unit),
            start: u16::from_be_bytes([r0, r1]),
            words: Words::new(values)?,
        });
        rest = behind;
    }
    rest.is_empty().then_some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(digits: &str) -> Vec<u8> {
        let pairs = (0..digits.len()).step_by(2);
        pairs
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
            .collect()
    }

    #[test]
    fn requests_follow_the_published_formula() {
        let home = Block::new(100, 62);
        let settings = Block::new(2000, 67);
        let more = Block::new(2200, 29);
        for (unit, blocks, frame) in [
            (1, &[home][..], "0010520800050a9c45010100010064007cefbe"),
            (
                1,
                &[home, settings, more],
                "00105208000b169c45010100010064007c000107d0008600010898003ab1bb",
            ),
            (
                0,
                &[settings, more],
                "001052080008109c450101000007d0008600000898003a6cfe",
            ),
        ] {
            let unit = UnitId(unit);
            let blocks: Vec<_> = blocks.iter().map(|&block| (unit, block)).collect();
            assert_eq!(request(&blocks).unwrap().to_rtu(), bytes(frame));
        }
        assert!(request(&[(UnitId(1), home); 41]).is_err());
    }

    #[test]
    fn an_answer_is_taken_apart() {
        let mut answer = bytes("4000040100640004004c00020107d000020003");
        answer.extend(crc16_modbus(&answer).to_le_bytes());
        let found = items(&answer).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|item| (item.unit.0, item.start, item.words.to_vec()))
            .collect();
        assert_eq!(found, [(1, 100, [76, 2].to_vec()), (1, 2000, [3].to_vec())]);
        for len in 0..answer.len() {
            assert_eq!(items(&answer[..len]), None);
        }
    }
}
