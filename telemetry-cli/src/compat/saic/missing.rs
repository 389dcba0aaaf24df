//! Cars that are missing in the list of the account: the cloud forgets one now
//! and then, and what is removed loses its names in Home Assistant.

use std::collections::BTreeMap;

/// So many lists in a row have to do without a car that has left.
const LISTS: u32 = 3;

/// How often each car that is known was missing, in a row.
#[derive(Debug, Default)]
pub struct Missing(BTreeMap<String, u32>);

impl Missing {
    /// Takes the cars that are known, and those of a new list. Returns those that
    /// have left.
    pub fn look(
        &mut self,
        known: impl IntoIterator<Item = String>,
        there: &[String],
    ) -> Vec<String> {
        let mut before = std::mem::take(&mut self.0);
        let mut left = Vec::new();
        for vin in known {
            if there.contains(&vin) || left.contains(&vin) || self.0.contains_key(&vin) {
                continue;
            }
            match before.remove(&vin).unwrap_or(0) + 1 {
                LISTS.. => left.push(vin),
                times => {
                    self.0.insert(vin, times);
                }
            }
        }
        left
    }

    /// Whether it is not certain yet that one has left.
    pub fn is_in_doubt(&self) -> bool {
        !self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_car_has_left_if_three_lists_in_a_row_say_so() {
        let mut missing = Missing::default();
        // Known twice over: it lives, and something is remembered of it.
        let mut look = |there: &[&str]| {
            let there: Vec<_> = there.iter().map(|vin| (*vin).to_owned()).collect();
            let known = ["A", "B", "B"].map(str::to_owned);
            let left = missing.look(known, &there);
            (left.join(" "), missing.is_in_doubt())
        };
        for (there, left, doubt) in [
            (&["A", "B"][..], "", false),
            (&["A"], "", true),
            (&["A"], "", true),
            (&["A", "B"], "", false),
            (&["A"], "", true),
            (&["B"], "", true),
            (&["B"], "", true),
            (&["B"], "A", false),
        ] {
            assert_eq!(look(there), (left.to_owned(), doubt), "{there:?}");
        }
    }
}
