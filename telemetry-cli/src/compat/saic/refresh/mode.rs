//! The modes that somebody sets, and the phases that follow from them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How polls are decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// By the rules.
    Periodic,
    /// Never.
    Off,
    /// Once, now; then as before.
    Force,
    /// Once, now, and for a while as often as after a drive.
    ChargingDetection,
}

impl Mode {
    /// All, as Home Assistant offers them.
    pub const ALL: [Self; 4] = [
        Self::Force,
        Self::Off,
        Self::Periodic,
        Self::ChargingDetection,
    ];

    /// Whether it is over after one poll.
    pub fn is_single(self) -> bool {
        matches!(self, Self::Force | Self::ChargingDetection)
    }

    /// In any case and with blanks around.
    pub fn parse(text: &str) -> Option<Self> {
        let same = |mode: &Self| mode.to_string().eq_ignore_ascii_case(text.trim());
        Self::ALL.into_iter().find(same)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Periodic => "periodic",
            Self::Off => "off",
            Self::Force => "force",
            Self::ChargingDetection => "charging_detection",
        })
    }
}

/// Which rule decides on the next poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// None: polls are off.
    Off,
    /// Somebody wants one.
    Force,
    /// Somebody waits for a charge to begin.
    ChargingDetection,
    /// The last one failed.
    ErrorRecovery,
    /// It charges.
    Charging,
    /// It drives, heats or was just woken.
    Active,
    /// It was just shut down.
    AfterShutdown,
    /// It is parked.
    Inactive,
    /// It would be asked by another rule, but its owner is away.
    Holiday,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Force => "force",
            Self::ChargingDetection => "charging_detection",
            Self::ErrorRecovery => "error_recovery",
            Self::Charging => "charging",
            Self::Active => "active",
            Self::AfterShutdown => "after_shutdown",
            Self::Inactive => "inactive",
            Self::Holiday => "holiday",
        })
    }
}
