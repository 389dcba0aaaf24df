use super::control::Param;

/// Seat heating. Left and right are sides of the car, whoever drives.
/// [`crate::Profile::check_seat_level`] knows the levels of a car.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seats {
    /// Both seats in front at once.
    Front {
        /// Level 0 to 3.
        left: u8,
        /// Level 0 to 3.
        right: u8,
    },
    /// One seat alone.
    One {
        /// Which.
        seat: Seat,
        /// Level 0 to 3. Seats behind know off (0) and on (3).
        level: u8,
    },
}

/// A heated seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seat {
    /// In front on the left.
    FrontLeft,
    /// In front on the right.
    FrontRight,
    /// Behind on the left.
    RearLeft,
    /// Behind on the right.
    RearRight,
}

impl Seats {
    pub(super) const fn is_front_pair(self) -> bool {
        matches!(self, Self::Front { .. })
    }

    pub(super) fn params(self) -> Vec<Param> {
        match self {
            Self::Front { left, right } => vec![(17, left), (18, right)],
            Self::One { seat, level } => vec![(seat.param(), level)],
        }
    }

    /// The highest level wanted.
    pub(crate) fn level(self) -> u8 {
        match self {
            Self::Front { left, right } => left.max(right),
            Self::One { level, .. } => level,
        }
    }
}

impl Seat {
    const fn param(self) -> u16 {
        match self {
            Self::FrontLeft => 17,
            Self::FrontRight => 18,
            Self::RearLeft => 25,
            Self::RearRight => 26,
        }
    }
}
