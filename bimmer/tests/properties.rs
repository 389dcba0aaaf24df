//! What holds for any input: times, merging, odometer, anonymity.

use bimmer::capture;
use bimmer::cardata::stream::StreamMessage;
use bimmer::cardata::{Datum, Odometer, Overview, Source, TelematicData, Telemetry, Value};
use bimmer::types::parse_time;
use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use proptest::prelude::*;

const KEYS: [&str; 4] = [
    "vehicle.drivetrain.batteryManagement.header",
    "vehicle.drivetrain.electricEngine.charging.status",
    "vehicle.body.chargingPort.status",
    "vehicle.unknown.to.everybody",
];

fn begin() -> DateTime<Utc> {
    parse_time("2026-03-01T10:00:00Z").unwrap()
}

/// Key, seconds, value: each pair of key and time once.
fn measurements() -> impl Strategy<Value = Vec<(usize, i64, u32)>> {
    prop::collection::btree_map((0..KEYS.len(), 0..500_i64), any::<u32>(), 0..40).prop_map(|map| {
        map.into_iter()
            .map(|((key, at), value)| (key, at, value))
            .collect()
    })
}

fn apply(telemetry: &mut Telemetry, (key, at, value): (usize, i64, u32)) -> bool {
    let timestamp = Some(begin() + TimeDelta::seconds(at));
    let datum = Datum {
        value: Some(value.into()),
        unit: None,
        timestamp,
    };
    let received = begin() + TimeDelta::seconds(1000);
    telemetry.apply(KEYS[key], &datum, Source::Stream, received)
}

proptest! {
    #[test]
    fn times_in_all_spellings(seconds in 0_i64..4_000_000_000, nanos in 0_u32..1_000_000_000, offset in -840_i32..=840) {
        let time = DateTime::from_timestamp(seconds, nanos).unwrap();
        let zone = FixedOffset::east_opt(offset * 60).unwrap();
        prop_assert_eq!(parse_time(&time.with_timezone(&zone).to_rfc3339()), Some(time));
        let compact = time.with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S%.9f%z").to_string();
        prop_assert_eq!(parse_time(&compact), Some(time));
        let whole = DateTime::from_timestamp(seconds, 0);
        prop_assert_eq!(parse_time(&seconds.to_string()), whole);
    }

    #[test]
    fn any_text_is_a_time_or_not(text in ".{0,80}") {
        let _ = parse_time(&text);
    }

    #[test]
    fn the_newest_wins_in_any_order(
        (first, second) in measurements().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))
    ) {
        let (mut one, mut other) = (Telemetry::new(), Telemetry::new());
        for measurement in &first {
            apply(&mut one, *measurement);
        }
        for measurement in &second {
            apply(&mut other, *measurement);
        }
        prop_assert_eq!(&one, &other);
        for (number, key) in KEYS.into_iter().enumerate() {
            let newest = first.iter().filter(|one| one.0 == number).max_by_key(|one| one.1);
            let kept = one.get(key).and_then(|entry| entry.timestamp);
            prop_assert_eq!(kept, newest.map(|newest| begin() + TimeDelta::seconds(newest.1)));
        }
    }

    #[test]
    fn the_same_again_changes_nothing(all in measurements()) {
        let mut telemetry = Telemetry::new();
        for measurement in &all {
            apply(&mut telemetry, *measurement);
        }
        let before = telemetry.clone();
        for measurement in &all {
            apply(&mut telemetry, *measurement);
        }
        prop_assert_eq!(telemetry, before);
    }

    #[test]
    fn a_newer_null_clears_and_an_older_one_does_not(at in 0_i64..100, later in 1_i64..100) {
        let mut telemetry = Telemetry::new();
        apply(&mut telemetry, (0, at, 50));
        let null = |at| Datum {
            value: None,
            unit: None,
            timestamp: Some(begin() + TimeDelta::seconds(at)),
        };
        let received = begin() + TimeDelta::seconds(1000);
        prop_assert!(!telemetry.apply(KEYS[0], &null(at - later), Source::Rest, received));
        let kept = telemetry.get(KEYS[0]).unwrap().value.clone();
        prop_assert_eq!(kept, Some(Value::Number(50.0)));
        prop_assert!(telemetry.apply(KEYS[0], &null(at + later), Source::Rest, received));
        prop_assert_eq!(&telemetry.get(KEYS[0]).unwrap().value, &None);
    }

    #[test]
    fn the_odometer_never_leaps_unasked(readings in prop::collection::vec(0.0..500_000.0, 1..50)) {
        let mut odometer = Odometer::default();
        let mut last: Option<f64> = None;
        let mut doubted = false;
        for reading in readings {
            match odometer.accept(reading, Some("km")) {
                Some(km) => {
                    let leap = last.is_some_and(|last| !(-1.0..=2000.0).contains(&(km - last)));
                    prop_assert!(!leap || doubted);
                    last = Some(km);
                    doubted = false;
                }
                None => doubted = true,
            }
        }
    }

    #[test]
    fn any_bytes_are_a_message_or_not(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = StreamMessage::decode(&bytes);
        let _ = TelematicData::read(&bytes);
    }

    #[test]
    fn any_values_make_an_overview(values in prop::collection::vec((0..300_usize, ".{0,12}", any::<bool>()), 0..60)) {
        let keys = bimmer::cardata::descriptor::Descriptor::all();
        let mut telemetry = Telemetry::new();
        for (key, text, numeric) in values {
            let key = keys.get(key).map_or("vehicle.unknown", |descriptor| descriptor.key);
            let value = if numeric { serde_json::json!(text.len() as f64 * 1e300) } else { text.into() };
            let datum = Datum { value: Some(value), unit: None, timestamp: Some(begin()) };
            telemetry.apply(key, &datum, Source::Rest, begin());
        }
        let overview = Overview::of(&telemetry, begin() + TimeDelta::days(400));
        let _ = bimmer::cardata::legacy_status(&overview);
    }

    #[test]
    fn no_vin_gets_through(before in "[ -~]{0,20}", vin in "[A-HJ-NPR-Z]{3}[0-9]{14}", after in "[ -~]{0,20}") {
        let text = format!("{before} {vin} {after}");
        prop_assert!(!capture::redact(&text).contains(&vin));
        prop_assert!(!capture::Anonymizer::new().text(&text).contains(&vin));
    }
}
