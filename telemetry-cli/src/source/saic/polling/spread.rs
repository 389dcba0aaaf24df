//! How the questions of a day last for all of it.
//!
//! A car that drives is asked at its pace until half of the questions are used
//! up. From there on the pause grows as the rest shrinks: a part is left to what
//! comes after the journey, which is the charge, and the last ones to commands
//! and the daily look at a parked car.

use chrono::TimeDelta;

/// However few are left, the pause of a journey grows to this many times its
/// pace, not longer.
const LONGEST: usize = 60;

/// What a question is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// It still drives, is heated or cooled.
    Journey,
    /// It charges, or began something else.
    Other,
}

/// Questions, of `limit` in a day, that are left to commands and the daily look.
pub(super) fn reserve(limit: usize) -> usize {
    limit / 30
}

impl Need {
    /// Questions that are left to what matters more.
    fn spares(self, limit: usize) -> usize {
        match self {
            Self::Journey => limit / 5,
            Self::Other => reserve(limit),
        }
    }

    /// As long as so many are left nothing is spared.
    fn plenty(self, limit: usize) -> usize {
        match self {
            Self::Journey => limit / 2,
            Self::Other => limit / 10,
        }
    }
}

/// The pause between two questions: `pace` as long as there are plenty, then
/// longer in proportion to what is gone.
pub(super) fn stretched(pace: TimeDelta, need: Need, left: usize, limit: usize) -> TimeDelta {
    let spares = need.spares(limit);
    let plenty = need.plenty(limit).saturating_sub(spares);
    let usable = left.saturating_sub(spares).max(plenty / LONGEST).max(1);
    if usable >= plenty {
        return pace;
    }
    let factor = i32::try_from(plenty).unwrap_or(i32::MAX);
    let usable = i32::try_from(usable).unwrap_or(i32::MAX);
    pace.checked_mul(factor)
        .map_or(TimeDelta::MAX, |pause| pause / usable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_as_the_rest_shrinks() {
        let pause =
            |need, pace, left| stretched(TimeDelta::seconds(pace), need, left, 600).num_seconds();
        for (left, seconds) in [
            (600, 30),
            (300, 30),
            (299, 30),
            (210, 60),
            (165, 120),
            (138, 300),
            (121, 1800),
            (120, 1800),
            (0, 1800),
        ] {
            assert_eq!(pause(Need::Journey, 30, left), seconds, "{left}");
        }
        for (left, seconds) in [(120, 300), (60, 300), (40, 600), (21, 12_000)] {
            assert_eq!(pause(Need::Other, 300, left), seconds, "{left}");
        }
    }

    #[test]
    fn any_numbers_give_a_pause() {
        for limit in [0, 1, 2, 5, 10, usize::MAX] {
            for left in [0, 1, 5, limit] {
                for need in [Need::Journey, Need::Other] {
                    for pace in [TimeDelta::zero(), TimeDelta::MAX] {
                        assert!(stretched(pace, need, left, limit) >= pace);
                    }
                }
            }
        }
    }
}
