/// Registers that are read with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Block {
    /// The first register.
    pub start: u16,
    /// How many.
    pub count: u16,
}

impl Block {
    /// A block.
    #[must_use]
    pub const fn new(start: u16, count: u16) -> Self {
        Self { start, count }
    }

    /// The register behind the last one.
    #[must_use]
    pub const fn end(self) -> u32 {
        self.start as u32 + self.count as u32
    }

    /// Whether another block lies in this one.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end() <= self.end()
    }

    /// Whether both have a register in common.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        (self.start as u32) < other.end() && (other.start as u32) < self.end()
    }

    /// Both halves, for a block that the device refuses as a whole; `None` for a
    /// single register.
    #[must_use]
    pub const fn split(self) -> Option<(Self, Self)> {
        let first = self.count / 2;
        if first == 0 {
            return None;
        }
        let second = Self::new(self.start.saturating_add(first), self.count - first);
        Some((Self::new(self.start, first), second))
    }
}

/// How many registers one request may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadLimit(u16);

impl ReadLimit {
    /// What MODBUS allows: 125.
    pub const MAX: Self = Self(125);
    /// What every known device answers within a block that it has: 60.
    pub const SAFE: Self = Self(60);

    /// At most this many registers; brought into 1–125.
    #[must_use]
    pub const fn new(registers: u16) -> Self {
        match registers {
            0 => Self(1),
            1..=125 => Self(registers),
            _ => Self::MAX,
        }
    }

    /// The longest answer that fits one notification, but never less than
    /// [`SAFE`](Self::SAFE), because longer answers arrive in pieces and are put
    /// together: a round trip costs more than a piece.
    ///
    /// At MTU 247 these are 119 registers on a plain link and 109 on an encrypted
    /// one.
    #[must_use]
    pub const fn for_mtu(mtu: u16, encrypted: bool) -> Self {
        let payload = mtu.saturating_sub(3);
        let frame = if encrypted {
            // Length and seed, then whole cipher blocks.
            payload.saturating_sub(6) / 16 * 16
        } else {
            payload
        };
        let registers = frame.saturating_sub(5) / 2;
        if registers < Self::SAFE.0 {
            Self::SAFE
        } else {
            Self::new(registers)
        }
    }

    /// The number of registers.
    #[must_use]
    pub const fn registers(self) -> u16 {
        self.0
    }
}

impl Default for ReadLimit {
    fn default() -> Self {
        Self::SAFE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_notification_at_mtu_247() {
        assert_eq!(ReadLimit::for_mtu(247, false).registers(), 119);
        assert_eq!(ReadLimit::for_mtu(247, true).registers(), 109);
        assert_eq!(ReadLimit::for_mtu(23, false), ReadLimit::SAFE);
        assert_eq!(ReadLimit::for_mtu(517, false), ReadLimit::MAX);
        assert_eq!(ReadLimit::for_mtu(0, true), ReadLimit::SAFE);
    }

    #[test]
    fn halves_cover_the_whole() {
        let (first, second) = Block::new(100, 7).split().unwrap();
        assert_eq!((first, second), (Block::new(100, 3), Block::new(103, 4)));
        assert_eq!(Block::new(5, 1).split(), None);
        assert_eq!(Block::new(5, 0).split(), None);
        assert!(Block::new(65535, 9).split().is_some());
    }
}
