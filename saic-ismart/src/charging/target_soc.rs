use std::fmt;

/// Where charging stops, or V2X. The car knows these steps and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetSoc {
    /// 40 %.
    P40,
    /// 50 %.
    P50,
    /// 60 %.
    P60,
    /// 70 %.
    P70,
    /// 80 %.
    P80,
    /// 90 %.
    P90,
    /// 100 %.
    P100,
}

impl TargetSoc {
    /// All steps, upwards.
    pub const ALL: [Self; 7] = [
        Self::P40,
        Self::P50,
        Self::P60,
        Self::P70,
        Self::P80,
        Self::P90,
        Self::P100,
    ];

    /// The vendor's number, 1 to 7.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8 + 1
    }

    /// From the vendor's number; 0 stands for none.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.code() == code)
    }

    /// In percent.
    #[must_use]
    pub const fn percent(self) -> u8 {
        40 + 10 * (self as u8)
    }

    /// From percent; `None` if there is no such step.
    #[must_use]
    pub fn from_percent(percent: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.percent() == percent)
    }
}

impl fmt::Display for TargetSoc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.percent())
    }
}

pub(super) fn target_soc<'de, D: serde::Deserializer<'de>>(
    json: D,
) -> Result<Option<TargetSoc>, D::Error> {
    Ok(crate::scale::byte(json)?.and_then(TargetSoc::from_code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps() {
        for step in TargetSoc::ALL {
            assert_eq!(TargetSoc::from_code(step.code()), Some(step));
            assert_eq!(TargetSoc::from_percent(step.percent()), Some(step));
        }
        assert_eq!(TargetSoc::P80.code(), 5);
        assert_eq!(TargetSoc::from_percent(85), None);
        assert_eq!(TargetSoc::from_code(0), None);
    }
}
