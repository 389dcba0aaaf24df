use std::fmt;

/// Limit of the AC charging current. The car knows these steps and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CurrentLimit {
    /// 6 A.
    A6,
    /// 8 A.
    A8,
    /// 16 A.
    A16,
    /// What cable and charger allow.
    Max,
}

impl CurrentLimit {
    /// All steps, upwards.
    pub const ALL: [Self; 4] = [Self::A6, Self::A8, Self::A16, Self::Max];

    /// The vendor's number, 1 to 4.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8 + 1
    }

    /// From the vendor's number; 0 stands for none.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.code() == code)
    }
}

impl fmt::Display for CurrentLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A6 => "6A",
            Self::A8 => "8A",
            Self::A16 => "16A",
            Self::Max => "Max",
        })
    }
}

impl std::str::FromStr for CurrentLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let same = |step: &Self| step.to_string().eq_ignore_ascii_case(text.trim());
        Self::ALL
            .into_iter()
            .find(same)
            .ok_or_else(|| format!("no current limit {text:?}; there are 6A, 8A, 16A and Max"))
    }
}

pub(super) fn current_limit<'de, D: serde::Deserializer<'de>>(
    json: D,
) -> Result<Option<CurrentLimit>, D::Error> {
    Ok(crate::scale::byte(json)?.and_then(CurrentLimit::from_code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps() {
        for step in CurrentLimit::ALL {
            assert_eq!(CurrentLimit::from_code(step.code()), Some(step));
            assert_eq!(step.to_string().parse(), Ok(step));
        }
        assert_eq!("max".parse(), Ok(CurrentLimit::Max));
        assert!("10A".parse::<CurrentLimit>().is_err());
    }
}
