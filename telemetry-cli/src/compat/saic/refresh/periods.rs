//! The four periods that can be set.

use serde::{Deserialize, Serialize};

/// Which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Period {
    /// Between polls while it drives or heats.
    Active,
    /// Between polls while it is parked.
    Inactive,
    /// Between polls while it was just shut down.
    AfterShutdown,
    /// How long it counts as just shut down.
    InactiveGrace,
}

impl Period {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Active,
        Self::Inactive,
        Self::AfterShutdown,
        Self::InactiveGrace,
    ];

    /// Last level of its topic.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inActive",
            Self::AfterShutdown => "afterShutdown",
            Self::InactiveGrace => "inActiveGrace",
        }
    }

    /// Lowest and highest value, s.
    pub fn limits(self) -> (u32, u32) {
        match self {
            Self::Active => (30, 3600),
            Self::Inactive => (3600, 432_000),
            Self::AfterShutdown | Self::InactiveGrace => (30, 43_200),
        }
    }

    fn default_s(self) -> u32 {
        match self {
            Self::Active => 30,
            Self::Inactive => 86_400,
            Self::AfterShutdown => 120,
            Self::InactiveGrace => 600,
        }
    }
}

/// The periods, each set or at its default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Option<u32>>")]
pub struct Periods([Option<u32>; 4]);

/// Another version of the program may know fewer of them, or more.
impl From<Vec<Option<u32>>> for Periods {
    fn from(saved: Vec<Option<u32>>) -> Self {
        let mut periods = Self::default();
        for (period, saved) in periods.0.iter_mut().zip(saved) {
            *period = saved;
        }
        periods
    }
}

impl Periods {
    /// Seconds.
    pub fn get(&self, period: Period) -> u32 {
        let [active, inactive, after_shutdown, grace] = self.0;
        let set = match period {
            Period::Active => active,
            Period::Inactive => inactive,
            Period::AfterShutdown => after_shutdown,
            Period::InactiveGrace => grace,
        };
        set.unwrap_or(period.default_s())
    }

    pub(super) fn set(&mut self, period: Period, seconds: u32) {
        let [active, inactive, after_shutdown, grace] = &mut self.0;
        *match period {
            Period::Active => active,
            Period::Inactive => inactive,
            Period::AfterShutdown => after_shutdown,
            Period::InactiveGrace => grace,
        } = Some(seconds);
    }

    /// While it drives, s.
    pub fn active(&self) -> u32 {
        self.get(Period::Active)
    }

    /// While it is parked, s.
    pub fn inactive(&self) -> u32 {
        self.get(Period::Inactive)
    }

    pub(super) fn after_shutdown(&self) -> u32 {
        self.get(Period::AfterShutdown)
    }

    /// How long it counts as just shut down, s.
    pub fn grace(&self) -> u32 {
        self.get(Period::InactiveGrace)
    }
}
