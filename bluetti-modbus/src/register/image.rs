use alloc::vec::Vec;

/// The registers of one device that have been read so far: runs of 16-bit words at
/// their addresses.
///
/// An image never holds more than the 65536 registers that exist.
///
/// ```
/// use bluetti_modbus::register::Registers;
///
/// let mut registers = Registers::new();
/// registers.insert(36, &[312, 0, 148]);
/// registers.insert(39, &[27]);
/// assert_eq!(registers.get(38), Some(148));
/// assert_eq!(registers.range(38, 2), Some(&[148, 27][..]));
/// assert_eq!(registers.range(39, 2), None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registers {
    /// Sorted, apart from each other, none empty, none beyond 65535.
    runs: Vec<Run>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    start: u16,
    words: Vec<u16>,
}

impl Run {
    fn end(&self) -> usize {
        usize::from(self.start) + self.words.len()
    }
}

/// How many registers there are.
const SPACE: usize = 1 << 16;

impl Registers {
    /// An image without registers.
    #[must_use]
    pub const fn new() -> Self {
        Self { runs: Vec::new() }
    }

    /// Puts words at `start` and the addresses behind it, over what was there.
    /// Words that would lie beyond register 65535 are dropped.
    pub fn insert(&mut self, start: u16, words: &[u16]) {
        self.insert_words(start, words.len(), words.iter().copied());
    }

    /// As [`insert`](Self::insert), from the data of a read answer: two bytes a
    /// register, high byte first. An odd byte at the end is dropped.
    pub fn insert_bytes(&mut self, start: u16, data: &[u8]) {
        let words = data.chunks_exact(2).map(|pair| match *pair {
            [high, low] => u16::from_be_bytes([high, low]),
            _ => 0,
        });
        self.insert_words(start, data.len() / 2, words);
    }

    fn insert_words(&mut self, start: u16, count: usize, words: impl Iterator<Item = u16>) {
        let first = usize::from(start);
        let count = count.min(SPACE - first);
        if count == 0 {
            return;
        }
        let end = first + count;
        // The runs that the new words overlap or touch become one.
        let from = self.runs.partition_point(|run| run.end() < first);
        let to = self
            .runs
            .partition_point(|run| usize::from(run.start) <= end);
        if let [run] = self.runs.get_mut(from..to).unwrap_or_default()
            && run.start <= start
            && end <= run.end()
        {
            let at = first - usize::from(run.start);
            for (slot, word) in run.words.iter_mut().skip(at).zip(words.take(count)) {
                *slot = word;
            }
            return;
        }
        let mut merged = Run {
            start,
            words: Vec::with_capacity(count),
        };
        let mut tail = Vec::new();
        for run in self.runs.drain(from..to) {
            if run.start < start {
                let keep = first - usize::from(run.start);
                merged.words.extend(run.words.iter().take(keep));
                merged.start = run.start;
            }
            if run.end() > end {
                tail.extend(run.words.iter().skip(end - usize::from(run.start)));
            }
        }
        merged.words.extend(words.take(count));
        merged.words.append(&mut tail);
        self.runs.insert(from, merged);
    }

    /// One register.
    #[must_use]
    pub fn get(&self, register: u16) -> Option<u16> {
        self.range(register, 1)?.first().copied()
    }

    /// `count` registers from `start` on; `None` unless all of them are there.
    #[must_use]
    pub fn range(&self, start: u16, count: u16) -> Option<&[u16]> {
        self.from(start)?.get(..usize::from(count))
    }

    /// The words at an address and behind, up to the first one that is missing.
    pub(crate) fn from(&self, start: u16) -> Option<&[u16]> {
        let index = self.runs.partition_point(|run| run.start <= start);
        let run = self.runs.get(index.checked_sub(1)?)?;
        run.words.get(usize::from(start - run.start)..)
    }

    /// Forgets `count` registers from `start` on.
    pub fn remove(&mut self, start: u16, count: u16) {
        let first = usize::from(start);
        let end = first + usize::from(count);
        let mut kept = Vec::with_capacity(self.runs.len() + 1);
        for run in self.runs.drain(..) {
            let begin = usize::from(run.start);
            if run.end() <= first || begin >= end {
                kept.push(run);
                continue;
            }
            if begin < first {
                let words = run.words.iter().take(first - begin);
                kept.push(Run {
                    start: run.start,
                    words: words.copied().collect(),
                });
            }
            if let Ok(start) = u16::try_from(end)
                && run.end() > end
            {
                let words = run.words.iter().skip(end - begin);
                kept.push(Run {
                    start,
                    words: words.copied().collect(),
                });
            }
        }
        self.runs = kept;
    }

    /// Puts all registers of another image over these.
    pub fn merge(&mut self, other: &Self) {
        for (start, words) in other.runs() {
            self.insert(start, words);
        }
    }

    /// The runs of neighbouring registers: first address and words, ascending.
    pub fn runs(&self) -> impl Iterator<Item = (u16, &[u16])> {
        self.runs
            .iter()
            .map(|run| (run.start, run.words.as_slice()))
    }

    /// How many registers are there.
    #[must_use]
    pub fn len(&self) -> usize {
        self.runs.iter().map(|run| run.words.len()).sum()
    }

    /// Whether no register is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(registers: &Registers) -> Vec<(u16, Vec<u16>)> {
        let runs = registers.runs();
        runs.map(|(start, words)| (start, words.to_vec())).collect()
    }

    #[test]
    fn neighbours_and_overlaps_become_one_run() {
        let mut registers = Registers::new();
        registers.insert(10, &[1, 2, 3]);
        registers.insert(20, &[9]);
        registers.insert(13, &[4]);
        registers.insert(9, &[0]);
        assert_eq!(
            runs(&registers),
            [(9, [0, 1, 2, 3, 4].to_vec()), (20, [9].to_vec())]
        );
        registers.insert(12, &[30, 31, 32, 33, 34, 35, 36, 37]);
        assert_eq!(registers.len(), 12);
        assert_eq!(registers.range(9, 12).unwrap()[..4], [0, 1, 2, 30]);
        assert_eq!(registers.get(20), Some(9));
        registers.insert(11, &[7]);
        assert_eq!(registers.get(11), Some(7));
    }

    #[test]
    fn nothing_lies_beyond_the_last_register() {
        let mut registers = Registers::new();
        registers.insert(65535, &[1, 2]);
        registers.insert_bytes(65534, &[0, 5, 0, 6, 0, 7]);
        assert_eq!(runs(&registers), [(65534, [5, 6].to_vec())]);
        assert_eq!(registers.range(65535, 2), None);
        registers.remove(65535, 9);
        assert_eq!(registers.len(), 1);
    }

    #[test]
    fn removing_splits_a_run() {
        let mut registers = Registers::new();
        registers.insert(0, &[1, 2, 3, 4]);
        registers.remove(1, 2);
        assert_eq!(runs(&registers), [(0, [1].to_vec()), (3, [4].to_vec())]);
        let mut other = Registers::new();
        other.insert(1, &[7, 8]);
        registers.merge(&other);
        assert_eq!(runs(&registers), [(0, [1, 7, 8, 4].to_vec())]);
    }
}
