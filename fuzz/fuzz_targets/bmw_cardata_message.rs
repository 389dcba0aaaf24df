#![no_main]

use bimmer::capture::{Anonymizer, redact};
use bimmer::cardata::stream::StreamMessage;
use bimmer::cardata::{Overview, TelematicData, Telemetry, legacy_status};
use chrono::{DateTime, TimeDelta};

// A message and the answer of a REST call, in both orders: nothing panics, what
// is accepted is never older than what was known, and taking the same again
// changes nothing.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let _ = redact(&text);
    let anonymous = Anonymizer::new().text(&text);
    assert_eq!(anonymous.len(), text.len());
    let now = DateTime::from_timestamp(1_772_359_200, 0).unwrap();
    let rest = TelematicData::read(data).unwrap_or_default();
    let message = StreamMessage::decode(data).ok();
    let mut car = Telemetry::new();
    car.apply_rest(&rest, now);
    if let Some(message) = &message {
        let before: Vec<_> = car
            .iter()
            .map(|(key, entry)| (key.to_owned(), entry.timestamp))
            .collect();
        car.apply_stream(message, now);
        for (key, timestamp) in before {
            assert!(car.get(&key).unwrap().timestamp >= timestamp);
        }
    }
    let overview = Overview::of(&car, now + TimeDelta::hours(1));
    let _ = legacy_status(&overview);
    if let Some(soc) = overview.soc_percent {
        assert!(soc.value.is_finite());
    }
});
