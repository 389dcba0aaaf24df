//! The catalogue of CarData's keys: their types, units and values.

use serde::Serialize;

mod table;

/// What kind of value a key has. The REST API sends all of them as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum DataType {
    /// A word or a text.
    Text,
    /// Yes or no, in one of several spellings.
    Boolean,
    /// A whole number.
    Integer,
    /// A number with decimals.
    Float,
    /// The catalogue does not tell.
    Unspecified,
}

/// One key of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Descriptor {
    /// The key, as `vehicle.drivetrain.batteryManagement.header`.
    pub key: &'static str,
    /// Type of its values.
    pub data_type: DataType,
    /// Unit; `None` if there is none, or if it depends on the car's settings and
    /// comes with the value.
    pub unit: Option<&'static str>,
    /// Whether the stream may bring it; otherwise REST only.
    pub is_streamed: bool,
    /// The values that BMW names; empty where there is no such list. Others occur.
    pub values: &'static [&'static str],
}

impl Descriptor {
    /// All keys, in alphabetical order.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        table::TABLE
    }

    /// What is known about a key, `None` for one that is not in the catalogue.
    #[must_use]
    pub fn of(key: &str) -> Option<&'static Self> {
        let at = table::TABLE.binary_search_by(|row| row.key.cmp(key)).ok()?;
        table::TABLE.get(at)
    }
}
