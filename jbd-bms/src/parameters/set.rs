use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use super::{Parameter, ParameterValue};

/// Parameters with their values: a backup, or what shall become of a pack.
///
/// `Display` writes one `name = value` per line and `parse` reads it back, with
/// `#` starting a comment line:
///
/// ```
/// use jbd_bms::parameters::{Parameter, ParameterSet, ParameterValue};
///
/// let set: ParameterSet = "cell_overvoltage = 3650\ndevice_name = \"CABIN\"".parse()?;
/// assert_eq!(set.get(Parameter::CellOvervoltage), Some(&ParameterValue::Number(3650)));
/// assert_eq!(set.to_string().parse(), Ok(set));
/// # Ok::<(), jbd_bms::parameters::ParseError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(
        into = "BTreeMap<String, String>",
        try_from = "BTreeMap<String, String>"
    )
)]
pub struct ParameterSet {
    values: BTreeMap<Parameter, ParameterValue>,
}

/// A parameter that two sets disagree on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// Which.
    pub parameter: Parameter,
    /// What it is; `None` if only the other set has it.
    pub from: Option<ParameterValue>,
    /// What it shall be.
    pub to: ParameterValue,
}

/// Two parameters that must not stand like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Inconsistency {
    /// The first must be below the second.
    #[error("{lower} must be below {upper}")]
    Order {
        /// The one that must be lower.
        lower: Parameter,
        /// The one that must be higher.
        upper: Parameter,
    },
    /// The value is beyond anything a pack can need.
    #[error("{parameter} must be within {lowest} and {highest}")]
    Range {
        /// Which.
        parameter: Parameter,
        /// Lowest sensible value.
        lowest: i32,
        /// Highest sensible value.
        highest: i32,
    },
}

impl ParameterSet {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a value.
    pub fn insert(&mut self, parameter: Parameter, value: ParameterValue) {
        self.values.insert(parameter, value);
    }

    /// A value.
    #[must_use]
    pub fn get(&self, parameter: Parameter) -> Option<&ParameterValue> {
        self.values.get(&parameter)
    }

    /// All values in the order of [`Parameter::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Parameter, &ParameterValue)> {
        self.values
            .iter()
            .map(|(&parameter, value)| (parameter, value))
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// What has to change for `self` to become `wanted`. Parameters that `wanted`
    /// does not have stay as they are.
    #[must_use]
    pub fn diff(&self, wanted: &Self) -> Vec<Difference> {
        wanted
            .iter()
            .filter(|&(parameter, to)| self.get(parameter) != Some(to))
            .map(|(parameter, to)| Difference {
                parameter,
                from: self.get(parameter).cloned(),
                to: to.clone(),
            })
            .collect()
    }

    /// What is wrong with the values as a whole: limits in the wrong order,
    /// currents of the wrong sign, voltages no cell has. Empty is good.
    #[must_use]
    pub fn check(&self) -> Vec<Inconsistency> {
        let number = |parameter| match self.get(parameter) {
            Some(&ParameterValue::Number(number)) => Some(number),
            _ => None,
        };
        let mut found = Vec::new();
        for ladder in LADDERS {
            let known: Vec<_> = ladder
                .iter()
                .filter_map(|&parameter| Some((parameter, number(parameter)?)))
                .collect();
            for pair in known.windows(2) {
                if let &[(lower, low), (upper, high)] = pair
                    && low >= high
                {
                    found.push(Inconsistency::Order { lower, upper });
                }
            }
        }
        for &(parameter, lowest, highest) in RANGES {
            if number(parameter).is_some_and(|n| !(lowest..=highest).contains(&n)) {
                found.push(Inconsistency::Range {
                    parameter,
                    lowest,
                    highest,
                });
            }
        }
        found
    }
}

/// Parameters that must ascend, as far as they are known.
const LADDERS: &[&[Parameter]] = &[
    &[
        Parameter::HardwareCellUndervoltage,
        Parameter::CellUndervoltage,
        Parameter::CellUndervoltageRelease,
        Parameter::CellOvervoltageRelease,
        Parameter::CellOvervoltage,
        Parameter::HardwareCellOvervoltage,
    ],
    &[
        Parameter::PackUndervoltage,
        Parameter::PackUndervoltageRelease,
        Parameter::PackOvervoltageRelease,
        Parameter::PackOvervoltage,
    ],
    &[
        Parameter::ChargeUndertemperature,
        Parameter::ChargeUndertemperatureRelease,
        Parameter::ChargeOvertemperatureRelease,
        Parameter::ChargeOvertemperature,
    ],
    &[
        Parameter::DischargeUndertemperature,
        Parameter::DischargeUndertemperatureRelease,
        Parameter::DischargeOvertemperatureRelease,
        Parameter::DischargeOvertemperature,
    ],
    &[Parameter::EmptyVoltage, Parameter::FullVoltage],
    &[
        Parameter::VoltageAt20,
        Parameter::VoltageAt40,
        Parameter::VoltageAt60,
        Parameter::VoltageAt80,
    ],
];

