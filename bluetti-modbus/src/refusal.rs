//! Reads of blocks that a station may refuse as a whole.
//!
//! A read that touches one register too many is refused altogether, and which
//! registers a model has differs by firmware. [`BlockReader`] halves what is
//! refused until it knows, and [`Refusals`] remembers it, so that it is asked for
//! once per station and not once per poll.
//!
//! ```
//! use bluetti_modbus::modbus::ExceptionCode;
//! use bluetti_modbus::refusal::{BlockReader, Refusals};
//! use bluetti_modbus::register::Block;
//!
//! let mut refusals = Refusals::default();
//! let mut reader = BlockReader::new(&[Block::new(100, 2)], &refusals);
//! while let Some(block) = reader.next_block() {
//!     // A station without register 101.
//!     if block.end() > 101 {
//!         reader.refused(block, ExceptionCode::IllegalDataAddress, &mut refusals);
//!     } else {
//!         reader.answered(block, &[7]);
//!     }
//! }
//! assert_eq!(reader.into_registers().get(100), Some(7));
//! assert!(refusals.is_refused(101) && !refusals.is_refused(100));
//! ```

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;

use crate::modbus::ExceptionCode;
use crate::register::{Block, Registers};

/// A block that is refused, like its first, middle and last register alone, is
/// taken to be missing as a whole if it is at least so long.
const PROBED: u16 = 8;

/// What a unit of a station refused to tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusals {
    /// Registers refused on their own, or with all of their block.
    registers: BTreeSet<u16>,
    /// Blocks that are refused as a whole, although parts of them are not.
    blocks: BTreeSet<Block>,
}

impl Refusals {
    /// Whether a register is known to be refused.
    #[must_use]
    pub fn is_refused(&self, register: u16) -> bool {
        self.registers.contains(&register)
    }

    /// The registers that are known to be refused, ascending.
    pub fn registers(&self) -> impl Iterator<Item = u16> + '_ {
        self.registers.iter().copied()
    }

    /// The parts of a block that are worth asking for.
    fn readable(&self, block: Block, parts: &mut VecDeque<Block>) {
        let mut run: Option<Block> = None;
        for register in (block.start..).take(usize::from(block.count)) {
            if self.is_refused(register) {
                if let Some(run) = run.take() {
                    self.accepted(run, parts);
                }
                continue;
            }
            match &mut run {
                Some(run) => run.count += 1,
                None => run = Some(Block::new(register, 1)),
            }
        }
        if let Some(run) = run {
            self.accepted(run, parts);
        }
    }

    /// Halves as often as it was refused before.
    fn accepted(&self, block: Block, parts: &mut VecDeque<Block>) {
        match block.split().filter(|_| self.blocks.contains(&block)) {
            None => parts.push_back(block),
            Some((first, second)) => {
                self.accepted(first, parts);
                self.accepted(second, parts);
            }
        }
    }
}

/// Reads blocks, or as much of them as there is. IO-free: says what to ask for
/// and is told what came of it.
#[derive(Debug)]
pub struct BlockReader {
    ahead: VecDeque<Block>,
    /// Blocks that may be missing as a whole, and the single registers that are
    /// still to be asked for to know it.
    probing: Option<(Block, Vec<u16>)>,
    registers: Registers,
}

impl BlockReader {
    /// A reader of these blocks, but for what is known to be refused.
    #[must_use]
    pub fn new(blocks: &[Block], refusals: &Refusals) -> Self {
        let mut ahead = VecDeque::new();
        for &block in blocks {
            refusals.readable(block, &mut ahead);
        }
        Self {
            ahead,
            probing: None,
            registers: Registers::new(),
        }
    }

    /// What to ask for next; `None` when everything was answered or refused.
    pub fn next_block(&mut self) -> Option<Block> {
        if let Some((_, probes)) = &self.probing
            && let Some(&register) = probes.last()
        {
            return Some(Block::new(register, 1));
        }
        self.ahead.front().copied()
    }

    /// The block was answered.
    pub fn answered(&mut self, block: Block, words: &[u16]) {
        self.registers.insert(block.start, words);
        if let Some((whole, _)) = self.probing.take() {
            // Part of it is there.
            self.halve(whole);
        } else {
            self.ahead.pop_front();
        }
    }

