//! Which registers a station has, found out with few reads. Knows no radio and
//! no clock: it says what to read, and is told what came of it.
//!
//! A read that touches one register too many is refused as a whole, so what is
//! refused is halved until it is known. A gap of sixty registers would cost a
//! hundred reads that way: there it is enough that the registers at the edges and
//! at the round numbers, where pages begin, are refused each on its own.

use bluetti_modbus::modbus::Operation;
use bluetti_modbus::model::{Generation, private_registers};
use bluetti_modbus::register::{Block, ReadLimit};

use super::log::Line;

/// The last register that is asked for, as in the original.
pub const LAST: u16 = 12_500;

/// What every station takes at once, and what it is asked for once it does.
const SIZES: [u16; 2] = [ReadLimit::SAFE.registers(), ReadLimit::MAX.registers()];

/// Where pages begin.
const ROUND: u16 = 50;

/// A gap that is shorter is halved at once.
const GAP: u16 = 8;

/// So often a read is tried that nobody answers.
const ATTEMPTS: u8 = 2;

/// What is known of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Unknown,
    Readable,
    Refused,
    /// Nobody answered; another run may ask again.
    Silent,
    /// Not asked for: it holds a secret.
    Private,
}

/// The survey of one station.
#[derive(Debug)]
pub struct Survey {
    fates: Vec<Fate>,
    /// Parts of what was refused or unanswered, the next one last.
    ahead: Vec<Block>,
    /// A gap, maybe, and the registers that have to be refused first.
    probing: Option<(Block, Vec<u16>)>,
    size: u16,
    thorough: bool,
    attempts: u8,
}

impl Survey {
    /// Of all registers up to [`LAST`]. A thorough one takes nothing for a gap that
    /// was not refused register by register, and asks for secrets, too. Where they
    /// are depends on the generation; while that is not known, it may be any.
    pub fn new(thorough: bool, generation: Option<Generation>) -> Self {
        let mut fates = vec![Fate::Unknown; usize::from(LAST) + 1];
        if !thorough {
            let all = [Generation::First, Generation::Second].into_iter();
            let possible = all.filter(|of| generation.is_none_or(|known| known == *of));
            for secret in possible.flat_map(private_registers) {
                mark(&mut fates, *secret, Fate::Private);
            }
        }
        Self {
            fates,
            ahead: Vec::new(),
            probing: None,
            size: SIZES[0],
            thorough,
            attempts: 0,
        }
    }

