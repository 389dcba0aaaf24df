//! What is remembered of a car, in a file. One of another version of the program
//! stays readable: what it does not have is as new, and what cannot be read is
//! lost alone.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::refresh::Refresh;
use super::super::shared::Shared;
use super::Memory;

/// What is remembered of a car, as it is now.
pub(super) fn load(shared: &Shared, vin: &str, now: DateTime<Utc>) -> (Refresh, Memory) {
    let of = |name: Option<String>| name.and_then(|name| shared.load(&name));
    let saved = of(file_name(vin)).or_else(|| of(set_aside(vin)));
    saved.map_or_else(
        || (Refresh::new(now), Memory::default()),
        |saved| read(saved, now),
    )
}

/// Remembers it.
pub(super) async fn save(shared: &Shared, vin: &str, refresh: &Refresh, memory: &Memory) {
    if let Some(name) = file_name(vin) {
        shared.save(&name, &(refresh, memory)).await;
    }
}

/// The VINs of cars that something is remembered of.
pub fn remembered(shared: &Shared) -> Vec<String> {
    let directory = shared.directory.as_deref();
    let entries = directory.and_then(|directory| std::fs::read_dir(directory).ok());
    let names = entries.into_iter().flatten().flatten();
    let vin = |name: &str| {
        Some(
            name.strip_prefix("vehicle-")?
                .strip_suffix(".json")?
                .to_owned(),
        )
    };
    names
        .filter_map(|entry| vin(entry.file_name().to_str()?))
        .collect()
}

/// A car has left the account. It may come back, as it was.
pub async fn forget(shared: &Shared, vin: &str) {
    if let (Some(directory), Some(name), Some(aside)) =
        (&shared.directory, file_name(vin), set_aside(vin))
    {
        // It may not be there.
        let _ = tokio::fs::rename(directory.join(name), directory.join(aside)).await;
    }
}

fn file_name(vin: &str) -> Option<String> {
    named("vehicle", vin)
}

fn set_aside(vin: &str) -> Option<String> {
    named("former-vehicle", vin)
}

/// Nothing that a cloud says becomes a path.
fn named(what: &str, vin: &str) -> Option<String> {
    let plain = !vin.is_empty() && vin.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain.then(|| format!("{what}-{vin}.json"))
}

fn read(saved: Value, now: DateTime<Utc>) -> (Refresh, Memory) {
    let mut parts = match saved {
        Value::Array(parts) => parts.into_iter(),
        _ => Vec::new().into_iter(),
    };
    let refresh = match parts.next() {
        Some(saved @ Value::Object(_)) => {
            let mut refresh: Refresh = part(saved);
            refresh.restarted(now);
            refresh
        }
        _ => Refresh::new(now),
    };
    (refresh, parts.next().map(part).unwrap_or_default())
}

/// Reads an object as a whole, or else what can be read of it.
fn part<T: Default + Serialize + DeserializeOwned>(saved: Value) -> T {
    if let Ok(whole) = T::deserialize(&saved) {
        return whole;
    }
    let (Value::Object(saved), Ok(Value::Object(mut known))) =
        (saved, serde_json::to_value(T::default()))
    else {
        return T::default();
    };
    for (key, value) in saved {
        let Some(new) = known.get_mut(&key) else {
            continue;
        };
        let new = std::mem::replace(new, value);
        if let Err(error) = T::deserialize(Value::Object(known.clone())) {
            tracing::warn!(%key, %error, "something that was remembered of a car is not readable");
            known.insert(key, new);
        }
    }
    T::deserialize(Value::Object(known)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::super::super::refresh::{Mode, Period};
    use super::*;

    /// As the first version of the program has written it.
    const FIRST: &str = include_str!("../../../../tests/data/saic-state-first.json");

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn first() -> Value {
        serde_json::from_str(FIRST).expect("JSON")
    }

    fn is_all_there((refresh, memory): &(Refresh, Memory)) {
        let now = at("2026-11-20T20:00:00Z");
        assert_eq!(refresh.mode(), Mode::Off);
        assert_eq!(refresh.periods.get(Period::Inactive), 7200);
        assert_eq!(refresh.periods.get(Period::Active), 30);
        assert_eq!(refresh.last_success(), Some(at("2026-11-20T08:10:20Z")));
        assert_eq!(refresh.next_poll(now), None);
        assert_eq!(memory.capacity_override, Some(61.0));
        assert_eq!(memory.held["drivetrain/soc"], "53.8");
        assert_eq!((memory.temperature_c, memory.seats), (20, (1, 2)));
        assert_eq!(memory.heating, (true, (6, 15)));
        let schedule = memory.schedule.expect("a schedule");
        assert_eq!((schedule.start, schedule.end), ((22, 5), (6, 0)));
    }

    #[test]
    fn the_file_of_the_first_version_is_readable() {
        is_all_there(&read(first(), at("2026-11-20T20:00:00Z")));
    }

    #[test]
    fn what_a_file_does_not_have_is_as_new() {
        let now = at("2026-11-20T20:00:00Z");
        for index in 0..2 {
            let keys: Vec<String> = first()[index]
                .as_object()
                .expect("an object")
                .keys()
                .cloned()
                .collect();
            for key in keys {
                let mut saved = first();
                saved[index]
                    .as_object_mut()
                    .expect("an object")
                    .remove(&key);
                let (refresh, memory) = read(saved, now);
                assert_eq!(refresh.mode() == Mode::Off, key != "mode", "{key}");
                assert_eq!(memory.held.is_empty(), key == "held", "{key}");
            }
        }
        // Its other half counts all the same.
        let mut without = first();
        without[0] = Value::Null;
        let (refresh, memory) = read(without, now);
        assert_eq!(refresh, Refresh::new(now));
        assert_eq!(memory.capacity_override, Some(61.0));
        for nothing in ["null", "{}", "[]", "7", "[7, 7]"] {
            let saved = serde_json::from_str(nothing).expect("JSON");
            assert_eq!(
                read(saved, now),
                (Refresh::new(now), Memory::default()),
                "{nothing}"
            );
        }
    }

    #[test]
    fn what_a_newer_version_has_written_costs_no_more_than_itself() {
        let now = at("2026-11-20T20:00:00Z");
        let mut newer = first();
        newer[0]["of_tomorrow"] = "x".into();
        newer[1]["of_tomorrow"] = "x".into();
        newer[0]["periods"]
            .as_array_mut()
            .expect("periods")
            .push(9.into());
        newer[0]["previous"] = "Yearly".into();
        newer[1]["target_soc"] = "half".into();
        is_all_there(&read(newer.clone(), now));
        assert_eq!(read(newer.clone(), now).1.target_soc, None);
        // A mode that is not known any more leaves the periods alone.
        newer[0]["mode"] = "Yearly".into();
        let (refresh, _) = read(newer, now);
        assert_eq!(refresh.mode(), Mode::Periodic);
        assert_eq!(refresh.periods.get(Period::Inactive), 7200);
        assert!(refresh.next_poll(now).expect("a poll") > now - TimeDelta::days(1));
    }
}