    /// The block was refused. Illegal address and illegal value mean that it
    /// cannot be read like this; `false` for anything else, which is not for the
    /// reader to decide.
    pub fn refused(&mut self, block: Block, code: ExceptionCode, refusals: &mut Refusals) -> bool {
        let is_about_registers = matches!(
            code,
            ExceptionCode::IllegalDataAddress | ExceptionCode::IllegalDataValue
        );
        if !is_about_registers {
            return false;
        }
        if let Some((whole, probes)) = &mut self.probing {
            refusals.registers.insert(block.start);
            probes.pop();
            if probes.is_empty() {
                let missing = (whole.start..).take(usize::from(whole.count));
                refusals.registers.extend(missing);
                self.probing = None;
            }
            return true;
        }
        self.ahead.pop_front();
        if block.count == 1 {
            refusals.registers.insert(block.start);
            return true;
        }
        refusals.blocks.insert(block);
        if block.count >= PROBED && code == ExceptionCode::IllegalDataAddress {
            let at = |offset: u16| block.start.saturating_add(offset);
            let probes = [at(block.count / 2), at(block.count - 1), block.start];
            self.probing = Some((block, probes.to_vec()));
        } else {
            self.halve(block);
        }
        true
    }

    /// What was read.
    #[must_use]
    pub fn into_registers(self) -> Registers {
        self.registers
    }

    fn halve(&mut self, block: Block) {
        if let Some((first, second)) = block.split() {
            self.ahead.push_front(second);
            self.ahead.push_front(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A station with these blocks; counts the requests that reading takes.
    fn read(there: &[Block], wanted: &[Block], refusals: &mut Refusals) -> (Vec<u16>, usize) {
        let mut reader = BlockReader::new(wanted, refusals);
        let mut requests = 0;
        while let Some(block) = reader.next_block() {
            requests += 1;
            if there.iter().any(|there| there.contains(block)) {
                let words: Vec<u16> = (block.start..).take(usize::from(block.count)).collect();
                reader.answered(block, &words);
            } else {
                let code = ExceptionCode::IllegalDataAddress;
                assert!(reader.refused(block, code, refusals));
            }
        }
        let registers = reader.into_registers();
        let found = registers.runs().flat_map(|(start, words)| {
            assert_eq!(words.first(), Some(&start));
            words.to_vec()
        });
        (found.collect(), requests)
    }

    #[test]
    fn what_is_refused_is_learned_once() {
        let there = [Block::new(100, 53)];
        let wanted = [Block::new(100, 60)];
        let mut refusals = Refusals::default();
        let (found, requests) = read(&there, &wanted, &mut refusals);
        assert_eq!(found, (100..153).collect::<Vec<u16>>());
        assert!(requests < 30, "{requests}");
        assert!(refusals.registers().eq(153..160));
        let (found, requests) = read(&there, &wanted, &mut refusals);
        assert_eq!((found.len(), requests), (53, 1));
    }

    #[test]
    fn a_border_between_two_blocks_is_learned() {
        let there = [Block::new(3000, 34), Block::new(3034, 33)];
        let wanted = [Block::new(3000, 67)];
        let mut refusals = Refusals::default();
        let (found, _) = read(&there, &wanted, &mut refusals);
        assert_eq!(found.len(), 67);
        let (found, requests) = read(&there, &wanted, &mut refusals);
        assert_eq!(found.len(), 67);
        assert!(requests <= 8, "{requests}");
        assert_eq!(refusals.registers().count(), 0);
    }

    #[test]
    fn a_missing_page_costs_four_requests_once() {
        let mut refusals = Refusals::default();
        let wanted = [Block::new(6000, 60), Block::new(100, 10)];
        let there = [Block::new(100, 10)];
        let (found, requests) = read(&there, &wanted, &mut refusals);
        assert_eq!((found.len(), requests), (10, 5));
        let (found, requests) = read(&there, &wanted, &mut refusals);
        assert_eq!((found.len(), requests), (10, 1));
    }

    #[test]
    fn a_failing_station_is_not_a_missing_register() {
        let mut refusals = Refusals::default();
        let block = Block::new(100, 10);
        let mut reader = BlockReader::new(&[block], &refusals);
        let code = ExceptionCode::ServerDeviceFailure;
        assert!(!reader.refused(block, code, &mut refusals));
        assert_eq!(refusals, Refusals::default());
    }
}