/// In the parameter's unit. Wide on purpose: they catch slips of a digit.
const RANGES: &[(Parameter, i32, i32)] = &[
    (Parameter::DesignCapacity, 10, i32::MAX),
    (Parameter::CellOvervoltage, 2_000, 4_500),
    (Parameter::CellUndervoltage, 1_000, 4_000),
    (Parameter::ChargeOvercurrent, 1, i32::MAX),
    (Parameter::DischargeOvercurrent, i32::MIN, -1),
    (Parameter::ChargeOvertemperature, 0, 1_500),
    (Parameter::DischargeOvertemperature, 0, 1_500),
    (Parameter::ChargeUndertemperature, -500, 500),
    (Parameter::DischargeUndertemperature, -500, 500),
    (Parameter::CellCount, 1, 32),
];

#[cfg(feature = "client")]
impl Parameter {
    /// Whether [`ParameterSet::check`] compares it with others.
    pub(crate) fn is_checked(self) -> bool {
        LADDERS.iter().any(|ladder| ladder.contains(&self))
    }
}

impl fmt::Display for ParameterSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (parameter, value) in self.iter() {
            writeln!(f, "{parameter} = {value}")?;
        }
        Ok(())
    }
}

/// Why text is no [`ParameterSet`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// A line is not of the form `name = value`.
    #[error("line {0}: not of the form `name = value`")]
    Form(usize),
    /// No parameter has this name.
    #[error("line {line}: no parameter is called {name:?}")]
    Name {
        /// The line, from 1.
        line: usize,
        /// The name.
        name: String,
    },
    /// The value is not one of this parameter's kind.
    #[error("line {line}: not a value of {parameter}")]
    Value {
        /// The line, from 1.
        line: usize,
        /// The parameter.
        parameter: Parameter,
    },
}

impl FromStr for ParameterSet {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut set = Self::new();
        for (index, content) in text.lines().enumerate() {
            let content = content.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let line = index + 1;
            let (name, value) = content.split_once('=').ok_or(ParseError::Form(line))?;
            set.add_text(line, name.trim(), value)?;
        }
        Ok(set)
    }
}

impl ParameterSet {
    fn add_text(&mut self, line: usize, name: &str, value: &str) -> Result<(), ParseError> {
        let parameter = Parameter::from_name(name).ok_or_else(|| ParseError::Name {
            line,
            name: name.to_owned(),
        })?;
        let value = parameter
            .parse(value)
            .ok_or(ParseError::Value { line, parameter })?;
        self.insert(parameter, value);
        Ok(())
    }
}

impl From<ParameterSet> for BTreeMap<String, String> {
    fn from(set: ParameterSet) -> Self {
        let texts = set
            .iter()
            .map(|(parameter, value)| (parameter.to_string(), value.to_string()));
        texts.collect()
    }
}

impl TryFrom<BTreeMap<String, String>> for ParameterSet {
    type Error = ParseError;

    fn try_from(texts: BTreeMap<String, String>) -> Result<Self, ParseError> {
        let mut set = Self::new();
        for (index, (name, value)) in texts.iter().enumerate() {
            set.add_text(index + 1, name, value)?;
        }
        Ok(set)
    }
}

impl FromIterator<(Parameter, ParameterValue)> for ParameterSet {
    fn from_iter<I: IntoIterator<Item = (Parameter, ParameterValue)>>(values: I) -> Self {
        Self {
            values: values.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> ParameterSet {
        text.parse().unwrap()
    }

    #[test]
    fn limits_in_the_wrong_order_are_found() {
        let good = set(
            "cell_undervoltage = 2500\ncell_undervoltage_release = 2700\n\
                        cell_overvoltage_release = 3550\ncell_overvoltage = 3650",
        );
        assert_eq!(good.check(), []);
        let mut bad = good;
        bad.insert(
            Parameter::CellUndervoltageRelease,
            ParameterValue::Number(3600),
        );
        assert_eq!(
            bad.check(),
            [Inconsistency::Order {
                lower: Parameter::CellUndervoltageRelease,
                upper: Parameter::CellOvervoltageRelease,
            }]
        );
    }

    #[test]
    fn the_sign_of_the_discharge_limit_matters() {
        assert_eq!(set("discharge_overcurrent = 120000").check().len(), 1);
        assert_eq!(set("discharge_overcurrent = -120000").check().len(), 0);
    }

    #[test]
    fn errors_name_the_line() {
        let parse = |text: &str| text.parse::<ParameterSet>().unwrap_err().to_string();
        assert_eq!(
            parse("# x\n\nnonsense"),
            "line 3: not of the form `name = value`"
        );
        assert_eq!(
            parse("voltage = 3"),
            "line 1: no parameter is called \"voltage\""
        );
        assert_eq!(
            parse("cell_count = four"),
            "line 1: not a value of cell_count"
        );
    }

    #[test]
    fn only_what_is_wanted_and_differs_is_a_difference() {
        let now = set("cell_overvoltage = 3650\nbalance_start = 3200");
        let wanted = set("cell_overvoltage = 3600\nbarcode = \"X\"");
        let names: Vec<_> = now.diff(&wanted).iter().map(|d| d.parameter).collect();
        assert_eq!(names, [Parameter::CellOvervoltage, Parameter::Barcode]);
        assert_eq!(now.diff(&now), []);
    }
}