    /// Takes over what an earlier survey has found out, as its log tells it.
    pub fn remember<'l>(&mut self, lines: impl IntoIterator<Item = &'l Line>) {
        let mut refused = Vec::new();
        for line in lines {
            let Operation::Read { start, count } = *line.request.operation() else {
                continue;
            };
            let block = Block::new(start, count);
            if line.words().is_some() {
                mark(&mut self.fates, block, Fate::Readable);
            } else if line.refusal().is_some() && count == 1 {
                mark_unknown(&mut self.fates, block, Fate::Refused);
            } else if line.refusal().is_some() && self.may_be_gap(block) {
                refused.push(block);
            }
        }
        for gap in refused {
            let mut probes = self.probes(gap).into_iter();
            let fate = |register: u16| self.fates.get(usize::from(register));
            if probes.all(|register| fate(register) == Some(&Fate::Refused)) {
                mark_unknown(&mut self.fates, gap, Fate::Refused);
            }
        }
    }

    /// What to read next; `None` when everything is known.
    pub fn next_block(&mut self) -> Option<Block> {
        if let Some((_, probes)) = &self.probing
            && let Some(&register) = probes.last()
        {
            return Some(Block::new(register, 1));
        }
        while let Some(block) = self.ahead.pop() {
            if let Some(part) = self.unknown_part(block) {
                let rest = part.end();
                let left = block.end().saturating_sub(rest);
                if let (Ok(rest), Ok(left)) = (u16::try_from(rest), u16::try_from(left))
                    && left > 0
                {
                    self.ahead.push(Block::new(rest, left));
                }
                self.ahead.push(part);
                return Some(part);
            }
        }
        let first = self.fates.iter().position(|fate| *fate == Fate::Unknown)?;
        let block = Block::new(u16::try_from(first).ok()?, self.size);
        let part = self.unknown_part(block)?;
        self.ahead.push(part);
        Some(part)
    }

    /// The block was answered.
    pub fn answered(&mut self, block: Block) {
        self.attempts = 0;
        mark(&mut self.fates, block, Fate::Readable);
        match self.probing.take() {
            // Part of it is there.
            Some((gap, _)) => self.halve(gap),
            None => {
                self.ahead.pop();
                if block.count >= self.size {
                    self.size = SIZES[1];
                }
            }
        }
    }

    /// The block was refused.
    pub fn refused(&mut self, block: Block) {
        self.attempts = 0;
        if let Some((gap, probes)) = &mut self.probing {
            mark(&mut self.fates, block, Fate::Refused);
            probes.pop();
            if probes.is_empty() {
                mark_unknown(&mut self.fates, *gap, Fate::Refused);
                self.probing = None;
            }
            return;
        }
        self.ahead.pop();
        if block.count == 1 {
            mark(&mut self.fates, block, Fate::Refused);
            return;
        }
        // A station that takes no long reads must not be asked for them again.
        self.size = SIZES[0];
        match self.may_be_gap(block) {
            true => self.probing = Some((block, self.probes(block))),
            false => self.halve(block),
        }
    }

    /// Nobody answered, in spite of all repetitions.
    pub fn unanswered(&mut self, block: Block) {
        self.attempts += 1;
        if self.attempts < ATTEMPTS {
            return;
        }
        self.attempts = 0;
        self.size = SIZES[0];
        if self.probing.is_none() {
            self.ahead.pop();
            if block.count > 1 {
                self.halve(block);
                return;
            }
        } else if let Some((gap, _)) = self.probing.take() {
            self.halve(gap);
        }
        mark(&mut self.fates, block, Fate::Silent);
    }

    /// How many registers there are, and of how many it is known.
    pub fn progress(&self) -> (usize, usize) {
        let unknown = self.fates.iter().filter(|fate| **fate == Fate::Unknown);
        (self.fates.len(), self.fates.len() - unknown.count())
    }

    /// What was found: registers that can be read, that are refused, and that
    /// nobody answered for.
    pub fn found(&self) -> [usize; 3] {
        [Fate::Readable, Fate::Refused, Fate::Silent]
            .map(|wanted| self.fates.iter().filter(|fate| **fate == wanted).count())
    }

    fn may_be_gap(&self, block: Block) -> bool {
        !self.thorough && (GAP..=SIZES[0]).contains(&block.count)
    }

    /// The first run of unknown registers in a block.
    fn unknown_part(&self, block: Block) -> Option<Block> {
        let fates = self.fates.get(usize::from(block.start)..)?;
        let fates = fates.iter().take(usize::from(block.count));
        let mut run: Option<Block> = None;
        for (register, fate) in (block.start..).zip(fates) {
            match (&mut run, fate) {
                (None, Fate::Unknown) => run = Some(Block::new(register, 1)),
                (Some(run), Fate::Unknown) => run.count += 1,
                (Some(_), _) => break,
                (None, _) => {}
            }
        }
        run
    }

    /// The registers of a gap that are asked for one by one, the next one last.
    fn probes(&self, gap: Block) -> Vec<u16> {
        let last = gap.start.saturating_add(gap.count - 1);
        let edges = |register: u16| register == gap.start || register == last;
        let mut probes: Vec<u16> = (gap.start..=last)
            .filter(|&register| edges(register) || register % ROUND == 0)
            .collect();
        probes.reverse();
        probes
    }

    fn halve(&mut self, block: Block) {
        if let Some((first, second)) = block.split() {
            self.ahead.push(second);
            self.ahead.push(first);
        }
    }
}

fn mark(fates: &mut [Fate], block: Block, fate: Fate) {
    for known in registers(fates, block) {
        *known = fate;
    }
}

fn mark_unknown(fates: &mut [Fate], block: Block, fate: Fate) {
    for known in registers(fates, block).filter(|known| **known == Fate::Unknown) {
        *known = fate;
    }
}

fn registers(fates: &mut [Fate], block: Block) -> impl Iterator<Item = &mut Fate> {
    let behind = fates.iter_mut().skip(usize::from(block.start));
    behind.take(usize::from(block.count))
}

#[cfg(test)]
mod tests {
    use bluetti_modbus::Error;
    use bluetti_modbus::modbus::{ExceptionCode, UnitId};

    use super::*;

    /// A station with these blocks, which takes so many registers at once. What
    /// it tells, how many reads that took, and the longest of them.
    fn survey(survey: &mut Survey, there: &[Block], longest: u16) -> (Vec<u16>, usize, u16) {
        let mut found = Vec::new();
        let (mut reads, mut most) = (0, 0);
        while let Some(block) = survey.next_block() {
            reads += 1;
            assert!(reads < 40_000, "no end");
            let fits = block.count <= longest && block.count > 0;
            if fits && there.iter().any(|there| there.contains(block)) {
                found.extend((block.start..).take(usize::from(block.count)));
                most = most.max(block.count);
                survey.answered(block);
            } else {
                survey.refused(block);
            }
        }
        found.sort_unstable();
        found.dedup();
        (found, reads, most)
    }

