use std::fmt;

use crate::envelope;

/// A vehicle identification number, as the vehicle list spells it.
///
/// `Debug` shows it masked, because it identifies a person; [`as_str`](Self::as_str)
/// shows all of it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Vin(String);

/// Characters of a VIN that tell the maker and model, not the car.
const SHOWN: usize = 11;

impl Vin {
    /// All of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The serial number replaced by stars, for messages.
    #[must_use]
    pub fn masked(&self) -> String {
        let mut seen = 0;
        let mask = |c: char| {
            seen += 1;
            if seen > SHOWN { '*' } else { c }
        };
        self.0.chars().map(mask).collect()
    }

    /// What the cloud is sent in place of it.
    #[must_use]
    pub fn hash(&self) -> String {
        envelope::vin_hash(&self.0)
    }
}

impl<T: Into<String>> From<T> for Vin {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Vin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vin({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_in_part() {
        let vin = Vin::from("LSJTEST0000000001");
        assert_eq!(format!("{vin:?}"), "Vin(LSJTEST0000******)");
        assert_eq!(vin.as_str(), "LSJTEST0000000001");
        assert!(vin.hash().starts_with("7c32640b"));
    }
}
