//! What a device has reported so far.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::Values;
use crate::metric::{Form, Metric, Shape};
use crate::value::Value;

/// Parts of one catalogue row that can be announced for themselves: how many,
/// a device decides, so there has to be an end.
const MAX_PARTS: usize = 256;

/// The catalogue rows that a device has reported, and which parts of them.
///
/// It only grows: a value that is unknown now was announced, and stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen(BTreeMap<&'static str, BTreeSet<Part>>);

/// Where one announced value stands in the state of its device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// It is the whole value of its row.
    Whole,
    /// Number of a part, from 1.
    Number(usize),
    /// Name of a part.
    Name(String),
    /// Number of a part, and the name of a value in it.
    Field(usize, String),
}

impl Seen {
    /// Adds what `values` contain; true if there was something new.
    pub fn record(&mut self, values: &Values) -> bool {
        let mut grew = false;
        for (metric, value) in values.iter() {
            let known = self.0.entry(metric.key).or_default();
            for part in parts(metric, value) {
                grew |= known.len() < MAX_PARTS && known.insert(part);
            }
        }
        grew
    }

    pub(super) fn parts(&self, metric: &Metric) -> impl Iterator<Item = &Part> {
        self.0.get(metric.key).into_iter().flatten()
    }
}

fn parts(metric: &Metric, value: &Value) -> Vec<Part> {
    match (metric.shape, metric.form, value) {
        (_, _, Value::Unknown) => Vec::new(),
        (Shape::Single | Shape::Flags, Form::Object, _) => Vec::new(),
        (Shape::Single | Shape::Flags, _, _) => vec![Part::Whole],
        (Shape::Numbered, form, Value::List(parts)) => (1..)
            .zip(parts)
            .flat_map(|(number, part)| match (form, part) {
                (_, Value::Unknown) => Vec::new(),
                (Form::Object, Value::Map(fields)) => fields
                    .iter()
                    .filter(|(_, field)| is_plain(field))
                    .map(|(name, _)| Part::Field(number, name.clone()))
                    .collect(),
                (Form::Object, _) => Vec::new(),
                _ => vec![Part::Number(number)],
            })
            .collect(),
        (Shape::Named, _, Value::Map(parts)) => parts
            .iter()
            .filter(|(_, part)| is_plain(part))
            .map(|(name, _)| Part::Name(name.clone()))
            .collect(),
        _ => Vec::new(),
    }
}

/// True if it can be the state of one entity.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) | Value::Time(_) => {
            true
        }
        Value::Unknown | Value::List(_) | Value::Map(_) | Value::Flags(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::battery;

    #[test]
    fn only_known_parts_count_and_none_is_forgotten() {
        let mut seen = Seen::default();
        let mut values = Values::default();
        let probes: Value = [Some(20.0), None].into_iter().collect();
        values.set(&battery::TEMPERATURES_C, probes);
        assert!(seen.record(&values));
        assert!(!seen.record(&values));
        assert!(!seen.record(&Values::default()));

        let probes: Value = [None, Some(21.0)].into_iter().collect();
        values.set(&battery::TEMPERATURES_C, probes);
        assert!(seen.record(&values));
        assert_eq!(
            seen.parts(&battery::TEMPERATURES_C).collect::<Vec<_>>(),
            [&Part::Number(1), &Part::Number(2)]
        );
    }

    #[test]
    fn a_device_cannot_announce_without_end() {
        let mut values = Values::default();
        let cells: Value = (0..1000).map(|_| Some(3.3)).collect();
        values.set(&battery::CELL_VOLTAGES_V, cells);
        let mut seen = Seen::default();
        seen.record(&values);
        assert_eq!(seen.parts(&battery::CELL_VOLTAGES_V).count(), MAX_PARTS);
    }
}
