/// The cells that are being bled right now (register 0x03).
///
/// The bits tell what the balancer does at this moment, not whether it is
/// enabled. Cells above 32 have no bit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Balancing(u32);

impl Balancing {
    /// From a mask whose bit 0 is cell 1.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The mask; bit 0 is cell 1.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The cells being bled, ascending, counted from 1.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (1..=32).filter(move |&cell| self.contains(cell))
    }

    /// Whether this cell, counted from 1, is being bled.
    #[must_use]
    pub const fn contains(self, cell: u8) -> bool {
        matches!(cell, 1..=32) && self.0 >> (cell - 1) & 1 == 1
    }

    /// Whether no cell is being bled.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}