    /// The readable windows of an EL300.
    const ELITE: [Block; 13] = [
        Block::new(0, 20),
        Block::new(100, 100),
        Block::new(700, 60),
        Block::new(1100, 80),
        Block::new(1200, 140),
        Block::new(1400, 70),
        Block::new(1500, 60),
        Block::new(1600, 10),
        Block::new(2000, 90),
        Block::new(2200, 80),
        Block::new(2400, 50),
        Block::new(2500, 40),
        Block::new(3000, 30),
    ];

    fn all(there: &[Block]) -> Vec<u16> {
        let each = |block: &Block| (block.start..).take(usize::from(block.count));
        there.iter().flat_map(each).collect()
    }

    #[test]
    fn every_page_is_found_with_a_sixth_of_the_reads() {
        let mut quick = Survey::new(false, None);
        let (found, reads, _) = survey(&mut quick, &ELITE, 125);
        let secret = |register: &u16| {
            let blocks = [Generation::First, Generation::Second].map(private_registers);
            let mut blocks = blocks.into_iter().flatten();
            blocks.any(|block| block.contains(Block::new(*register, 1)))
        };
        let public: Vec<u16> = all(&ELITE).into_iter().filter(|r| !secret(r)).collect();
        assert_eq!(found, public);
        assert!(reads < 12_501 / 5, "{reads}");
        assert_eq!(quick.progress(), (12_501, 12_501));
        assert_eq!(quick.found()[0], public.len());
    }

    #[test]
    fn what_is_secret_depends_on_the_generation() {
        let there = [Block::new(0, LAST + 1)];
        let found = |generation| {
            let mut quick = Survey::new(false, generation);
            survey(&mut quick, &there, 125).0
        };
        // The model's name stands where others have a PIN.
        let first = found(Some(Generation::First));
        assert!(first.contains(&10) && first.contains(&174) && !first.contains(&9));
        let second = found(Some(Generation::Second));
        assert!(!second.contains(&10) && !second.contains(&2200) && second.contains(&5017));
        let any = found(None);
        assert!(
            ![9, 10, 174, 2200, 5017]
                .iter()
                .any(|secret| any.contains(secret))
        );
    }

    #[test]
    fn a_thorough_one_finds_what_stands_alone() {
        let there = [
            Block::new(16, 1),
            Block::new(5013, 2),
            Block::new(12_018, 1),
        ];
        let (found, ..) = survey(&mut Survey::new(true, None), &there, 125);
        assert_eq!(found, [16, 5013, 5014, 12_018]);
    }

    #[test]
    fn a_station_that_takes_more_at_once_is_asked_for_more() {
        let there = [Block::new(0, LAST + 1)];
        let (found, reads, most) = survey(&mut Survey::new(true, None), &there, 125);
        assert_eq!((found.len(), most), (12_501, 125));
        assert!(reads < 110, "{reads}");
    }

    #[test]
    fn a_station_that_takes_ten_at_once_is_read_all_the_same() {
        let (found, ..) = survey(&mut Survey::new(false, None), &ELITE, 10);
        assert!(found.len() > 700, "{}", found.len());
        let (found, ..) = survey(&mut Survey::new(true, None), &ELITE, 10);
        assert_eq!(found, all(&ELITE));
    }

    #[test]
    fn silence_is_no_refusal() {
        let mut quiet = Survey::new(true, None);
        let mut reads = 0;
        while let Some(block) = quiet.next_block() {
            reads += 1;
            assert!(reads < 100_000, "no end");
            match block.contains(Block::new(16, 1)) {
                true => quiet.unanswered(block),
                false => quiet.answered(block),
            }
        }
        assert_eq!(quiet.found(), [12_500, 0, 1]);
    }

    /// The line of a log.
    fn line(block: Block, answered: bool) -> Line {
        let unit = UnitId(1);
        let refused = Error::Refused {
            unit,
            register: block.start,
            code: ExceptionCode::IllegalDataAddress,
        };
        let words = vec![7; usize::from(block.count)];
        let result = answered.then_some(words).ok_or(refused);
        Line::read(unit, block.start, block.count, &result).unwrap()
    }

    #[test]
    fn a_second_run_asks_only_for_what_is_not_known() {
        let mut first = Survey::new(false, None);
        let mut log = Vec::new();
        while let Some(block) = first.next_block() {
            let answered = ELITE.iter().any(|there| there.contains(block));
            log.push(line(block, answered));
            match answered {
                true => first.answered(block),
                false => first.refused(block),
            }
        }
        let mut again = Survey::new(false, None);
        again.remember(&log);
        assert_eq!(again.next_block(), None);
        assert_eq!(again.found(), first.found());

        let half = log.len() / 2;
        let mut rest = Survey::new(false, None);
        rest.remember(&log[..half]);
        let (_, reads, _) = survey(&mut rest, &ELITE, 125);
        assert!(reads <= log.len() - half + 20, "{reads} of {}", log.len());
    }
}
